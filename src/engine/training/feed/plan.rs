//! Which rows come when, and where they lie on the device.

use std::ops::Range;

use crate::kernels::Step;
use crate::kernels::random::Shuffle;

/// The part of an epoch by which shards are put in order; windows, which are parts as well, never have this number.
const SHARDS: u32 = u32::MAX;

/// The order of a data set in windows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Rows of the data set.
    pub count: usize,
    /// Rows of a window; of the last, perhaps fewer.
    pub window: usize,
    /// Rows of a shard; of the last, perhaps fewer.
    pub shard: usize,
    /// The seed, where shards come in random order and one epoch follows another; else they come once, as they lie.
    pub seed: Option<[u32; 2]>,
}

/// Rows that are read at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Where the first of them lies on the device.
    pub at: usize,
    /// Which they are.
    pub rows: Range<usize>,
    /// Whether a window ends behind them.
    pub ends_window: bool,
}

impl Plan {
    /// Windows of an epoch.
    pub fn windows(&self) -> u64 {
        self.count.div_ceil(self.window) as u64
    }

    /// The pieces of a window, which are counted through all epochs; none behind the end.
    pub fn pieces(&self, number: u64) -> Vec<Piece> {
        let (epoch, window) = (number / self.windows(), (number % self.windows()) as usize);
        if self.seed.is_none() && epoch > 0 {
            return vec![];
        }
        let positions = window * self.window..self.count.min((window + 1) * self.window);
        let place = if self.windows() > 1 { (number % 2) as usize * self.window } else { 0 };
        let (mut pieces, mut position) = (Vec::new(), 0);
        for rows in self.shards(epoch) {
            let some = positions.start.max(position)..positions.end.min(position + rows.len());
            if !some.is_empty() {
                let first = rows.start + some.start - position;
                let at = place + some.start - positions.start;
                pieces.push(Piece { at, rows: first..first + some.len(), ends_window: some.end == positions.end });
            }
            position += rows.len();
        }
        pieces
    }

    /// The shards of an epoch, in their order.
    fn shards(&self, epoch: u64) -> impl Iterator<Item = Range<usize>> {
        let Plan { count, shard, seed, .. } = *self;
        let step = Step { seed: seed.unwrap_or_default(), epoch: epoch as u32, ..Step::default() };
        let shards = count.div_ceil(shard);
        let order = seed.map(|_| Shuffle::of_part(&step, shards as u32, SHARDS));
        (0..shards).map(move |i| {
            let start = order.as_ref().map_or(i, |order| order.at(i as u32) as usize) * shard;
            start..count.min(start + shard)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHUFFLED: Plan = Plan { count: 103, window: 25, shard: 4, seed: Some([5, 0]) };

    /// The rows of an epoch in their order, and the places where they lie.
    fn epoch(plan: &Plan, epoch: u64) -> (Vec<usize>, Vec<usize>) {
        let windows = epoch * plan.windows()..(epoch + 1) * plan.windows();
        let pieces: Vec<Piece> = windows.flat_map(|number| plan.pieces(number)).collect();
        let rows = pieces.iter().flat_map(|piece| piece.rows.clone()).collect();
        (rows, pieces.iter().flat_map(|piece| piece.at..piece.at + piece.rows.len()).collect())
    }

    #[test]
    fn an_epoch_has_every_row_once_in_an_order_of_its_own() {
        let (first, second) = (epoch(&SHUFFLED, 0).0, epoch(&SHUFFLED, 1).0);
        for rows in [&first, &second] {
            let mut sorted = rows.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..103).collect::<Vec<_>>());
            // Shards stay together.
            assert!(rows.windows(2).filter(|pair| pair[1] == pair[0] + 1).count() >= 103 * 3 / 4 - 5);
        }
        assert_ne!(first, second);
        assert_eq!(epoch(&Plan { seed: None, ..SHUFFLED }, 0).0, (0..103).collect::<Vec<_>>());
        assert!(Plan { seed: None, ..SHUFFLED }.pieces(5).is_empty());
    }

    #[test]
    fn windows_lie_in_two_places_in_turn_through_all_epochs() {
        let places = |start: usize, rows: usize| start..start + rows;
        // Five windows of an epoch, so that the next begins in the other place.
        let (_, at) = epoch(&SHUFFLED, 0);
        let expected: Vec<usize> =
            [(0, 25), (25, 25), (0, 25), (25, 25), (0, 3)].into_iter().flat_map(|(a, n)| places(a, n)).collect();
        assert_eq!(at, expected);
        assert_eq!(epoch(&SHUFFLED, 1).1[..25], places(25, 25).collect::<Vec<_>>());
        // Each window ends once.
        for number in 0..10 {
            let ends: Vec<bool> = SHUFFLED.pieces(number).iter().map(|piece| piece.ends_window).collect();
            assert!(ends.iter().rev().skip(1).all(|end| !end) && ends.last() == Some(&true), "{ends:?}");
        }
    }

    /// Pins the order: the same seed gives the same rows on every machine.
    #[test]
    fn the_order_is_the_same_everywhere() {
        assert_eq!(epoch(&SHUFFLED, 0).0[..12], PINNED);
    }

    const PINNED: [usize; 12] = [60, 61, 62, 63, 44, 45, 46, 47, 84, 85, 86, 87];
}
