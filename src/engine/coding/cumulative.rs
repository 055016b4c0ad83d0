//! Distributions of the values of a row over levels 0 to n − 1, by their cumulative probabilities.

use std::borrow::Borrow;
use std::num::NonZeroU32;

use constriction::stream::model::{DecoderModel, EncoderModel, EntropyModel};

use super::logistics::{LogisticOutputs, Logistics};
use super::{Stack, found};

/// Of each value of a row P(level < k), in one of two forms.
#[derive(Clone, Debug, Default)]
pub struct Cumulative {
    levels: u32,
    /// P(level < k) for k from 0 to n, value by value; empty where each is a mixture of logistics.
    steps: Vec<f64>,
    logistics: Logistics,
    /// P(level < k) and P(level < k + 1) at a level k of each value: that which it has, or one that is likely.
    edges: [Vec<f64>; 2],
    /// A likely level of each value.
    likely: Vec<u32>,
}

/// Bits of the whole that intervals are shares of.
const PRECISION: usize = 24;
/// What every level has at least, of `1 << PRECISION`: two, so that what is rounded down by one too many leaves one.
const LEAST: u32 = 2;

impl Cumulative {
    /// Values of free probabilities of so many levels each, at least two; there are none until they are added.
    pub fn begin_weights(&mut self, levels: usize) {
        self.steps.clear();
        self.likely.clear();
        self.levels = levels as u32;
    }

    /// A value whose levels have probabilities in proportion to these weights, as many as there are levels.
    pub fn add_weights(&mut self, weights: impl Iterator<Item = f64>) {
        let first = self.steps.len();
        self.steps.push(0.0);
        let mut total = 0.0;
        for weight in weights {
            total += weight.max(0.0);
            self.steps.push(total);
        }
        let scale = if total > 0.0 && total.is_finite() { 1.0 / total } else { 0.0 };
        self.steps[first..].iter_mut().for_each(|step| *step *= scale);
        debug_assert_eq!(self.steps.len() - first, self.levels as usize + 1, "a weight for each level");
    }

    /// A value whose levels have probabilities in proportion to e^a of these logits.
    pub fn add_logits(&mut self, logits: impl Iterator<Item = f64> + Clone) {
        let largest = logits.clone().fold(f64::NEG_INFINITY, f64::max);
        self.add_weights(logits.map(|logit| libm::exp(logit - largest)));
    }

    /// The values of a channel of so many pixels, mixtures of logistics rounded to so many levels, the outermost taking the tails: of the channel
    /// behind those whose levels are known `[channels, pixels]`, given these.
    pub fn set_logistics(&mut self, levels: usize, pixels: usize, outputs: LogisticOutputs, known: &[u16]) {
        self.steps.clear();
        self.likely.clear();
        self.levels = levels as u32;
        self.logistics.set(levels, pixels, outputs, known);
    }

    /// The levels of one of the values.
    pub fn at(&self, value: usize) -> Value<'_> {
        Value(self, value)
    }

    /// How many values there are.
    fn values(&self) -> usize {
        match self.steps.len() {
            0 => self.logistics.values(),
            steps => steps / (self.levels as usize + 1),
        }
    }

    /// Pushes the level of each value, the first first.
    pub fn push(&mut self, levels: &[u16], stack: &mut Stack) {
        assert_eq!(levels.len(), self.values(), "a level for each value");
        if self.steps.is_empty() {
            self.find_edges(levels.iter().map(|&level| f64::from(level)));
        } else {
            let size = self.levels as usize + 1;
            for (off, edges) in self.edges.iter_mut().enumerate() {
                let steps = self.steps.chunks_exact(size).zip(levels);
                edges.clear();
                edges.extend(steps.map(|(steps, &level)| steps[usize::from(level) + off]));
            }
        }
        for ((&level, &lower), &upper) in levels.iter().zip(&self.edges[0]).zip(&self.edges[1]) {
            let level = u32::from(level);
            stack.push(level, &Interval::between(self.start(level, lower), self.start(level + 1, upper)));
        }
    }

    /// Finds P(level < k) and P(level < k + 1) of logistics, at a level of each value.
    fn find_edges(&mut self, levels: impl Iterator<Item = f64> + Clone) {
        for (edges, off) in self.edges.iter_mut().zip([-0.5, 0.5]) {
            edges.clear();
            edges.extend(levels.clone().map(|level| level + off));
            self.logistics.below(edges);
        }
    }

    /// Takes the level of each value off, the last first.
    pub fn pop(&mut self, stack: &mut Stack, levels: &mut [u16]) {
        assert_eq!(levels.len(), self.values(), "a level for each value");
        self.likely.clear();
        if self.steps.is_empty() {
            // Where distributions are narrow, nearly all levels are these, and vectors find them.
            let mut means = vec![];
            self.logistics.heaviest_means(&mut means);
            self.likely.extend(means.iter().map(|mean| ((mean + 0.5) as u32).min(self.levels - 1)));
            let likely = std::mem::take(&mut self.likely);
            self.find_edges(likely.iter().map(|&level| f64::from(level)));
            self.likely = likely;
        }
        levels.iter_mut().enumerate().rev().for_each(|(at, level)| *level = stack.pop(&self.at(at)) as u16);
    }

    /// Where the interval of a level begins, which is `below` of the whole or 0 or all of it at the ends.
    fn start(&self, k: u32, below: f64) -> u32 {
        match k {
            0 => 0,
            k if k == self.levels => 1 << PRECISION,
            // Not above 1 even if roundings are; a NaN counts as 0. Either way all levels have an interval.
            k => LEAST * k + (below.clamp(0.0, 1.0) * f64::from((1 << PRECISION) - LEAST * self.levels)) as u32,
        }
    }
}

