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
    /// What a channel moves with, or a part of what it says of components: of use only while these are set.
    scratch: Vec<f64>,
}

/// What a decoder says of mixtures of logistics, each `[components, features]`, on the scale on which levels lie from 0 to 1.
///
/// Features that follow each other are the channels of a pixel. They have one component k between them, and the mean of each moves with those
/// before it, μ_kc + Σ_{j<c} tanh(l_kcj) x_j (Salimans et al. 2017, equation 3). Of one channel each feature stands by itself.
#[derive(Clone, Copy, Debug)]
pub struct LogisticOutputs<'a> {
    /// What weights are the softmax of, of a pixel the sums over its channels; of one component nothing.
    pub logits: &'a [f32],
    /// μ.
    pub means: &'a [f32],
    /// Logarithms of scales.
    pub log_scales: &'a [f32],
    /// l, of a channel c and one before it, j, at channel c(c − 1)/2 + j of the pixel; of one channel nothing.
    pub links: &'a [f32],
    /// Channels of a pixel.
    pub channels: usize,
    /// The range that logarithms of scales are kept in.
    pub range: (f32, f32),
}

impl Logistics {
    /// Those of one channel of so many pixels: of the one behind those whose levels are known `[channels, pixels]`, given these. Their components
    /// have the weights π_k Π_{j<c} P_k(x_j) / Σ_k π_k Π_{j<c} P_k(x_j).
    pub fn set(&mut self, levels: usize, pixels: usize, outputs: LogisticOutputs, known: &[u16]) {
        let top = (levels - 1) as f64;
        self.values = pixels;
        self.weights.clear();
        let pixel_logits = outputs.logits.chunks_exact(outputs.channels);
        self.weights.extend(pixel_logits.map(|pixel| pixel.iter().map(|&logit| f64::from(logit)).sum::<f64>()));
        let known: Vec<&[u16]> = known.chunks_exact(pixels).collect();
        for (channel, levels) in known.iter().enumerate() {
            self.set_channel(top, outputs, &known[..channel]);
            self.weigh(top, levels);
        }
        self.set_channel(top, outputs, &known);
        match outputs.logits.is_empty() {
            true => self.weights.resize(pixels, 1.0),
            false => softmax(&mut self.weights, pixels),
        }
    }

    /// Means and precisions of the channel behind those that are known.
    fn set_channel(&mut self, top: f64, outputs: LogisticOutputs, known: &[&[u16]]) {
        let LogisticOutputs { means, log_scales, links, channels, range: (least, most), .. } = outputs;
        let (channel, pixels) = (known.len(), self.values);
        fill(&mut self.means, means, (channel, channels), |mean| mean * top);
        for (before, levels) in known.iter().enumerate() {
            // tanh l = 1 − 2/(1 + e²ˡ).
            let link = channel * (channel - 1) / 2 + before;
            fill(&mut self.scratch, links, (link, channels), |link| 2.0 * link);
            exponentials(&mut self.scratch);
            for (means, links) in self.means.chunks_exact_mut(pixels).zip(self.scratch.chunks_exact(pixels)) {
                for ((mean, &link), &level) in means.iter_mut().zip(links).zip(*levels) {
                    *mean += (1.0 - 2.0 / (1.0 + link)) * f64::from(level);
                }
            }
        }
        fill(&mut self.precisions, log_scales, (channel, channels), |log| log.clamp(f64::from(least), f64::from(most)));
        exponentials(&mut self.precisions);
        self.precisions.iter_mut().for_each(|scale| *scale = 1.0 / (*scale * top));
    }

    /// Adds to the logarithms of weights those of what each component gives these levels.
    fn weigh(&mut self, top: f64, levels: &[u16]) {
        let levels: Vec<f64> = levels.iter().map(|&level| f64::from(level)).collect();
        self.scratch.resize(self.weights.len(), 0.0);
        probabilities(&mut self.weights, &mut self.scratch, &self.means, &self.precisions, &levels, top);
        self.weights.iter_mut().zip(&self.scratch).for_each(|(weight, share)| *weight += libm::log(*share));
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

/// Those of one of so many channels, changed.
fn fill(into: &mut Vec<f64>, from: &[f32], (channel, channels): (usize, usize), change: impl Fn(f64) -> f64) {
    into.clear();
    into.extend(from.chunks_exact(channels).map(|pixel| change(f64::from(pixel[channel]))));
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

vectorised! {
    fn probabilities(logs: &mut [f64], shares: &mut [f64], means: &[f64], precisions: &[f64], levels: &[f64], top: f64) = probabilities_each;
}

/// σ(a) as e^l/s: l and s.
#[inline(always)]
fn side(a: f64) -> [f64; 2] {
    [if a < 0.0 { a } else { 0.0 }, 1.0 + exp(-a.abs())]
}

/// The probability P of a level of each value under each component, as e^l p: l is added to what is there, p takes its place.
///
/// With a = (x + ½ − μ)/s and b = (x − ½ − μ)/s it is σ(a) σ(−b) (1 − e^{−1/s}), in which nothing cancels, and
/// σ(a) = e^{min(a, 0)}/(1 + e^{−|a|}), in which nothing is too small: p is at least a quarter of 1 − e^{−1/s}. The outermost levels have no edge on one
/// side, and σ alone.
#[inline(always)]
fn probabilities_each(
    logs: &mut [f64],
    shares: &mut [f64],
    means: &[f64],
    precisions: &[f64],
    levels: &[f64],
    top: f64,
) {
    let values = levels.len().max(1);
    let of_component = means.chunks_exact(values).zip(precisions.chunks_exact(values));
    for ((logs, shares), (means, precisions)) in
        logs.chunks_exact_mut(values).zip(shares.chunks_exact_mut(values)).zip(of_component)
    {
        for (i, &level) in levels.iter().enumerate() {
            let (mean, precision) = (means[i], precisions[i]);
            let (is_first, is_last) = (level <= 0.0, level >= top);
            let [above, over] = side((level + 0.5 - mean) * precision);
            let [below, under] = side(-((level - 0.5 - mean) * precision));
            let [above, over] = if is_last { [0.0, 1.0] } else { [above, over] };
            let [below, under] = if is_first { [0.0, 1.0] } else { [below, under] };
            let width = if is_first || is_last { 1.0 } else { 1.0 - exp(-precision) };
            logs[i] += above + below;
            shares[i] = width / (over * under);
        }
    }
}
