//! Pictures that are changed anew in every step: one change after the other, each giving a whole picture.

use super::faults::Fault;
use super::random::{Draws, philox};
use super::rows::Batch;

/// How pictures of a size are changed.
#[derive(Clone, Copy, Debug)]
pub struct Changes {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    /// Whether left and right are exchanged where a draw says so, and up and down.
    pub flips: bool,
    /// Pixels of the furthest shift.
    pub shift: i64,
    /// Pixels of the frame.
    pub crop: i64,
}

impl Changes {
    /// A picture of the pixels that stand where `from` says; of no pixel, zeros.
    fn taken(&self, x: &[f64], from: impl Fn(i64, i64) -> Option<(i64, i64)>) -> Vec<f64> {
        let mut out = vec![];
        for row in 0..self.height as i64 {
            for column in 0..self.width as i64 {
                for channel in 0..self.channels {
                    let at = |(row, column)| (row as usize * self.width + column as usize) * self.channels + channel;
                    out.push(from(row, column).map_or(0.0, |place| x[at(place)]));
                }
            }
        }
        out
    }

    /// What is seen of the batch: row r draws the words of the blocks 2r and 2r + 1 of the first stream that has not been drawn from.
    pub fn of(&self, mut batch: Batch, draws: Draws, fault: Option<Fault>) -> Batch {
        if fault == Some(Fault::PicturesKept) {
            return Batch { streams: batch.streams + 1, ..batch };
        }
        let step = if fault == Some(Fault::PicturesChangedOnce) { 0 } else { draws.step };
        batch.streams += 1;
        let (h, w) = (self.height as i64, self.width as i64);
        for (row, x) in batch.x.iter_mut().enumerate() {
            let words = |block| philox([2 * row as u32 + block, step, batch.streams, 0], draws.seed);
            let ([left_right, up_down, down, right], [top, left, ..]) = (words(0), words(1));
            let is_odd = |word: u32| self.flips && word >= 1 << 31;
            if is_odd(left_right) {
                *x = self.taken(x, |y, x| Some((y, w - 1 - x)));
            }
            if is_odd(up_down) {
                *x = self.taken(x, |y, x| Some((h - 1 - y, x)));
            }
            let within = |word: u32, most: i64| {
                (f64::from(word) / 4_294_967_296.0 * (2 * most + 1) as f64).floor() as i64 - most
            };
            let (down, right) = (within(down, self.shift), within(right, self.shift));
            if fault != Some(Fault::ShiftForgotten) {
                *x = self.taken(x, |y, x| Some(((y + down).clamp(0, h - 1), (x + right).clamp(0, w - 1))));
            }
            let (top, left) = (within(top, self.crop), within(left, self.crop));
            *x = self.taken(x, |y, x| {
                let (y, x) = (y + top, x + left);
                ((0..h).contains(&y) && (0..w).contains(&x)).then_some((y, x))
            });
        }
        batch
    }
}
