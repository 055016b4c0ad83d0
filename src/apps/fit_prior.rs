//! Fitting a prior to the codes of a trained model, all else of which stays as it is.
//!
//! What comes of it is a run folder like any other: its settings name the new prior, and its checkpoint holds the model's
//! weights and moments beside those of the prior, so that it can be drawn from, measured, and trained further.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::folder::{CHECKPOINT, check_folder, check_is_free, claimed};
use super::form::{Form, build_model};
use super::retreat::Retreat;
use super::setup::{as_measured, open_data};
use super::stages::build_whole;
use crate::catalogue::{Spec, build};
use crate::config::{Binarise, Config, FILE_NAME, Schedule, TrainingConfig};
use crate::data::{Splits, choose};
use crate::distributions::PRIORS;
use crate::distributions::prior::{Fitting, Points};
use crate::error::{Error, Result};
use crate::files::{open_own, write_own};
use crate::graph::Role;
use crate::kernels::OPTIMISERS;
use crate::models::{FittedPrior, ModelConfig, parameters};
use crate::program::Executor;
use crate::training::checkpoint::Checkpoint;
use crate::training::metrics::{MAX_BYTES, Split};
use crate::training::{Given, SWAG, Session, TRAINED, Trainer};

/// Codes that a prior is started near to, at most.
const POINTS: usize = 10_000;
/// Rows that are measured at once.
const BATCH: usize = 512;
/// Files of a run that tell how its weights came about, and go with them.
const HISTORY: [&str; 5] = ["metrics.jsonl", "metrics.csv", "steps.jsonl", "steps.csv", super::TUNING];

/// How priors over codes of a kind are usually fitted.
struct Usually {
    /// The prior.
    prior: Spec,
    /// Rows per step.
    batch: usize,
    /// Priors that can be fitted.
    such_as: &'static str,
}

impl Usually {
    /// Of numbers ten Gaussians; of quantised codes a PixelCNN, which takes smaller steps of fewer rows, each of which has many indices.
    fn of(model: &ModelConfig) -> Usually {
        match model.kind.quantises {
            true => Usually { prior: Spec::new("pixelcnn"), batch: 64, such_as: "pixelcnn" },
            false => Usually {
                prior: Spec::new("mixture").with("components", 10.0),
                batch: 512,
                such_as: "mixture:components=10 or realnvp",
            },
        }
    }
}

/// How priors over indices are fitted.
const OF_INDICES: Fitting = Fitting { learning_rate: 0.001, loss: "-ln p(z)" };

/// How a prior is fitted by itself.
fn fitting(prior: &Spec) -> Fitting {
    build(PRIORS, prior).map_or(OF_INDICES, |prior| prior.fitting())
}

/// How a prior is fitted.
#[derive(Clone, Debug, PartialEq)]
pub struct PriorFit {
    /// The new prior.
    pub prior: Spec,
    /// Passes over the training rows, of each of which a new code is drawn every time.
    pub epochs: usize,
    /// Adam's step size at first; it falls to 0 along half a cosine.
    pub learning_rate: f64,
    /// Decides all that is random.
    pub seed: u64,
}

impl PriorFit {
    /// The fit that is usual for the codes of a run, and for a prior if one is given.
    ///
    /// # Errors
    /// If there is no such run.
    pub fn usual(run: &Path, prior: Option<Spec>) -> Result<PriorFit> {
        check_folder(run)?;
        let model = Config::load(&run.join(FILE_NAME))?.model;
        let prior = prior.unwrap_or_else(|| Usually::of(&model).prior);
        let learning_rate = fitting(&prior).learning_rate;
        Ok(PriorFit { prior, epochs: 10, learning_rate, seed: 0 })
    }

    /// What must be known to read the figures that come of it.
    pub fn note(&self) -> Option<&'static str> {
        build(PRIORS, &self.prior).ok().and_then(|prior| prior.note_on_likelihood())
    }

    /// What it minimises, for people.
    pub fn loss(&self) -> &'static str {
        fitting(&self.prior).loss
    }
}

/// What a prior says of held-out rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PriorFigures {
    /// The mean of −ln p(z) of codes z ~ q(z | x), in nats; of a prior that only has a bound of it, that bound.
    pub cross_entropy: f64,
    /// The evidence lower bound, in nats per example, of a model that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elbo: Option<f64>,
}

/// What came of fitting a prior.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PriorFitted {
    /// The set that figures are of.
    pub split: Split,
    /// Its rows.
    pub rows: usize,
    /// The prior as it was.
    pub before: Spec,
    /// What it says.
    pub before_figures: PriorFigures,
    /// The prior that was fitted.
    pub after: Spec,
    /// What it says.
    pub after_figures: PriorFigures,
    /// Numbers that were fitted.
    pub parameters: usize,
    /// The new run.
    pub folder: PathBuf,
}

/// A run whose prior is to be replaced.
struct Run {
    folder: PathBuf,
    config: Config,
    checkpoint: Checkpoint,
    form: Form,
    data: Splits,
}

