//! The same run by the engine: what `elbo train` does between reading its data and writing its files.
//!
//! `folder.rs` does that too; here rows may be floats, and the codes of the evaluation are seen.

use std::ops::ControlFlow;

use elbo::apps::{Form, build_model};
use elbo::catalogue::Spec;
use elbo::config::{Augment, Binarise, Config, Schedule};
use elbo::data::{Dataset, Shape, Split, Values};
use elbo::engine::nn::Activation;
use elbo::engine::program::Executor;
use elbo::engine::training::checkpoint::NamedTensor;
use elbo::engine::training::metrics::{EpochRecord, StepRecord};
use elbo::engine::training::{Session, Trainer};

use super::densities::Density;
use super::figures::{CODES, Figures, Kind};
use super::rows::{Numbers, Rows};
use super::settings::{Bend, Decay, Settings};

/// The settings in the engine's words.
pub fn config(settings: &Settings) -> Config {
    let mut config = Config::default();
    let model = &mut config.model;
    model.kind = if settings.variational { "vae".parse().unwrap() } else { "ae".parse().unwrap() };
    (model.latent, model.beta) = (settings.latent, settings.beta);
    let activation = match settings.bend {
        Bend::Tanh => Activation::Tanh,
        Bend::Relu => Activation::Relu,
    };
    model.encoder = Spec::new("mlp").with("hidden", &settings.hidden[..]).with("activation", activation);
    let likelihood = match settings.density {
        Density::Bernoulli => "bernoulli".to_string(),
        Density::Gaussian(sigma) => format!("gaussian:sigma={sigma}"),
        Density::SquaredError => "gaussian".to_string(),
    };
    model.likelihood = likelihood.parse().expect("a likelihood");
    config.data.binarise = if settings.binarise { Binarise::Dynamic } else { Binarise::Never };
    let t = &mut config.training;
    t.augment = settings.changes.map(|c| Augment {
        flip: c.flips,
        flip_vertical: c.flips,
        shift: c.shift as u32,
        crop: c.crop as u32,
    });
    (t.epochs, t.batch, t.seed, t.log_every) = (settings.epochs, settings.batch, settings.seed, 1);
    (t.learning_rate, t.warmup_steps, t.clip_norm) = (settings.learning_rate, settings.warmup, settings.clip);
    (t.kl_warmup_epochs, t.kl_cycle_epochs) = (settings.kl_warmup, settings.kl_cycle);
    let [beta1, beta2] = settings.decays;
    t.optimiser = Spec::new("adam").with("beta1", beta1).with("beta2", beta2).with("epsilon", settings.epsilon);
    t.schedule = match settings.decay {
        Decay::Never => Schedule::Constant,
        Decay::Cosine => Schedule::Cosine,
        Decay::Steps(every, factor) => {
            (t.step_every, t.step_factor) = (every, factor);
            Schedule::Step
        }
    };
    config.validate().expect("settings that make sense");
    config
}

fn dataset(name: &str, settings: &Settings, rows: &Rows) -> Dataset {
    let values = match &rows.numbers {
        Numbers::Bytes(bytes) => Values::Bytes(bytes.clone()),
        Numbers::Floats(floats) => Values::Floats(floats.clone()),
    };
    let vector = Shape::vector(rows.features);
    let shape = settings.changes.map_or(vector, |c| Shape { height: c.height, width: c.width, channels: c.channels });
    Dataset::new(name, values, shape).expect("whole rows")
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// What a checkpoint holds at the start: parameters and, all of them 0 as yet, their moments.
pub fn add_start(figures: &mut Figures, tensors: &[NamedTensor]) {
    add(figures, Kind::Start, "at the start", &tensors[..tensors.len() / 3]);
    let mut moments = tensors[tensors.len() / 3..].iter().flat_map(|(.., values)| values);
    assert!(moments.all(|&moment| moment == 0.0));
}

/// What a checkpoint holds at the end.
pub fn add_end(figures: &mut Figures, tensors: &[NamedTensor]) {
    let count = tensors.len() / 3;
    add(figures, Kind::End, "at the end", &tensors[..count]);
    add(figures, Kind::Moments, "first moment", &tensors[count..2 * count]);
    add(figures, Kind::Moments, "second moment", &tensors[2 * count..]);
}

fn add(figures: &mut Figures, kind: Kind, what: &str, tensors: &[NamedTensor]) {
    for (name, _, values) in tensors {
        let name = name.trim_start_matches("adam.first.").trim_start_matches("adam.second.");
        figures.add(kind, format!("{name}: {what}"), wide(values));
    }
}

/// What is told of a step.
pub fn add_step(figures: &mut Figures, step: &StepRecord) {
    let told = [step.loss, step.reconstruction, step.kl, step.gradient_norm.expect("it is told")];
    for (name, value) in ["loss", "reconstruction", "KL", "gradient norm"].into_iter().zip(told) {
        figures.add(Kind::Training, format!("{name} of step {}", step.step - 1), vec![value]);
    }
}

/// What is told of an epoch of training.
pub fn add_epoch(figures: &mut Figures, record: &EpochRecord) {
    let told = vec![record.loss, record.reconstruction, record.kl, record.gradient_norm.expect("it is told")];
    figures.add(Kind::Training, format!("means of epoch {}", record.epoch - 1), told);
}

/// What an evaluation tells.
pub fn add_held_out(figures: &mut Figures, record: &EpochRecord) {
    figures.add(Kind::HeldOut, "ELBO", vec![record.elbo]);
    figures.add(Kind::HeldOut, "terms of the ELBO", vec![record.loss, record.reconstruction, record.kl]);
    figures.add(Kind::HeldOut, "KL per dimension", record.kl_per_dimension.clone());
    figures.add(Kind::HeldOut, "active units", vec![record.active_units.expect("it is told") as f64]);
}

/// Trains on a device, and evaluates what was held out.
pub fn run(settings: &Settings, train: &Rows, held_out: &Rows, executor: Box<dyn Executor>) -> Figures {
    let (config, mut figures) = (config(settings), Figures::default());
    let [train, held_out] =
        [("train", train), ("held out", held_out)].map(|(name, rows)| dataset(name, settings, rows));
    let model = build_model(&config.model, &Form::of(&config.model.kind, &train)).expect("the pieces are there");
    let session = Session::new(model, executor, config.training.seed);
    let mut trainer =
        Trainer::new(session, &train, &config.training, config.model.beta, settings.binarise).expect("it fits");
    add_start(&mut figures, &trainer.checkpoint().expect("a checkpoint").tensors);
    for _ in 0..settings.epochs {
        let record = trainer.epoch(&mut |progress| {
            progress.steps.iter().for_each(|step| add_step(&mut figures, step));
            ControlFlow::Continue(())
        });
        add_epoch(&mut figures, &record.expect("nothing fails").expect("nothing breaks it off"));
    }
    add_end(&mut figures, &trainer.checkpoint().expect("a checkpoint").tensors);
    let held_out = if settings.binarise { held_out.black_and_white(0) } else { held_out };
    let how = (settings.batch, config.model.beta);
    let (record, codes) = trainer.session.evaluate(Split::Test, &held_out, how).expect("nothing fails");
    add_held_out(&mut figures, &record);
    figures.add(Kind::HeldOut, CODES, wide(&codes));
    figures
}
