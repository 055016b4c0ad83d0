//! Runs that end when their validation rows become no better, and keep the weights of the best epoch.

use elbo::apps::{CHECKPOINT, Outcome, Saved};
use elbo::config::Config;
use elbo::engine::training::Best;
use elbo::engine::training::checkpoint::{Checkpoint, NamedTensor};
use elbo::engine::training::metrics::Split;

use super::whole;
use crate::runs::{Device, Run, StopAt, devices, small};

/// So large a rate that the loss of the validation rows goes up and down.
fn patient(patience: usize) -> Config {
    let mut config = small();
    (config.training.epochs, config.training.learning_rate) = (60, 0.02);
    (config.training.warmup_steps, config.training.kl_warmup_epochs) = (0, 0);
    config.training.patience = Some(patience);
    config
}

/// The losses of the validation rows.
fn losses(run: &Run) -> Vec<f64> {
    let records = run.epochs().into_iter().filter(|record| record.split == Split::Validation);
    records.map(|record| record.loss).collect()
}

/// What the checkpoint says of the best epoch.
fn best(run: &Run) -> Best {
    Checkpoint::load(&run.path().join(CHECKPOINT)).unwrap().best().unwrap().unwrap()
}

/// The epoch, and the weights as all commands use them.
fn opened(run: &Run, device: &Device) -> (u64, Vec<NamedTensor>) {
    let mut saved = Saved::open(run.path(), device.open()).unwrap();
    assert_eq!(saved.best.map_or(saved.epoch, |best| best.epoch), saved.epoch);
    (saved.epoch, saved.session.values().unwrap())
}

#[test]
fn a_run_ends_when_it_becomes_no_better_and_keeps_its_best() {
    for device in devices() {
        let run = whole(&patient(2), &device);
        let (losses, best) = (losses(&run), best(&run));
        let by_hand = (1..).zip(&losses).min_by(|a, b| a.1.total_cmp(b.1)).unwrap();
        // The record has gone through decimal digits.
        assert_eq!(best.epoch, by_hand.0, "{}: {losses:?}", device.name);
        assert!((best.loss / by_hand.1 - 1.0).abs() < 1e-12, "{}: {best:?}", device.name);
        assert_eq!(best.step, 6 * best.epoch);
        assert_eq!(losses.len() as u64, best.epoch + 2, "{}: {losses:?}", device.name);
        assert!(losses.len() < 60, "{}: it did not end early", device.name);
        // The weights are those of a run of as many epochs, and the checkpoint's own are the last.
        let of_epochs = |epochs: u64| {
            let mut config = patient(2);
            (config.training.patience, config.training.epochs) = (None, epochs as usize);
            opened(&whole(&config, &device), &device)
        };
        let found = opened(&run, &device);
        assert!(found == of_epochs(best.epoch), "{}", device.name);
        assert!(found != of_epochs(best.epoch + 2), "{}: the comparison sees nothing", device.name);
        let mut last = Checkpoint::load(&run.path().join(CHECKPOINT)).unwrap();
        let is_weight = |name: &str| found.1.iter().any(|(known, ..)| known == name);
        last.tensors.retain(|(name, ..)| is_weight(name));
        assert!(last.tensors == of_epochs(best.epoch + 2).1, "{}: what it is resumed from", device.name);
    }
}

#[test]
fn a_break_changes_neither_the_end_nor_the_best() {
    for device in devices() {
        let config = patient(2);
        let continuous = whole(&config, &device);
        let steps = 6 * losses(&continuous).len() as u64;
        // In the epoch behind the best one, which must not be forgotten, and early on.
        for step in [6 * best(&continuous).epoch + 2, 3] {
            let broken = Run::new();
            assert_eq!(broken.start(&config, &device, &mut StopAt::step(step)).unwrap(), Outcome::Stopped);
            assert!(broken.kept() != continuous.kept(), "{}: the comparison sees nothing", device.name);
            assert_eq!(broken.resume(&config, &device, &mut StopAt::never()).unwrap(), Outcome::Finished);
            assert!(broken.kept() == continuous.kept(), "{}: broken at {step} of {steps}", device.name);
            assert!(opened(&broken, &device) == opened(&continuous, &device), "{}", device.name);
        }
        // A run that has ended does nothing more, until it is told to wait longer.
        let kept = continuous.kept();
        assert_eq!(continuous.resume(&config, &device, &mut StopAt::never()).unwrap(), Outcome::Finished);
        assert!(continuous.kept() == kept, "{}", device.name);
        let (longer, ended) = (patient(6), losses(&continuous).len());
        assert_eq!(continuous.resume(&longer, &device, &mut StopAt::never()).unwrap(), Outcome::Finished);
        assert!(losses(&continuous).len() > ended, "{}", device.name);
        assert!(continuous.kept() == whole(&longer, &device).kept(), "{}", device.name);
    }
}

/// The running mean is what is used, and so its best is.
#[test]
fn the_best_of_running_means_is_a_running_mean() {
    let (mut config, device) = (patient(1), Device::cpu());
    config.training.average = 0.9;
    let run = whole(&config, &device);
    let found = opened(&run, &device);
    (config.training.epochs, config.training.patience) = (best(&run).epoch as usize, None);
    assert!(found == opened(&whole(&config, &device), &device));
    config.training.average = 0.0;
    assert!(found != opened(&whole(&config, &device), &device), "the comparison sees nothing");
}

#[test]
fn patience_wants_validation_rows() {
    let mut config = patient(2);
    config.data.validation = 0;
    let run = Run::new();
    let said = run.start(&config, &Device::cpu(), &mut StopAt::never()).unwrap_err().to_string();
    assert!(said.contains("`patience`") && said.contains("`validation`"), "{said}");
    assert!(std::fs::read_dir(run.path()).unwrap().next().is_none(), "nothing was written");
}
