//! Several devices train one model: whatever it is made of, losses are those of one device, and a run goes on on any number of them.

use std::ops::ControlFlow;

use crate::common::pieces;
use crate::runs::{Run, StopAt, small};

use elbo::apps::{Outcome, Team, TrainRun};
use elbo::config::{Binarise, Config};
use elbo::data::Dataset;
use elbo::engine::models::{ARCHITECTURES, LabelUse};
use elbo::engine::nn::NETWORKS;
use elbo::engine::objectives::OBJECTIVES;
use elbo::engine::training::metrics::StepRecord;

/// Sprites with their labels, as a model of a configuration is given them.
fn data(config: &Config) -> Dataset {
    let data = elbo::data::open(&config.data.parsed_source(), &config.data.options(0)).unwrap().train;
    if config.model.kind.is_conditional() { data.conditioned(config.data.condition).unwrap() } else { data }
}

/// What is told of every step on these devices.
fn steps(config: &Config, devices: &str) -> Vec<StepRecord> {
    let mut config = config.clone();
    config.device.device = "cpu".parse().unwrap();
    config.device.devices = Some(devices.parse().unwrap());
    let mut steps = vec![];
    let data = data(&config);
    let training = elbo::Training::new(&data, &config).on_step(|step| {
        steps.push(StepRecord { samples_per_second: None, ..step.clone() });
        ControlFlow::Continue(())
    });
    training.run().unwrap_or_else(|error| panic!("{}, {}: {error}", config.model.kind, config.model.objective));
    steps
}

/// The largest difference of losses and of each of their terms, relative to the largest that the loss or the term is in the run: what is a
/// difference of large terms may pass through 0.
fn apart(found: &[StepRecord], expected: &[StepRecord]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let figures = |step: &StepRecord| {
        let all = [step.loss, step.reconstruction, step.kl].into_iter().chain(step.parts.values().copied());
        all.collect::<Vec<_>>()
    };
    let [found, expected] = [found, expected].map(|steps| steps.iter().map(figures).collect::<Vec<_>>());
    let of_figure = |i: usize| {
        let largest =
            expected.iter().fold(f64::MIN_POSITIVE, |largest, step| largest.max(step[i].abs()).max(step[0].abs()));
        found.iter().zip(&expected).fold(0.0f64, |far, (a, b)| far.max((a[i] - b[i]).abs() / largest))
    };
    (0..expected[0].len()).map(of_figure).fold(0.0, f64::max)
}

/// The largest difference of the norms of gradients, relative to the largest of them.
fn norms_apart(found: &[StepRecord], expected: &[StepRecord]) -> f64 {
    let largest = expected.iter().filter_map(|step| step.gradient_norm).fold(f64::MIN_POSITIVE, f64::max);
    let apart = |(a, b): (&StepRecord, &StepRecord)| match (a.gradient_norm, b.gradient_norm) {
        (Some(a), Some(b)) => (a - b).abs() / largest,
        (a, b) => {
            if a == b {
                0.0
            } else {
                f64::INFINITY
            }
        }
    };
    found.iter().zip(expected).map(apart).fold(0.0, f64::max)
}

/// What rounding makes of the order of sums, over the steps of these runs.
const ROUNDING: f64 = 5e-6;

/// 30 rows in batches of 7, so that parts have unequal rows and the last batch is short: 5 steps an epoch.
fn uneven() -> Config {
    let mut config = small();
    (config.data.count, config.data.validation) = (Some(30), 0);
    (config.training.epochs, config.training.batch, config.training.kl_warmup_epochs) = (2, 7, 1);
    config.training.clip_norm = None;
    config
}

/// A way of training, as it changes settings.
type Way = fn(&mut Config);

/// Two and three parts come to what one device does.
fn check(config: &Config, what: &str) {
    let expected = steps(config, "cpu");
    assert_eq!(expected.len(), 10, "{what}");
    for devices in ["cpu,cpu", "cpu,cpu,cpu"] {
        let found = steps(config, devices);
        let far = apart(&found, &expected);
        assert!(far < ROUNDING, "{what} on {devices}: {far:e}");
        let far = norms_apart(&found, &expected);
        assert!(far < 20.0 * ROUNDING, "gradients of {what} on {devices}: {far:e}");
    }
}

#[test]
fn every_model_is_the_same_on_several_devices() {
    for &kind in ARCHITECTURES.iter().filter(|kind| !kind.stands_on_vae) {
        let mut config = uneven();
        config.model.kind = pieces::small_model(kind);
        if !kind.is_variational {
            config.training.kl_warmup_epochs = 0;
        }
        if kind.labels == LabelUse::Learnt {
            config.data.labels = Some(9);
        }
        check(&config, kind.about.id);
    }
}

