//! Steps that move nothing because their gradients are too long, noticed while a run trains.

use crate::config::Config;
use crate::program::SKIPPED;
use crate::training::metrics::EpochRecord;

/// The share of an epoch's steps from which too many are skipped.
const MOST: f64 = 0.5;

/// Notices that most steps of an epoch were skipped. It is told once.
#[derive(Debug, Default)]
pub(super) struct SkipWatch {
    told: bool,
}

impl SkipWatch {
    /// Looks at the training rows' record of an epoch; says what it has noticed.
    pub(super) fn note(&mut self, config: &Config, record: &EpochRecord) -> Option<String> {
        let share = record.parts.get(SKIPPED).copied().filter(|share| *share >= MOST && !self.told)?;
        self.told = true;
        let norm = record.gradient_norm.map(|norm| format!(", {norm:.3e} in the mean")).unwrap_or_default();
        Some(format!(
            "{:.0} % of the steps moved nothing, as their gradients are longer than `skip-norm` {}{norm}. What may help: a larger `skip-norm`, or \
             a smaller `learning-rate`",
            100.0 * share,
            config.training.skip_norm
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::metrics::Split;

    #[test]
    fn most_steps_being_skipped_is_told_once() {
        let (mut watch, mut config) = (SkipWatch::default(), Config::default());
        config.training.skip_norm = 20.0;
        let mut note = |share: Option<f64>| {
            let mut record = EpochRecord::new(1, Split::Train, 1.0, 1.0, 0.0);
            record.gradient_norm = Some(31.25);
            record.parts.extend(share.map(|share| (SKIPPED.to_string(), share)));
            watch.note(&config, &record)
        };
        assert_eq!((note(None), note(Some(0.0)), note(Some(0.49))), (None, None, None));
        let said = note(Some(0.5)).expect("half of them");
        assert!(
            said.starts_with("50 % of the steps moved nothing") && said.contains("`skip-norm` 20, 3.125e1"),
            "{said}"
        );
        assert_eq!(note(Some(1.0)), None);
    }
}