/// The interval of one level, which is all that is needed to push it; whatever symbol is pushed with it is that level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    start: u32,
    size: NonZeroU32,
}

impl Interval {
    fn between(start: u32, end: u32) -> Interval {
        Interval { start, size: NonZeroU32::new(end - start).expect("every level has an interval") }
    }
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

/// The levels of one of the values.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a>(&'a Cumulative, usize);

impl Value<'_> {
    /// The interval of a level, to be pushed later.
    ///
    /// # Panics
    /// If there is no such level.
    pub fn interval(self, level: u32) -> Interval {
        assert!(level < self.0.levels, "it is a level of the distribution");
        Interval::between(self.start(level), self.start(level + 1))
    }

    /// Where the interval of a level begins.
    fn start(&self, k: u32) -> u32 {
        let &Value(of, at) = self;
        if k == 0 || k == of.levels {
            return of.start(k, 0.0);
        }
        of.start(
            k,
            match of.steps.is_empty() {
                true => of.logistics.below_of(at, f64::from(k) - 0.5),
                false => of.steps[at * (of.levels as usize + 1) + k as usize],
            },
        )
    }
}

impl EntropyModel<PRECISION> for Value<'_> {
    type Symbol = u32;
    type Probability = u32;
}

impl EncoderModel<PRECISION> for Value<'_> {
    fn left_cumulative_and_probability(&self, level: impl Borrow<u32>) -> Option<(u32, NonZeroU32)> {
        let level = *level.borrow();
        (level < self.0.levels).then(|| self.interval(level)).map(|Interval { start, size }| (start, size))
    }
}

