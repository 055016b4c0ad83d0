//! Grey rows as black and white ones: each value drawn once, as 1 with the value as its probability.
//!
//! Training that binarises dynamically draws anew in every step. What is measured is measured on one draw that stays the same, so
//! that all figures of a data set are of the same rows (Salakhutdinov & Murray 2008 fix the draw of MNIST likewise).

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::dataset::Dataset;
use super::values::{Packing, PackingKind, Values};

impl Dataset {
    /// Whether all values are 0 or 1.
    pub fn is_black_and_white(&self) -> bool {
        match &self.values {
            Values::Bits(_) => true,
            Values::Bytes(bytes) => bytes.iter().all(|&byte| byte == 0 || byte == 255),
            Values::Stored(stored) => stored.is_black_and_white(),
            Values::Floats(floats) => floats.iter().all(|&value| value == 0.0 || value == 1.0),
        }
    }

    /// The same rows with every value drawn: 1 with the value as its probability, else 0, as the seed decides. What is 0 or 1
    /// stays what it is.
    pub fn black_and_white(&self, seed: u64) -> Dataset {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed ^ u64::from_be_bytes(*b"binarise"));
        let features = self.shape().features();
        let stride = Packing::new(PackingKind::Bits, features).row_words;
        let (mut words, mut row) = (vec![0u32; self.rows * stride], vec![0.0; features]);
        for (i, words) in words.chunks_exact_mut(stride).enumerate() {
            self.copy_row(i, &mut row);
            for (j, &value) in row.iter().enumerate() {
                // A draw lies in [0, 1), so that 0 is never drawn as 1, nor 1 as 0.
                words[j / 32] |= u32::from(rng.random::<f32>() < value) << (j % 32);
            }
        }
        Dataset { values: Values::Bits(words), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Shape;
    use super::*;

    fn grey(value: u8, rows: usize) -> Dataset {
        Dataset::new("grey", Values::Bytes(vec![value; rows * 40]), Shape::vector(40)).unwrap()
    }

    fn share(data: &Dataset) -> f64 {
        let sum: f64 = (0..data.rows).flat_map(|row| data.row(row)).map(f64::from).sum();
        sum / (data.rows * data.shape().features()) as f64
    }

    #[test]
    fn values_are_drawn_with_their_probabilities() {
        // 40,000 draws: the standard error of a share near 0.2 is 0.002.
        let drawn = grey(51, 1000).black_and_white(3);
        assert!((share(&drawn) - 0.2).abs() < 0.01, "{}", share(&drawn));
        assert_eq!(share(&grey(0, 1000).black_and_white(3)), 0.0);
        assert_eq!(share(&grey(255, 1000).black_and_white(3)), 1.0);
        assert_ne!(drawn.row(0), drawn.row(1), "each row has draws of its own");
    }

    #[test]
    fn a_draw_stays_the_same_and_the_seed_decides_it() {
        let data = grey(128, 10);
        let drawn = data.black_and_white(1);
        assert_eq!(drawn, data.black_and_white(1));
        assert_ne!(drawn, data.black_and_white(2));
        assert_eq!(drawn.black_and_white(2), drawn);
        assert!(drawn.is_black_and_white() && !data.is_black_and_white());
        let floats = Dataset::new("floats", Values::Floats(vec![0.0, 1.0, 1.0]), Shape::vector(3)).unwrap();
        assert!(floats.is_black_and_white());
        assert_eq!(floats.black_and_white(7).row(0), [0.0, 1.0, 1.0]);
    }
}
