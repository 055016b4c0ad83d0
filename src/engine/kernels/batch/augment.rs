//! Pictures that are changed on their way into a batch, each row anew in every step: data augmentation. The CPU twin of
//! `shaders/augment.wgsl`.
//!
//! What is seen at (y, x) is 0 where (y, x) + crop lies outside of the picture, and else what stands at flip(clamp((y, x) + crop + shift))
//! of the row, see [`Augment`]. All that is drawn for row r
//! of the batch are words of the blocks 2r and 2r + 1 of a stream: the first says by its words whether to flip, whether to flip
//! upside down, and how far to shift down and to the right, the second where to cut. A word w gives ⌊w (2N + 1)/2³²⌋ − N, which is from
//! −N to N, each as likely to within 2⁻³².

use super::super::random::block;
use super::super::step::Step;
use super::super::wgsl::Shader;

/// How pictures are changed at random.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Augment {
    /// Whether left and right are exchanged, in half of the cases.
    pub flip: bool,
    /// Whether up and down are exchanged, in half of the cases.
    pub flip_vertical: bool,
    /// A picture is shifted by up to so many pixels along either axis, in either direction; pixels at its edge are repeated where nothing
    /// is left.
    pub shift: u32,
    /// A picture gets a frame of so many pixels of 0, and one of its own size is cut out of that at a random place (He et al. 2016,
    /// section 4.2, with 4 pixels).
    pub crop: u32,
}

/// Pictures of a size and what they are changed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Augmented {
    /// Height, width and channels, the last of which varies fastest.
    pub shape: [usize; 3],
    /// How they are changed.
    pub how: Augment,
    /// The stream of what is drawn.
    pub stream: u32,
}

/// The text, without what it needs besides.
const SHADER: &str = include_str!("../../../../shaders/augment.wgsl");

impl Augmented {
    /// Values of a picture.
    pub fn features(&self) -> usize {
        self.shape.iter().product()
    }

    /// The text that says where the values of a row are taken from.
    pub(super) fn text(&self) -> String {
        let ([height, width, channels], Augment { flip, flip_vertical, shift, crop }) = (self.shape, self.how);
        let shader = Shader::new(SHADER).set("HEIGHT", height).set("WIDTH", width).set("CHANNELS", channels);
        let shader = shader.set("STREAM", self.stream).set("SHIFT", shift).set("CROP", crop);
        shader.set("FLIP", u8::from(flip)).set("FLIP_VERTICAL", u8::from(flip_vertical)).text()
    }

    /// Writes into `out` what is seen of a picture `whole` as row `row` of the batch, both `[height, width, channels]`.
    pub(super) fn change(&self, whole: &[f32], out: &mut [f32], step: &Step, row: u32) {
        let ([height, width, channels], Augment { flip, flip_vertical, shift, crop }) = (self.shape, self.how);
        let drawn = block(step, self.stream, 2 * row);
        let [down, right] = [drawn[2], drawn[3]].map(|word| offset(word, shift));
        let [top, left] = match crop {
            0 => [0; 2],
            most => {
                let drawn = block(step, self.stream, 2 * row + 1);
                [drawn[0], drawn[1]].map(|word| offset(word, most))
            }
        };
        // The place along an axis of so many pixels; nothing where the frame is seen.
        let along = |at: usize, [cut, moved]: [i64; 2], size: usize, flips: bool| {
            let framed = at as i64 + cut;
            let inside = (0..size as i64).contains(&framed);
            let held = (framed + moved).clamp(0, size as i64 - 1) as usize;
            inside.then_some(if flips { size - 1 - held } else { held })
        };
        let flips = [flip && drawn[0] >> 31 == 1, flip_vertical && drawn[1] >> 31 == 1];
        for (y, line) in out.chunks_exact_mut(width * channels).enumerate() {
            let y = along(y, [top, down], height, flips[1]);
            for (x, pixel) in line.chunks_exact_mut(channels).enumerate() {
                match (y, along(x, [left, right], width, flips[0])) {
                    (Some(y), Some(x)) => pixel.copy_from_slice(&whole[(y * width + x) * channels..][..channels]),
                    _ => pixel.fill(0.0),
                }
            }
        }
    }
}