impl DecoderModel<PRECISION> for Value<'_> {
    fn quantile_function(&self, slot: u32) -> (u32, u32, NonZeroU32) {
        let &Value(of, at) = self;
        if let Some(&level) = of.likely.get(at) {
            let [start, end] = [of.start(level, of.edges[0][at]), of.start(level + 1, of.edges[1][at])];
            if (start..end).contains(&slot) {
                return (level, start, NonZeroU32::new(end - start).expect("the slot lies in it"));
            }
        }
        // Only where the search begins: of logistics near where the share lies among them.
        let near = match of.steps.is_empty() {
            true => of.logistics.near(at, f64::from(slot) / f64::from(1 << PRECISION)) as u32,
            false => of.levels / 2,
        };
        found(near.min(of.levels - 1), of.levels, slot, |level| self.start(level))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(of: &Cumulative, at: usize, level: u32) -> u32 {
        of.at(at).interval(level).size.get()
    }

    /// That the intervals of a value's levels lie end to end, and that each is found wherever a slot lies in it.
    fn check(of: &Cumulative, at: usize) {
        let (value, mut end) = (of.at(at), 0);
        for level in 0..of.levels {
            let (start, size) = (value.start(level), size(of, at, level));
            assert_eq!(start, end, "level {level}");
            end += size;
            for slot in [start, start + size / 2, end - 1] {
                assert_eq!(
                    value.quantile_function(slot),
                    (level, start, NonZeroU32::new(size).unwrap()),
                    "slot {slot}"
                );
            }
        }
        assert_eq!(end, 1 << 24);
    }

    #[test]
    fn intervals_of_weights_tile_the_whole_and_are_found() {
        let mut of = Cumulative::default();
        of.begin_weights(2);
        of.add_weights([1.0, 3.0].into_iter());
        of.add_weights([1.0, 1.0].into_iter());
        check(&of, 0);
        check(&of, 1);
        // A quarter, less what every level has at least: 2 + ¼(2²⁴ − 4); and a half.
        assert_eq!([size(&of, 0, 0), size(&of, 1, 0)], [(1 << 22) + 1, 1 << 23]);
        of.begin_weights(5);
        for weights in [[0.0; 5], [f64::NAN; 5], [f64::INFINITY, 1.0, 0.0, 0.0, 1.0], [1e-300, 0.0, 1.0, 1e300, -1.0]] {
            of.add_weights(weights.into_iter());
        }
        (0..4).for_each(|at| check(&of, at));
        assert_eq!(of.values(), 4);
    }

    /// The start of a level's interval, one component after the other by `libm`.
    fn by_libm(levels: u32, components: &[[f32; 3]], k: u32) -> u32 {
        let top = f64::from(levels - 1);
        let largest = components.iter().map(|c| f64::from(c[0])).fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = components.iter().map(|c| libm::exp(f64::from(c[0]) - largest)).sum();
        let below: f64 = components
            .iter()
            .map(|&[logit, mean, log_scale]| {
                let weight = libm::exp(f64::from(logit) - largest) / total;
                let precision = 1.0 / (libm::exp(f64::from(log_scale).clamp(-8.0, 5.0)) * top);
                weight / (1.0 + libm::exp((f64::from(mean) * top - (f64::from(k) - 0.5)) * precision))
            })
            .sum();
        LEAST * k + (below.clamp(0.0, 1.0) * f64::from((1 << PRECISION) - LEAST * levels)) as u32
    }

    #[test]
    fn logistics_are_the_same_together_as_one_by_one() {
        // Values without a pattern, and with numbers that no trained model gives.
        let mut state = 5u64;
        let mut random = |least: f32, most: f32| {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            least + (most - least) * (state >> 40) as f32 / (1 << 24) as f32
        };
        let mut values: Vec<[[f32; 3]; 3]> =
            (0..150).map(|_| [0; 3].map(|_| [random(-9.0, 9.0), random(-0.3, 1.3), random(-9.0, 2.0)])).collect();
        values.extend([
            [[0.0, 1e30, 5.0], [0.0, -1e30, 5.0], [-2000.0, 0.5, -8.0]],
            [[f32::NAN, 0.5, 0.0], [0.0, 0.5, 0.0], [0.0, 0.5, 0.0]],
            [[0.0, f32::NAN, 0.0], [0.0, 0.5, 0.0], [0.0, 0.5, 0.0]],
            [[f32::INFINITY, 0.5, 0.0], [0.0, 0.5, 0.0], [0.0, 0.5, 0.0]],
            [[0.0, 0.5, -8.0], [0.0, 0.5, -8.0], [900.0, 0.1, -300.0]],
        ]);
        let part = |part: usize| -> Vec<f32> { (0..3).flat_map(|c| values.iter().map(move |v| v[c][part])).collect() };
        let [logits, means, log_scales] = [0, 1, 2].map(part);
        let outputs = LogisticOutputs {
            logits: &logits,
            means: &means,
            log_scales: &log_scales,
            links: &[],
            channels: 1,
            range: (-8.0, 5.0),
        };
        let mut of = Cumulative::default();
        of.set_logistics(256, values.len(), outputs, &[]);
        (0..values.len()).for_each(|at| check(&of, at));
        let levels: Vec<u16> = (0..values.len()).map(|at| (at * 83 % 256) as u16).collect();
        let mut stack = Stack::default();
        of.push(&levels, &mut stack);
        for (at, components) in values.iter().enumerate() {
            let starts: Vec<u32> = (1..256).map(|k| of.at(at).start(k)).collect();
            let right: Vec<u32> = (1..256).map(|k| by_libm(256, components, k)).collect();
            assert_eq!(starts, right, "{components:?}");
            let k = u32::from(levels[at]);
            let pushed = [of.start(k, of.edges[0][at]), of.start(k + 1, of.edges[1][at])];
            assert_eq!(pushed, [k, k + 1].map(|k| of.at(at).start(k)), "{components:?}");
        }
        let mut again = vec![0; levels.len()];
        of.pop(&mut stack, &mut again);
        assert_eq!(again, levels);
        // With likely levels at hand, all others are found as well.
        assert_eq!(of.likely.len(), values.len());
        (0..values.len()).for_each(|at| check(&of, at));
    }

    #[test]
    fn a_logistic_has_the_probabilities_of_its_bins() {
        let mut of = Cumulative::default();
        let log_scale = 0.02f32.ln();
        let outputs = LogisticOutputs {
            logits: &[],
            means: &[0.4],
            log_scales: &[log_scale],
            links: &[],
            channels: 1,
            range: (-9.0, 5.0),
        };
        of.set_logistics(256, 1, outputs, &[]);
        check(&of, 0);
        let sigmoid = |level: f64| 1.0 / (1.0 + (-(level / 255.0 - 0.4) / 0.02).exp());
        for level in [0, 90, 102, 110, 255] {
            let low = if level == 0 { 0.0 } else { sigmoid(f64::from(level) - 0.5) };
            let high = if level == 255 { 1.0 } else { sigmoid(f64::from(level) + 0.5) };
            let share = f64::from(size(&of, 0, level)) / f64::from(1 << 24);
            assert!((share - (high - low)).abs() < 4e-5, "{level}: {share} and {}", high - low);
        }
    }
}
