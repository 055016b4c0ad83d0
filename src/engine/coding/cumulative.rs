//! The distribution of one value over levels 0 to n − 1, by its cumulative probabilities.

use std::borrow::Borrow;
use std::num::NonZeroU32;

use constriction::stream::model::{DecoderModel, EncoderModel, EntropyModel};

use super::found;

/// P(level < k), in one of two forms.
#[derive(Clone, Debug, Default)]
pub struct Cumulative {
    levels: u32,
    /// P(level < k) for k from 0 to n; empty where it is a mixture of logistics.
    steps: Vec<f64>,
    /// Weight, mean and one over the scale of each logistic, in units of levels.
    logistics: Vec<[f64; 3]>,
}

/// Bits of the whole that intervals are shares of.
const PRECISION: usize = 24;
/// What every level has at least, of `1 << PRECISION`: two, so that what is rounded down by one too many leaves one.
const LEAST: u32 = 2;

/// e^a of each, divided by that of the largest.
pub fn exponentials(logits: impl Iterator<Item = f64> + Clone) -> impl Iterator<Item = f64> {
    let largest = logits.clone().fold(f64::NEG_INFINITY, f64::max);
    logits.map(move |logit| libm::exp(logit - largest))
}

impl Cumulative {
    /// Free probabilities of every level, in proportion to these weights, at least two and finite.
    pub fn set_weights(&mut self, weights: impl Iterator<Item = f64>) {
        self.logistics.clear();
        self.steps.clear();
        self.steps.push(0.0);
        let mut total = 0.0;
        for weight in weights {
            total += weight.max(0.0);
            self.steps.push(total);
        }
        let scale = if total > 0.0 && total.is_finite() { 1.0 / total } else { 0.0 };
        self.steps.iter_mut().for_each(|step| *step *= scale);
        self.levels = self.steps.len() as u32 - 1;
    }

    /// Probabilities in proportion to e^a of these logits, at least two.
    pub fn set_logits(&mut self, logits: impl Iterator<Item = f64> + Clone) {
        self.set_weights(exponentials(logits));
    }

    /// A mixture of logistics rounded to so many levels, the outermost taking the tails: of each its weight, which sum up to 1, its mean
    /// and its scale, on the scale on which levels lie from 0 to 1.
    pub fn set_logistics(&mut self, levels: usize, logistics: impl Iterator<Item = [f64; 3]>) {
        let top = (levels - 1) as f64;
        self.steps.clear();
        self.logistics.clear();
        self.logistics.extend(logistics.map(|[weight, mean, scale]| [weight, mean * top, 1.0 / (scale * top)]));
        self.levels = levels as u32;
    }

    /// The interval of a level, to be pushed later.
    ///
    /// # Panics
    /// If there is no such level.
    pub fn interval(&self, level: u32) -> Interval {
        let found = self.left_cumulative_and_probability(level);
        let (start, size) = found.expect("it is a level of the distribution");
        Interval { start, size }
    }

    /// P(level < k), k from 1 to n − 1.
    fn below(&self, k: u32) -> f64 {
        if !self.steps.is_empty() {
            return self.steps[k as usize];
        }
        let edge = f64::from(k) - 0.5;
        let each = self.logistics.iter();
        each.map(|[weight, mean, precision]| weight / (1.0 + libm::exp((mean - edge) * precision))).sum()
    }

    /// Where the interval of a level begins.
    fn start(&self, k: u32) -> u32 {
        match k {
            0 => 0,
            k if k == self.levels => 1 << PRECISION,
            // Not above 1 even if roundings are; a NaN counts as 0. Either way all levels have an interval.
            k => LEAST * k + (self.below(k).clamp(0.0, 1.0) * f64::from((1 << PRECISION) - LEAST * self.levels)) as u32,
        }
    }
}

impl EntropyModel<PRECISION> for Cumulative {
    type Symbol = u32;
    type Probability = u32;
}