/// A whole number from −most to most.
fn offset(word: u32, most: u32) -> i64 {
    ((u64::from(word) * u64::from(2 * most + 1)) >> 32) as i64 - i64::from(most)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const SHAPE: [usize; 3] = [2, 3, 1];
    /// 1 2 3 over 4 5 6.
    const PICTURE: [f32; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];

    fn seen(how: Augment, shape: [usize; 3], picture: &[f32], step: u32, row: u32) -> Vec<f32> {
        let (mut out, step) = (vec![-1.0; picture.len()], Step { seed: [3, 9], step, ..Step::default() });
        Augmented { shape, how, stream: 2 }.change(picture, &mut out, &step, row);
        out
    }

    /// How often each picture is seen in 4000 rows of a step.
    fn often(how: Augment) -> BTreeMap<Vec<u8>, usize> {
        let mut all = BTreeMap::new();
        for row in 0..4000 {
            let picture = seen(how, SHAPE, &PICTURE, 5, row).into_iter().map(|value| value as u8).collect();
            *all.entry(picture).or_insert(0) += 1;
        }
        all
    }

    /// Whether all these and no others are seen, each as often as it should be: to within five deviations of the count.
    fn are_seen(how: Augment, expected: &[(&[u8], f64)]) {
        let found = often(how);
        assert_eq!(found.len(), expected.len(), "{how:?}: {found:?}");
        for (picture, share) in expected {
            let count = *found.get(*picture).unwrap_or(&0) as f64;
            let deviation = (4000.0 * share * (1.0 - share)).sqrt();
            assert!((count - 4000.0 * share).abs() <= 5.0 * deviation, "{how:?}: {picture:?} {count} times of 4000");
        }
    }

    const NONE: Augment = Augment { flip: false, flip_vertical: false, shift: 0, crop: 0 };

    #[test]
    fn a_picture_of_2_by_3_is_flipped_with_even_odds() {
        are_seen(NONE, &[(&[1, 2, 3, 4, 5, 6], 1.0)]);
        are_seen(Augment { flip: true, ..NONE }, &[(&[1, 2, 3, 4, 5, 6], 0.5), (&[3, 2, 1, 6, 5, 4], 0.5)]);
        are_seen(Augment { flip_vertical: true, ..NONE }, &[(&[1, 2, 3, 4, 5, 6], 0.5), (&[4, 5, 6, 1, 2, 3], 0.5)]);
        let both = Augment { flip: true, flip_vertical: true, ..NONE };
        let four: [&[u8]; 4] = [&[1, 2, 3, 4, 5, 6], &[3, 2, 1, 6, 5, 4], &[4, 5, 6, 1, 2, 3], &[6, 5, 4, 3, 2, 1]];
        are_seen(both, &four.map(|picture| (picture, 0.25)));
    }

    #[test]
    fn a_picture_of_2_by_3_is_shifted_over_its_edges_and_cut_from_zeros() {
        // Rows of the picture that are seen, for each shift down, and columns.
        let (downs, rights) = ([[0, 0], [0, 1], [1, 1]], [[0, 0, 1], [0, 1, 2], [1, 2, 2]]);
        let shifted = downs.iter().flat_map(|rows| rights.iter().map(move |columns| (rows, columns)));
        let shifted: Vec<Vec<u8>> = shifted
            .map(|(rows, columns)| rows.iter().flat_map(|y| columns.iter().map(move |x| y * 3 + x + 1)).collect())
            .collect();
        let all: Vec<(&[u8], f64)> = shifted.iter().map(|picture| (&picture[..], 1.0 / 9.0)).collect();
        are_seen(Augment { shift: 1, ..NONE }, &all);
        let cut: [&[u8]; 9] = [
            &[0, 0, 0, 0, 1, 2],
            &[0, 0, 0, 1, 2, 3],
            &[0, 0, 0, 2, 3, 0],
            &[0, 1, 2, 0, 4, 5],
            &[1, 2, 3, 4, 5, 6],
            &[2, 3, 0, 5, 6, 0],
            &[0, 4, 5, 0, 0, 0],
            &[4, 5, 6, 0, 0, 0],
            &[5, 6, 0, 0, 0, 0],
        ];
        are_seen(Augment { crop: 1, ..NONE }, &cut.map(|picture| (picture, 1.0 / 9.0)));
    }

    #[test]
    fn channels_of_a_pixel_stay_together() {
        for channels in 1..=4 {
            let picture: Vec<f32> = (0..6 * channels).map(|i| (i / channels * 10 + i % channels) as f32).collect();
            let how = Augment { flip: true, flip_vertical: true, shift: 1, crop: 0 };
            for row in 0..50 {
                let found = seen(how, [2, 3, channels], &picture, 0, row);
                let first: Vec<f32> = found.iter().step_by(channels).copied().collect();
                assert!(found.iter().enumerate().all(|(i, v)| *v == first[i / channels] + (i % channels) as f32));
            }
        }
    }

    #[test]
    fn every_row_and_step_draws_anew_and_again_the_same() {
        let how = Augment { flip: true, flip_vertical: true, shift: 2, crop: 3 };
        let picture: Vec<f32> = (1..=7 * 5).map(|i| i as f32).collect();
        let of = |step, row| seen(how, [7, 5, 1], &picture, step, row);
        assert_eq!(of(4, 1), of(4, 1));
        assert!(of(4, 1) != of(4, 2) && of(4, 1) != of(5, 1));
    }
}
