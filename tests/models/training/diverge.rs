//! Ways to diverge: each run either comes back to a finite and better loss, or gives up with the advice that fits.

use std::ops::ControlFlow;
use std::path::Path;

use elbo::apps::{CHECKPOINT, Outcome, TrainRun, Watcher};
use elbo::config::Config;
use elbo::engine::training::checkpoint::Checkpoint;
use elbo::engine::training::metrics::{RetryRecord, read_retries};
use elbo::engine::training::{Progress, SLOWED};
use elbo::{EpochRecord, Error, Result, Training};

use super::super::common::npy::npy_of_floats;
use super::runs::{Device, Run, StopAt, devices, small};

/// Looks on, and breaks off once a run that has gone back so many times has done more steps.
#[derive(Default)]
struct Seen {
    stop_after: Option<u64>,
    retries: Vec<RetryRecord>,
    epochs: Vec<EpochRecord>,
}

impl Watcher for Seen {
    fn progress(&mut self, _: u64, _: u64, progress: &Progress) -> ControlFlow<()> {
        let is_due = self.stop_after.is_some_and(|retries| self.retries.len() as u64 >= retries);
        if is_due && progress.batch >= 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn epoch(&mut self, records: &[EpochRecord]) {
        self.epochs.extend_from_slice(records);
    }

    fn retried(&mut self, record: &RetryRecord) {
        self.retries.push(record.clone());
    }
}

/// A run of steps that are far too large, for so long until it takes ones that are not.
fn hot() -> Config {
    let mut config = small();
    let t = &mut config.training;
    (t.optimiser, t.clip_norm, t.warmup_steps) = ("sgd".parse().unwrap(), None, 0);
    (t.learning_rate, t.retries, t.epochs) = (20.0, 6, 4);
    config
}

fn trained(config: &Config, device: &Device) -> (Run, Seen, Result<Outcome>) {
    let (run, mut seen) = (Run::new(), Seen::default());
    let mut training = TrainRun::start(config.clone(), run.path(), device.open()).unwrap();
    let outcome = training.train(&mut seen);
    drop(training);
    (run, seen, outcome)
}

#[test]
fn a_learning_rate_that_is_too_large_is_lowered_until_it_is_not() {
    for device in devices() {
        let config = hot();
        let (run, seen, outcome) = trained(&config, &device);
        assert_eq!(outcome.unwrap(), Outcome::Finished, "{}", device.name);
        let retries = &seen.retries;
        assert!((1..=6).contains(&retries.len()), "{}: {retries:?}", device.name);
        assert_eq!(*retries, read_retries(&run.path().join("retries.jsonl")).unwrap());
        assert!(retries.iter().any(|record| record.why.contains("weights `") && record.why.contains("moved furthest")));
        for (i, record) in retries.iter().enumerate() {
            assert_eq!((record.retry, record.slowed), (i as u64 + 1, SLOWED.powi(i as i32 + 1)));
            assert!(
                record.step > record.back_to && record.why.contains(&format!("step {}", record.step)),
                "{record:?}"
            );
        }
        // The loss is finite and better, and the records say by which rate.
        let epochs = run.epochs();
        let (first, last) = (&epochs[0], &epochs[epochs.len() - 3]);
        assert!(last.loss.is_finite() && last.loss < first.loss, "{}: {} after {}", device.name, last.loss, first.loss);
        assert_eq!(last.retries, Some(retries.len() as u64));
        assert_eq!(last.learning_rate, Some(20.0 * retries.last().unwrap().slowed));
        // Every step is recorded once.
        let steps: Vec<u64> = run.steps().iter().map(|record| record.step).collect();
        assert_eq!(steps, (1..=24).collect::<Vec<u64>>());
        // Without retries it ends, as it was.
        let mut config = hot();
        config.training.retries = 0;
        let (run, seen, outcome) = trained(&config, &device);
        assert!(matches!(outcome, Err(Error::Diverged(_))) && seen.retries.is_empty());
        assert!(!run.path().join("retries.jsonl").exists());
    }
}

#[test]
fn a_run_that_went_back_is_resumed_to_the_bit() {
    for device in devices() {
        let config = hot();
        let (unbroken, seen, _) = trained(&config, &device);
        let (broken, mut stopping) =
            (Run::new(), Seen { stop_after: Some(seen.retries.len() as u64), ..Seen::default() });
        let mut training = TrainRun::start(config.clone(), broken.path(), device.open()).unwrap();
        assert_eq!(training.train(&mut stopping).unwrap(), Outcome::Stopped);
        drop(training);
        broken.resume(&config, &device, &mut StopAt::never()).unwrap();
        assert!(broken.kept() == unbroken.kept(), "{}", device.name);
        let retries = |run: &Run| std::fs::read(run.path().join("retries.jsonl")).unwrap();
        assert!(retries(&broken) == retries(&unbroken), "{}", device.name);
        // A run that forgets how often it went back is another.
        let forgetful = Run::new();
        let mut stopping = Seen { stop_after: Some(seen.retries.len() as u64), ..Seen::default() };
        TrainRun::start(config.clone(), forgetful.path(), device.open()).unwrap().train(&mut stopping).unwrap();
        let path = forgetful.path().join(CHECKPOINT);
        let mut checkpoint = Checkpoint::load(&path).unwrap();
        checkpoint.set_metadata("retries", 7);
        checkpoint.save(&path).unwrap();
        let mut config = config.clone();
        config.training.retries = 9;
        forgetful.resume(&config, &device, &mut StopAt::never()).unwrap();
        assert!(forgetful.checkpoint() != unbroken.checkpoint(), "{}", device.name);
    }
}

/// Rows of 6 numbers about 1, with a change.
fn vectors(folder: &Path, change: impl Fn(usize, usize) -> Option<f32>) -> Config {
    let value = |i: usize, j: usize| change(i, j).unwrap_or(((i * 7 + j * 3) % 11) as f32 / 5.0 - 1.0);
    let values: Vec<f32> = (0..200).flat_map(|i| (0..6).map(move |j| (i, j))).map(|(i, j)| value(i, j)).collect();
    std::fs::write(folder.join("rows.npy"), npy_of_floats("(200, 6)", values)).unwrap();
    let mut config = small();
    config.data.source = folder.join("rows.npy").to_string_lossy().into_owned();
    (config.data.standardise, config.data.count) = (Some(false), None);
    config.data.resolution = Config::default().data.resolution;
    config.model.likelihood = "gaussian:sigma=1".parse().unwrap();
    config
}

/// What nothing can be made of ends with what is wrong with it, after all tries.
#[test]
fn what_cannot_be_helped_is_given_up_with_the_advice_that_fits() {
    let folder = tempfile::tempdir().unwrap();
    type Change = fn(usize, usize) -> Option<f32>;
    // A name, what becomes of rows and settings, and what is said and what not; where nothing is said, nothing goes wrong.
    type Words = &'static [&'static str];
    type Case = (&'static str, Change, fn(&mut Config), Words, Words);
    let cases: [Case; 4] = [
        ("fine", |_, _| None, |_| {}, &[], &[]),
        (
            "one column is not scaled",
            |i, j| (j == 2).then_some((i + 1) as f32 * 1e19),
            |_| {},
            &["1 of the 6 columns", "`standardise`"],
            &["row 1", "`sigma`"],
        ),
        (
            "a row is far out",
            |i, j| (i == 57 && j == 4).then_some(3e20),
            |_| {},
            &["row 57 has 3.000e20 in column 4", "leave out that row", "tried again 3 times"],
            &["columns have", "`sigma`"],
        ),
        (
            "a spread of nothing",
            |_, _| None,
            |config| config.model.likelihood = "gaussian:sigma=1e-20".parse().unwrap(),
            &["a `sigma` of", "gaussian-shared"],
            &["columns have", "row "],
        ),
    ];
    for (name, change, set, said, unsaid) in cases {
        let mut config = vectors(folder.path(), change);
        set(&mut config);
        let (run, seen, outcome) = trained(&config, &Device::cpu());
        if said.is_empty() {
            assert_eq!(outcome.unwrap(), Outcome::Finished, "{name}");
            assert!(seen.retries.is_empty(), "{name}");
            continue;
        }
        let error = outcome.unwrap_err();
        assert!(matches!(error, Error::Diverged(_)), "{name}: {error}");
        let error = error.to_string();
        said.iter().for_each(|word| assert!(error.contains(word), "{name}: nothing of {word:?}: {error}"));
        unsaid.iter().for_each(|word| assert!(!error.contains(word), "{name}: {word:?} is no matter: {error}"));
        assert_eq!(seen.retries.len(), 3, "{name}");
        assert!(run.weights().iter().all(|weight| weight.is_finite()), "{name}");
        // In memory it is the same.
        let data = elbo::data::open(&config.data.parsed_source(), &elbo::apps::reading(&config)).unwrap().train;
        let error = Training::new(&data, &config).run().err().map(|error| error.to_string());
        let error = error.unwrap_or_else(|| panic!("{name} trains in memory"));
        assert!(
            error.contains("tried again 3 times") && said.iter().any(|word| error.contains(word)),
            "{name}: {error}"
        );
    }
}

/// In memory, a training comes back as well, and its history is that of what was kept.
#[test]
fn a_training_in_memory_comes_back() {
    let config = hot();
    let data = elbo::data::open(&config.data.parsed_source(), &elbo::apps::reading(&config)).unwrap().train;
    let mut seen = 0;
    let trained = Training::new(&data, &config)
        .on_epoch(|_| {
            seen += 1;
            ControlFlow::Continue(())
        })
        .run()
        .unwrap();
    let history = &trained.history().train;
    assert_eq!(history.len(), 4);
    assert!(history.iter().all(|record| record.loss.is_finite()) && history[3].retries.is_some());
    assert!(seen >= 4);
}
