//! Mixtures of logistics, of all values of a row at once: vectors run across values.

use super::exp::{exp, exponentials};
use crate::kernels::simd::vectorised;

/// A mixture of as many logistics for each value, in units of levels: the first component of each value, then the second, and so on.
#[derive(Clone, Debug, Default)]
pub struct Logistics {
    values: usize,
    /// The weight of each, those of a value summing up to 1.
    weights: Vec<f64>,
    means: Vec<f64>,
    /// One over the scale of each.
    precisions: Vec<f64>,
}

/// What a decoder says of mixtures of logistics, each `[components, values]`, on the scale on which levels lie from 0 to 1.
#[derive(Clone, Copy, Debug)]
pub struct LogisticOutputs<'a> {
    /// What weights are the softmax of; of one component nothing.
    pub logits: &'a [f32],
    /// Means.
    pub means: &'a [f32],
    /// Logarithms of scales.
    pub log_scales: &'a [f32],
    /// The range that these are kept in.
    pub range: (f32, f32),
}

impl Logistics {
    /// Those of so many values.
    pub fn set(&mut self, levels: usize, values: usize, outputs: LogisticOutputs) {
        let (top, (least, most)) = ((levels - 1) as f64, outputs.range);
        self.values = values;
        fill(&mut self.means, outputs.means, |mean| mean * top);
        fill(&mut self.precisions, outputs.log_scales, |log| log.clamp(f64::from(least), f64::from(most)));
        exponentials(&mut self.precisions);
        self.precisions.iter_mut().for_each(|scale| *scale = 1.0 / (*scale * top));
        fill(&mut self.weights, outputs.logits, |logit| logit);
        match outputs.logits.is_empty() {
            true => self.weights.resize(values, 1.0),
            false => softmax(&mut self.weights, values),
        }
    }

    /// How many values there are.
    pub fn values(&self) -> usize {
        self.values
    }

    /// P(x < edge) of each value x and an edge of its own, which it takes the place of.
    pub fn below(&self, edges: &mut [f64]) {
        below(&self.weights, &self.means, &self.precisions, edges);
    }

    /// P(x < edge) of one of the values.
    pub fn below_of(&self, value: usize, edge: f64) -> f64 {
        self.of(value).map(|component| share_below(component, edge)).sum()
    }

    /// Of each value the place of the heaviest component's mean, which is the likeliest level where that is narrow.
    pub fn heaviest_means(&self, into: &mut Vec<f64>) {
        into.clear();
        into.extend((0..self.values).map(|value| {
            let heaviest = self.of(value).reduce(|a, b| if b[0] > a[0] { b } else { a });
            heaviest.map_or(0.0, |[_, mean, _]| mean)
        }));
    }

    /// A level near that below which so large a share of a value lies: found in the component into which the share falls where all are laid
    /// end to end in the order of their means.
    pub fn near(&self, value: usize, share: f64) -> f64 {
        let inside = |[weight, mean, precision]: [f64; 3]| {
            let before: f64 = self.of(value).filter(|other| other[1] < mean).map(|other| other[0]).sum();
            let inside = (share - before) / weight;
            (0.0..=1.0).contains(&inside).then(|| {
                let inside = inside.clamp(1e-6, 1.0 - 1e-6);
                mean + libm::log(inside / (1.0 - inside)) / precision + 0.5
            })
        };
        self.of(value).find_map(inside).unwrap_or(0.0)
    }

    /// Weight, mean and precision of each component of a value.
    #[inline(always)]
    fn of(&self, value: usize) -> impl Iterator<Item = [f64; 3]> {
        let each = (value..self.weights.len()).step_by(self.values.max(1));
        each.map(|at| [self.weights[at], self.means[at], self.precisions[at]])
    }
}

fn fill(into: &mut Vec<f64>, from: &[f32], change: impl Fn(f64) -> f64) {
    into.clear();
    into.extend(from.iter().map(|&number| change(f64::from(number))));
}

/// What a component of this weight, mean and precision has below an edge.
#[inline(always)]
fn share_below([weight, mean, precision]: [f64; 3], edge: f64) -> f64 {
    weight / (1.0 + exp((mean - edge) * precision))
}

/// Values that are worked on together.
const BLOCK: usize = 64;

vectorised! {
    fn softmax(logits: &mut [f64], values: usize) = softmax_of;
}

/// Of `[components, values]` the softmax along the components.
#[inline(always)]
fn softmax_of(logits: &mut [f64], values: usize) {
    for first in (0..values).step_by(BLOCK) {
        let len = BLOCK.min(values - first);
        let [mut largest, mut total] = [[f64::NEG_INFINITY; BLOCK], [0.0; BLOCK]];
        for logits in logits[first..].chunks(values) {
            largest.iter_mut().zip(&logits[..len]).for_each(|(largest, &logit)| *largest = largest.max(logit));
        }
        for logits in logits[first..].chunks_mut(values) {
            for ((logit, total), &largest) in logits[..len].iter_mut().zip(&mut total).zip(&largest) {
                *logit = exp(*logit - largest);
                *total += *logit;
            }
        }
        for logits in logits[first..].chunks_mut(values) {
            logits[..len].iter_mut().zip(&total).for_each(|(logit, total)| *logit /= total);
        }
    }
}

vectorised! {
    fn below(weights: &[f64], means: &[f64], precisions: &[f64], edges: &mut [f64]) = below_each;
}

#[inline(always)]
fn below_each(weights: &[f64], means: &[f64], precisions: &[f64], edges: &mut [f64]) {
    let values = edges.len().max(1);
    for (block, edges) in edges.chunks_mut(BLOCK).enumerate() {
        let (mut sums, len) = ([0.0; BLOCK], edges.len());
        for first in (block * BLOCK..weights.len()).step_by(values) {
            let [weights, means, precisions] = [weights, means, precisions].map(|all| &all[first..first + len]);
            let of_component = weights.iter().zip(means).zip(precisions);
            for ((sum, &edge), ((&weight, &mean), &precision)) in sums.iter_mut().zip(&*edges).zip(of_component) {
                *sum += share_below([weight, mean, precision], edge);
            }
        }
        edges.copy_from_slice(&sums[..len]);
    }
}
