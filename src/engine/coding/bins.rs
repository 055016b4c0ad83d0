//! Codes in bins: each dimension of a code is one of 2¹⁶ bins that are alike under N(0, 1), and a Gaussian gives each its mass
//! (Townsend, Bird & Barber 2019, section 2.5.1).

use std::borrow::Borrow;
use std::num::NonZeroU32;
use std::sync::LazyLock;

use constriction::stream::model::{DecoderModel, EncoderModel, EntropyModel};

use super::found;

/// Bits that say which bin: what a dimension costs under N(0, 1).
const BITS: usize = 16;
const COUNT: u32 = 1 << BITS;
/// Bits of the whole that a Gaussian's intervals are shares of.
const PRECISION: usize = 28;
/// What every bin has at least, of `1 << PRECISION`.
const LEAST: u32 = 2;

/// Where bins begin, and what stands for each.
#[derive(Debug)]
pub struct CodeBins {
    /// The inner edges: that between bin i − 1 and bin i stands at i.
    edges: Vec<f64>,
    /// The medians.
    middles: Vec<f32>,
}

static BINS: LazyLock<CodeBins> = LazyLock::new(|| CodeBins {
    edges: (0..COUNT).map(|i| quantile(f64::from(i) / f64::from(COUNT))).collect(),
    middles: (0..COUNT).map(|i| quantile((f64::from(i) + 0.5) / f64::from(COUNT)) as f32).collect(),
});

impl CodeBins {
    /// The bins.
    pub fn get() -> &'static CodeBins {
        &BINS
    }

    /// The number that stands for a bin.
    pub fn middle(&self, bin: u32) -> f32 {
        self.middles[bin as usize]
    }

    /// N(mean, deviation²) over the bins, the deviation being above 0.
    pub fn gaussian(&self, mean: f32, deviation: f32) -> GaussianBins<'_> {
        GaussianBins { bins: self, mean: f64::from(mean), deviation: f64::from(deviation) }
    }
}

/// N(0, 1) over the bins.
#[derive(Clone, Copy, Debug)]
pub struct PriorBins;

impl EntropyModel<BITS> for PriorBins {
    type Symbol = u32;
    type Probability = u32;
}

impl EncoderModel<BITS> for PriorBins {
    fn left_cumulative_and_probability(&self, bin: impl Borrow<u32>) -> Option<(u32, NonZeroU32)> {
        (*bin.borrow() < COUNT).then_some((*bin.borrow(), NonZeroU32::MIN))
    }
}

impl DecoderModel<BITS> for PriorBins {
    fn quantile_function(&self, slot: u32) -> (u32, u32, NonZeroU32) {
        (slot, slot, NonZeroU32::MIN)
    }
}

/// A Gaussian over the bins: each has its mass, in whole numbers, and none has none.
#[derive(Clone, Copy, Debug)]
pub struct GaussianBins<'a> {
    bins: &'a CodeBins,
    mean: f64,
    deviation: f64,
}

impl GaussianBins<'_> {
    /// Where the interval of a bin begins.
    fn start(&self, bin: u32) -> u32 {
        match bin {
            0 => 0,
            COUNT => 1 << PRECISION,
            bin => {
                let share = below((self.bins.edges[bin as usize] - self.mean) / self.deviation).clamp(0.0, 1.0);
                LEAST * bin + (share * f64::from((1 << PRECISION) - LEAST * COUNT)) as u32
            }
        }
    }
}

impl EntropyModel<PRECISION> for GaussianBins<'_> {
    type Symbol = u32;
    type Probability = u32;
}

impl EncoderModel<PRECISION> for GaussianBins<'_> {
    fn left_cumulative_and_probability(&self, bin: impl Borrow<u32>) -> Option<(u32, NonZeroU32)> {
        let bin = *bin.borrow();
        let start = (bin < COUNT).then(|| self.start(bin))?;
        Some((start, NonZeroU32::new(self.start(bin + 1) - start)?))
    }
}