impl EncoderModel<PRECISION> for Cumulative {
    fn left_cumulative_and_probability(&self, level: impl Borrow<u32>) -> Option<(u32, NonZeroU32)> {
        let level = *level.borrow();
        let start = (level < self.levels).then(|| self.start(level))?;
        Some((start, NonZeroU32::new(self.start(level + 1) - start)?))
    }
}

impl DecoderModel<PRECISION> for Cumulative {
    fn quantile_function(&self, slot: u32) -> (u32, u32, NonZeroU32) {
        // Of logistics the level is near the first one's mean, or near enough.
        let near = self.logistics.first().map_or(self.levels / 2, |[_, mean, _]| *mean as u32);
        found(near.min(self.levels - 1), self.levels, slot, |level| self.start(level))
    }
}

/// The interval of one level, which is all that is needed to push it; whatever symbol is pushed with it is that level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    start: u32,
    size: NonZeroU32,
}

impl EntropyModel<PRECISION> for Interval {
    type Symbol = u32;
    type Probability = u32;
}

impl EncoderModel<PRECISION> for Interval {
    fn left_cumulative_and_probability(&self, _: impl Borrow<u32>) -> Option<(u32, NonZeroU32)> {
        Some((self.start, self.size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(of: &Cumulative, level: u32) -> u32 {
        of.left_cumulative_and_probability(level).unwrap().1.get()
    }

    fn check(of: &Cumulative, levels: u32) {
        let mut end = 0;
        for level in 0..levels {
            let (start, size) = of.left_cumulative_and_probability(level).unwrap();
            assert_eq!(start, end, "level {level}");
            end += size.get();
            for slot in [start, start + size.get() / 2, end - 1] {
                assert_eq!(of.quantile_function(slot), (level, start, size), "slot {slot}");
            }
        }
        assert_eq!(end, 1 << 24);
        assert_eq!(of.left_cumulative_and_probability(levels), None);
    }

    #[test]
    fn intervals_tile_the_whole_and_are_found() {
        let mut of = Cumulative::default();
        of.set_weights([1.0, 3.0].into_iter());
        check(&of, 2);
        // A quarter, less what every level has at least: 2 + ¼(2²⁴ − 4).
        assert_eq!(size(&of, 0), (1 << 22) + 1);
        for weights in [[0.0; 5], [f64::NAN; 5], [f64::INFINITY, 1.0, 0.0, 0.0, 1.0], [1e-300, 0.0, 1.0, 1e300, -1.0]] {
            of.set_weights(weights.into_iter());
            check(&of, 5);
        }
        let mixtures: [&[[f64; 3]]; 6] = [
            &[[1.0, 0.5, 0.01]],
            &[[0.3, -4.0, 0.3], [0.7, 0.9, 1e-4]],
            &[[1.0, 0.0, 1e-30]],
            &[[1.0, 1e30, 150.0]],
            &[[f64::NAN, f64::NAN, 1.0]],
            &[[0.5, 1.0, 1e-3], [0.5, 0.0, 1e-3]],
        ];
        for mixture in mixtures {
            of.set_logistics(256, mixture.iter().copied());
            check(&of, 256);
        }
    }

    #[test]
    fn a_logistic_has_the_probabilities_of_its_bins() {
        let mut of = Cumulative::default();
        of.set_logistics(256, [[1.0, 0.4, 0.02]].into_iter());
        let sigmoid = |level: f64| 1.0 / (1.0 + (-(level / 255.0 - 0.4) / 0.02).exp());
        for level in [0, 90, 102, 110, 255] {
            let low = if level == 0 { 0.0 } else { sigmoid(f64::from(level) - 0.5) };
            let high = if level == 255 { 1.0 } else { sigmoid(f64::from(level) + 0.5) };
            let share = f64::from(size(&of, level)) / f64::from(1 << 24);
            assert!((share - (high - low)).abs() < 4e-5, "{level}: {share} and {}", high - low);
        }
    }
}