/// Fits a prior to the codes of the training rows of a run, and writes a new run folder that has it. `each` is told the epoch and the mean of
/// what is minimised ([`PriorFit::loss`]) over its training rows.
///
/// # Errors
/// If there is no such run, it has no codes to fit a prior to, the prior does not go with it or has nothing to fit, the new
/// folder holds a run already or another process has it, numbers run away more often than is tried again, or a file or the device fails.
pub fn fit_prior(
    run: &Path,
    folder: &Path,
    fit: &PriorFit,
    open: &dyn Fn() -> Result<Box<dyn Executor>>,
    each: &mut dyn FnMut(usize, f64),
) -> Result<PriorFitted> {
    check_is_free(folder)?;
    let run = Run::open(run)?;
    let config = run.with_prior(&fit.prior)?;
    let model = FittedPrior::new(build_model(&config.model, &run.form)?)?;
    if !parameters(&model).iter().any(|parameter| parameter.role == Role::Trained) {
        return Err(Error::invalid(format!(
            "the prior `{}` has nothing to fit: give one that is learnt, such as {}",
            fit.prior,
            Usually::of(&config.model).such_as
        )));
    }
    let mut trainer = run.trainer(model, fit, open()?)?;
    let as_it_is = FittedPrior::as_it_is(build_model(&run.config.model, &run.form)?)?;
    let mut before = Session::new(Box::new(as_it_is), open()?, fit.seed);
    before.start()?;
    before.freeze(&run.checkpoint).map_err(|e| Error::malformed(&run.path(), e))?;
    run.start_near(&mut trainer, &mut before, fit.seed)?;
    let lock = claimed(folder)?;
    let mut retreat = Retreat::new(&mut trainer, &config)?;
    while trainer.state.epoch < fit.epochs as u64 {
        let kept = match trainer.epoch(&mut |_| ControlFlow::Continue(())) {
            Ok(Some(record)) => {
                each(record.epoch as usize, record.loss);
                retreat.keep(&mut trainer, &[record])
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = kept {
            retreat.go_back(error, &mut trainer, (&config, &run.data.train))?;
        }
    }
    let (split, held_out) = run.data.evaluation_split();
    let held_out = &as_measured(&run.config, held_out);
    let figures = |session: &mut Session| -> Result<PriorFigures> {
        let (record, _) = session.evaluate(split, held_out, (BATCH, 1.0))?;
        let elbo = run.config.model.kind.has_elbo().then_some(record.elbo);
        Ok(PriorFigures { cross_entropy: record.loss, elbo })
    };
    let found = PriorFitted {
        split,
        rows: held_out.rows,
        before: run.config.model.prior_of_codes(),
        before_figures: figures(&mut before)?,
        after: config.model.prior_of_codes(),
        after_figures: figures(&mut trainer.session)?,
        parameters: trainer.session.layout.count(),
        folder: folder.to_owned(),
    };
    run.write(folder, &config, &mut trainer)?;
    drop(lock);
    #[cfg(feature = "pictures")]
    super::TrainRun::resume(config, folder, open()?)?.pictures()?;
    Ok(found)
}

impl Run {
    fn open(folder: &Path) -> Result<Run> {
        check_folder(folder)?;
        let config = Config::load(&folder.join(FILE_NAME))?;
        let refused = |why: &str| Err(Error::invalid(format!("no prior can be fitted to {}: {why}", folder.display())));
        if config.first_stage.is_some() {
            return refused("it is a second stage, which is a fitted prior itself; give the run that it stands on");
        }
        let path = folder.join(CHECKPOINT);
        let checkpoint = Checkpoint::load(&path)?.into_best().map_err(|e| Error::malformed(&path, e))?;
        let form = Form::read(&checkpoint).map_err(|e| Error::malformed(&path, e))?;
        if let Err(why) = build_model(&config.model, &form)?.can().fit_prior() {
            return refused(&format!("it holds a model of the kind {}: {why}", config.model.kind));
        }
        let data = open_data(&config, Some(&form.schema))?;
        form.check(&config.model.kind, &data.train)?;
        Ok(Run { folder: folder.to_owned(), config, checkpoint, form, data })
    }

    fn path(&self) -> PathBuf {
        self.folder.join(CHECKPOINT)
    }

    fn binarise(&self) -> bool {
        self.config.data.binarise == Binarise::Dynamic
    }

    /// The settings with another prior.
    fn with_prior(&self, prior: &Spec) -> Result<Config> {
        let mut config = self.config.clone();
        config.model.prior = prior.clone();
        // It stands on one model, be that the first of several.
        config.training.members = 1;
        config.training.member = None;
        // Of the new prior no weights were taken.
        config.training.swag = 0;
        config.model.name_pieces();
        config.validate().map_err(|problem| {
            Error::invalid(format!("the prior `{prior}` does not go with {}: {problem}", self.folder.display()))
        })?;
        Ok(config)
    }

    /// What learns the prior, the rest being the run's.
    fn trainer(&self, model: FittedPrior, fit: &PriorFit, executor: Box<dyn Executor>) -> Result<Trainer> {
        let batch = Usually::of(&self.config.model).batch;
        let training = TrainingConfig {
            epochs: fit.epochs,
            batch: batch.min(self.data.train.rows),
            learning_rate: fit.learning_rate,
            schedule: Schedule::Cosine,
            warmup_steps: 0,
            kl_warmup_epochs: 0,
            kl_cycle_epochs: 0,
            clip_norm: None,
            skip_norm: 0.0,
            seed: fit.seed,
            ..crate::config::Preset::Classic.config().training
        };
        let session = Session::new(Box::new(model), executor, fit.seed);
        let mut trainer = Trainer::new(session, &self.data.train, &training, 1.0, self.binarise())?;
        trainer.session.freeze(&self.checkpoint).map_err(|e| Error::malformed(&self.path(), e))?;
        Ok(trainer)
    }

    /// Starts the prior near some codes, where it knows how.
    fn start_near(&self, trainer: &mut Trainer, codes_of: &mut Session, seed: u64) -> Result<()> {
        let data = &self.data.train;
        let chosen = choose(data.rows, POINTS.min(data.rows), seed, *b"codes\0\0\0");
        let (mut x, y) = data.gather(chosen.iter().copied());
        let known = codes_of.model.condition().width();
        let y = if known > 0 { y } else { vec![] };
        let codes = codes_of.draw_codes(Given::new(&x, &y), seed)?;
        // As the encoder takes them: scaled, where channels are, and what is known of a row behind its values.
        if let Some(scales) = data.schema.channels() {
            for pixel in x.chunks_exact_mut(scales.len()) {
                pixel.iter_mut().zip(scales).for_each(|(x, scaling)| *x = scaling.apply(f64::from(*x)) as f32);
            }
        }
        let features = data.shape().features();
        let inputs: Vec<f32> = match known {
            0 => x,
            _ => x.chunks_exact(features).zip(y.chunks_exact(known)).flat_map(|(x, y)| [x, y].concat()).collect(),
        };
        let points = Points { inputs: &inputs, codes: &codes, latent: codes_of.latent()? };
        let near = trainer.session.model.can().fit_prior()?.data_dependent_init(&points)?;
        for set in trainer.session.layout.learnt() {
            let mut tensors = trainer.session.tensors(&set, &set.values(), "")?;
            for (name, values) in &near {
                tensors.iter_mut().filter(|t| t.0 == *name).for_each(|t| t.2.clone_from(values));
            }
            trainer.session.restore(&set, &set.values(), "", &Checkpoint { tensors, ..Checkpoint::default() })?;
        }
        Ok(())
    }

    /// Writes the run folder: the checkpoint comes last, without which it is none.
    fn write(&self, folder: &Path, config: &Config, trainer: &mut Trainer) -> Result<()> {
        let fitted = trainer.checkpoint()?;
        let (learnt, mut tensors) = (trainer.session.layout.learnt(), Vec::new());
        let optimiser = build(OPTIMISERS, &config.training.optimiser)?;
        let state = optimiser.state().iter().map(|name| format!("{}.{name}.", optimiser.id()));
        let trained = (config.training.average > 0.0).then(|| TRAINED.to_string());
        for prefix in [String::new()].into_iter().chain(trained).chain(state) {
            // Of what no optimiser moves nothing is kept beside its values.
            let specs = parameters(&*build_whole(config, &self.form)?).into_iter();
            for spec in specs.filter(|spec| prefix.is_empty() || spec.role == Role::Trained) {
                let name = format!("{prefix}{}", spec.name);
                let is_of_prior = learnt.iter().any(|set| set.get(&spec.name).is_some());
                let values = match is_of_prior {
                    false => self.checkpoint.values(&name, &spec.shape)?.to_vec(),
                    true if prefix.is_empty() || prefix == TRAINED => fitted.values(&spec.name, &spec.shape)?.to_vec(),
                    // What another optimiser would have kept of it is not known: as at the start of a run.
                    true => match fitted.values(&name, &spec.shape) {
                        Ok(values) => values.to_vec(),
                        Err(_) => vec![0.0; spec.shape.iter().product()],
                    },
                };
                tensors.push((name, spec.shape, values));
            }
        }
        let text = config.to_toml()?;
        write_own(&folder.join(FILE_NAME), |file| file.write_all(text.as_bytes()))?;
        for name in HISTORY.iter().filter(|name| self.folder.join(name).is_file()) {
            let from = self.folder.join(name);
            let (mut history, _) = open_own(&from, "a list of measurements", MAX_BYTES)?;
            write_own(&folder.join(name), |mut file| std::io::copy(&mut history, &mut file).map(|_| ()))?;
        }
        let mut metadata = self.checkpoint.metadata.clone();
        metadata.remove(SWAG);
        Checkpoint { tensors, metadata }.save(&folder.join(CHECKPOINT))
    }
}