impl DecoderModel<PRECISION> for GaussianBins<'_> {
    fn quantile_function(&self, slot: u32) -> (u32, u32, NonZeroU32) {
        let guess = self.mean + self.deviation * quantile((f64::from(slot) + 0.5) / f64::from(1 << PRECISION));
        // A NaN guesses the first; the guess is only where the search begins.
        let near = ((below(guess) * f64::from(COUNT)) as u32).min(COUNT - 1);
        found(near, COUNT, slot, |bin| self.start(bin))
    }
}

/// Φ(x) of a standard normal.
fn below(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// Φ⁻¹(p), −∞ at 0 and ∞ at 1: the rational approximation of Acklam (2003, error 1.2e-9), and a step of Halley's method.
fn quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969683028665376e1,
        2.209460984245205e2,
        -2.759285104469687e2,
        1.38357751867269e2,
        -3.066479806614716e1,
        2.506628277459239,
    ];
    const B: [f64; 6] = [
        -5.447609879822406e1,
        1.615858368580409e2,
        -1.556989798598866e2,
        6.680131188771972e1,
        -1.328068155288572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784894002430293e-3,
        -3.223964580411365e-1,
        -2.400758277161838,
        -2.549732539343734,
        4.374664141464968,
        2.938163982698783,
    ];
    const D: [f64; 5] = [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1.0];
    let polynomial = |of: &[f64], x: f64| of.iter().fold(0.0, |sum, c| sum * x + c);
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    let tail = |p: f64| {
        let q = libm::sqrt(-2.0 * libm::log(p));
        polynomial(&C, q) / polynomial(&D, q)
    };
    let x = match p {
        ..0.02425 => tail(p),
        0.97575.. => -tail(1.0 - p),
        _ => {
            let (q, r) = (p - 0.5, (p - 0.5) * (p - 0.5));
            polynomial(&A, r) * q / polynomial(&B, r)
        }
    };
    let off = (below(x) - p) * libm::sqrt(std::f64::consts::TAU) * libm::exp(0.5 * x * x);
    x - off / (1.0 + 0.5 * x * off)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_tables() {
        for (p, x) in
            [(0.5, 0.0), (0.975, 1.959_963_984_540_054), (0.001, -3.090_232_306_167_813), (0.2, -0.841_621_233_572_914)]
        {
            assert!((quantile(p) - x).abs() < 1e-12, "{p}: {}", quantile(p));
        }
        assert!((0..=1000).all(|i| (below(quantile(f64::from(i) / 1000.0)) - f64::from(i) / 1000.0).abs() < 1e-14));
    }

    #[test]
    fn bins_are_found_wherever_a_gaussian_lies() {
        let bins = CodeBins::get();
        for (mean, deviation) in [
            (0.0, 1.0),
            (1.3, 0.02),
            (-7.0, 0.5),
            (3.0, 1e-6),
            (0.2, 50.0),
            (f32::NAN, 1.0),
            (1e30, 1.0),
            (0.0, f32::INFINITY),
        ] {
            let (mut last, of) = (None, bins.gaussian(mean, deviation));
            for i in 0..500u32 {
                let slot = (i * 536_870 + 17).min((1 << 28) - 1);
                let (bin, start, size) = of.quantile_function(slot);
                assert!(start <= slot && slot - start < size.get(), "{mean} {deviation} {slot}");
                assert_eq!(of.left_cumulative_and_probability(bin), Some((start, size)));
                assert!(last.is_none_or(|last| last <= bin));
                last = Some(bin);
            }
            assert_eq!(of.left_cumulative_and_probability(COUNT), None);
        }
        // Under N(0, 1) itself all bins are alike but for roundings, and a narrow Gaussian has nearly all in a few.
        let (_, size) = bins.gaussian(0.0, 1.0).left_cumulative_and_probability(40_000).unwrap();
        assert!(size.get().abs_diff(1 << 12) <= 2);
        let (bin, _, size) = bins.gaussian(0.7, 1e-6).quantile_function(1 << 27);
        assert!((bins.middle(bin) - 0.7).abs() < 1e-4 && size.get() > 260_000_000, "{size}");
        assert_eq!(PriorBins.left_cumulative_and_probability(COUNT), None);
        assert_eq!(PriorBins.quantile_function(COUNT - 1), (COUNT - 1, COUNT - 1, NonZeroU32::MIN));
    }
}