#[test]
fn every_objective_is_the_same_on_several_devices() {
    for piece in OBJECTIVES {
        let mut config = uneven();
        config.model.objective = pieces::small(&piece.about);
        check(&config, piece.about.id);
    }
}

#[test]
fn every_network_is_the_same_on_several_devices() {
    for piece in NETWORKS {
        let mut config = uneven();
        config.model.encoder = pieces::small(&piece.about);
        check(&config, piece.about.id);
    }
}

#[test]
fn every_pair_of_posterior_and_prior_is_the_same_on_several_devices() {
    for (posterior, prior) in pieces::pairs() {
        let mut config = uneven();
        let what = format!("{posterior} and {prior}");
        (config.model.posterior, config.model.prior) = (posterior, prior);
        check(&config, &what);
    }
}

#[test]
fn every_way_of_training_is_the_same_on_several_devices() {
    /// A kind of model without a KL to warm up.
    fn of_kind(config: &mut Config, kind: &str) {
        (config.model.kind, config.training.kl_warmup_epochs) = (kind.parse().unwrap(), 0);
    }
    let ways: [(&str, Way); 15] = [
        ("accumulate", |config| config.training.accumulate = 2),
        ("average", |config| config.training.average = 0.9),
        ("skip", |config| (config.training.skip_norm, config.training.average) = (12.0, 0.9)),
        ("swag", |config| (config.training.swag, config.training.swag_start) = (2, 0.0)),
        ("augment", |config| config.training.augment = Some("flip,shift=1".parse().unwrap())),
        ("corrupt", |config| config.training.corrupt = Some("gaussian:sigma=0.3".parse().unwrap())),
        ("binarise", |config| config.data.binarise = Binarise::Dynamic),
        ("class-balance", |config| config.training.class_balance = true),
        ("network-weights", |config| config.model.network_weights = "bayes-by-backprop".parse().unwrap()),
        ("residual", |config| of_kind(config, "vq-vae:codes=8,residual=2")),
        ("codebook", |config| of_kind(config, "vq-vae:codes=8,codebook=gradient")),
        ("levels", |config| {
            let (kind, encoder) = pieces::two_levels();
            of_kind(config, &kind.to_string());
            (config.model.encoder, config.model.latent) = (encoder, 32);
            config.model.prior = "pixelcnn:channels=4,layers=1".parse().unwrap();
        }),
        ("pixelcnn", |config| {
            of_kind(config, "vq-vae:codes=8");
            config.model.prior = "pixelcnn:channels=4,layers=1".parse().unwrap();
        }),
        ("spectral", |config| of_kind(config, "rae:regulariser=spectral")),
        ("gradient-penalty", |config| of_kind(config, "rae:regulariser=gradient-penalty")),
    ];
    for (what, way) in ways {
        let mut config = uneven();
        way(&mut config);
        check(&config, what);
    }
    // What is compared sees that a way is another.
    let [plain, averaged] = [1, 2].map(|accumulate| {
        let mut config = uneven();
        config.training.accumulate = accumulate;
        steps(&config, "cpu,cpu")
    });
    assert!(apart(&averaged, &plain) > 1e-3 && norms_apart(&averaged, &plain) > 1e-3);
}

#[test]
fn a_run_goes_on_on_another_number_of_devices() {
    let on = |devices: &str| {
        let mut config = small();
        config.training.epochs = 2;
        config.device.devices = Some(devices.parse().unwrap());
        config
    };
    let start = |run: &Run, config: &Config, watcher: &mut StopAt| {
        let team = Team::open(&config.device).unwrap();
        TrainRun::start_on(None, config.clone(), run.path(), team).unwrap().train(watcher).unwrap()
    };
    let resume = |run: &Run, config: &Config| {
        let team = Team::open(&config.device).unwrap();
        TrainRun::resume_on(config.clone(), run.path(), team, false).unwrap().train(&mut StopAt::never()).unwrap()
    };
    let (whole, two) = (Run::new(), on("cpu,cpu"));
    assert_eq!(start(&whole, &two, &mut StopAt::never()), Outcome::Finished);
    for devices in ["cpu,cpu", "cpu", "cpu,cpu,cpu"] {
        let broken = Run::new();
        // Within the second epoch.
        assert_eq!(start(&broken, &two, &mut StopAt::step(8)), Outcome::Stopped);
        assert_eq!(resume(&broken, &on(devices)), Outcome::Finished);
        assert_eq!(broken.steps().len(), whole.steps().len());
        let far = apart(&broken.steps(), &whole.steps());
        assert!(far < ROUNDING, "{devices}: {far:e}");
        assert_eq!(broken.kept() == whole.kept(), devices == "cpu,cpu", "{devices}: on as many, the same bits");
    }
}
