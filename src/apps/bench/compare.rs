//! Two runs of the benchmark, beside each other.

use serde::{Deserialize, Serialize};

/// How one figure changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What was measured: a step and its batch, or a kernel and its case.
    pub what: String,
    /// How many times as fast it is now.
    pub ratio: f64,
    /// The ratio at its worst and at its best: the slowest round now over the fastest then, and the reverse.
    pub range: [f64; 2],
}

/// What changed since an earlier run, as far as both measured it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What makes the two hard to compare: another device, another version, nothing in common.
    pub warnings: Vec<String>,
    /// Training steps, by samples per second.
    pub steps: Vec<Change>,
    /// The plain VAE with one piece exchanged, by samples per second.
    #[serde(default)]
    pub pieces: Vec<Change>,
    /// Kernels, by runs per second.
    pub kernels: Vec<Change>,
}

impl Change {
    /// From the medians and spreads of two rates.
    pub(super) fn of(
        what: String,
        (then, [then_low, then_high]): (f64, [f64; 2]),
        (now, [low, high]): (f64, [f64; 2]),
    ) -> Change {
        Change { what, ratio: now / then, range: [low / then_high, high / then_low] }
    }

    /// Whether the two runs' spreads overlap: then the difference may be noise.
    pub fn may_be_noise(&self) -> bool {
        self.range[0] <= 1.0 && self.range[1] >= 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::{KernelFigures, Report};
    use super::*;

    fn report(device: &str, seconds: f64) -> Report {
        let kernel = KernelFigures {
            kernel: "map".into(),
            case: "relu".into(),
            seconds,
            spread: Some([0.9 * seconds, 1.2 * seconds]),
            flops: 0.0,
            divisions: 0.0,
            bytes: 0.0,
            flops_share: 0.0,
            divisions_share: 0.0,
            bytes_share: 0.0,
        };
        Report { kernels: vec![kernel], ..Report::new(device.into()) }
    }

    #[test]
    fn ratios_and_what_may_be_noise() {
        let half = Comparison::new(&report("a", 2.0), &report("a", 1.0));
        assert!(half.warnings.is_empty() && half.steps.is_empty());
        let change = &half.kernels[0];
        assert!((change.ratio - 0.5).abs() < 1e-12 && !change.may_be_noise());
        assert!((change.range[0] - 0.9 / 2.4).abs() < 1e-12 && (change.range[1] - 1.2 / 1.8).abs() < 1e-12);
        assert!(Comparison::new(&report("a", 1.1), &report("a", 1.0)).kernels[0].may_be_noise());
    }

    #[test]
    fn what_cannot_be_compared_is_said() {
        let mut other = report("b", 1.0);
        other.version = "0.0.1".into();
        let warnings = Comparison::new(&report("a", 1.0), &other).warnings;
        assert!(warnings.len() == 2 && warnings[0].contains("device: b") && warnings[1].contains("0.0.1"));
        other.kernels.clear();
        assert!(Comparison::new(&report("a", 1.0), &other).warnings[2].contains("nothing in common"));
    }
}
