//! What each piece costs: the training step of the plain VAE with another posterior, prior, objective or likelihood, in turn
//! with the plain step in the same process, since what else runs on a machine changes from minute to minute.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::steps::{Bench, round, warm_up};
use super::workload::Workload;
use crate::catalogue::{About, Kind, Piece, Spec};
use crate::config::{Config, ModelConfig, Preset};
use crate::distributions::{LIKELIHOODS, POSTERIORS, PRIORS};
use crate::error::{Error, Result};
use crate::objectives::OBJECTIVES;
use crate::program::Executor;
use crate::training::Trainer;

/// How fast a step with one piece is, beside the plain VAE's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PieceFigures {
    /// The workload.
    pub step: String,
    /// Rows per step.
    pub batch: usize,
    /// Which part of the VAE it stands for, as the option of `elbo train` is called.
    pub kind: String,
    /// The piece, with the settings that are not as usual.
    pub piece: String,
    /// What had to change besides, since the plain part does not go with it: kind and piece.
    pub beside: Vec<[String; 2]>,
    /// Kernel calls per step.
    pub dispatches: usize,
    /// The median over rounds.
    pub samples_per_second: f64,
    /// The slowest and the fastest round.
    pub spread: [f64; 2],
    /// A step's time over the plain one's: the ratio of the medians of rounds that were run in turn.
    pub cost: f64,
    /// The least and the largest ratio of two rounds beside each other.
    pub cost_spread: [f64; 2],
    /// Times per step that the host stopped for the device while it sent steps, none being under way: 0, unless a step needs
    /// the host in its midst.
    pub waits_per_step: f64,
    /// Buffers, bind groups and pipelines made per step.
    pub objects_per_step: f64,
}

/// A piece to measure: the part it stands for, and the VAE with it.
#[derive(Clone, Debug)]
pub struct PieceCase {
    kind: Kind,
    piece: Spec,
    model: ModelConfig,
}

/// How long rounds are.
#[derive(Clone, Copy, Debug)]
pub struct PieceTiming {
    /// Rounds of the plain step and of the piece's, of which the median is given.
    pub rounds: usize,
    /// The time of one; a third of it is warmed up for.
    pub round: Duration,
}

/// A piece at its usual settings, but for the VampPrior, which has the 500 components of its paper, and the categorical
/// likelihood, whose 256 outputs a feature would take 80 million parameters: it has 16 levels.
fn usual(about: &About) -> Spec {
    match about.id {
        "vampprior" => Spec::new(about.id).with("components", 500.0),
        "categorical" => Spec::new(about.id).with("levels", 16.0),
        id => Spec::new(id),
    }
}

fn specs<T: ?Sized>(list: &'static [&'static Piece<T>]) -> impl Iterator<Item = Spec> {
    list.iter().map(|piece| usual(&piece.about))
}

fn part(model: &mut ModelConfig, kind: Kind) -> &mut Spec {
    match kind {
        Kind::Likelihood => &mut model.likelihood,
        Kind::Posterior => &mut model.posterior,
        Kind::Prior => &mut model.prior,
        Kind::Network => &mut model.encoder,
        Kind::MissingMechanism => &mut model.missing_mechanism,
        Kind::WeightDistribution => &mut model.network_weights,
        Kind::Objective | Kind::Model | Kind::KlSchedule | Kind::Optimiser | Kind::Corruption => &mut model.objective,
    }
}

/// The plain VAE with a piece, and where it does not go with the plain posterior or prior, with the first that it goes with.
fn fitting(plain: &ModelConfig, kind: Kind, piece: &Spec, batch: usize) -> Option<ModelConfig> {
    let pairs = specs(POSTERIORS).flat_map(|posterior| specs(PRIORS).map(move |prior| (posterior.clone(), prior)));
    let first = (plain.posterior.clone(), plain.prior.clone());
    std::iter::once(first).chain(pairs).find_map(|(posterior, prior)| {
        let mut model = ModelConfig { posterior, prior, ..plain.clone() };
        *part(&mut model, kind) = piece.clone();
        let mut config = Config { model: model.clone(), ..Preset::Classic.config() };
        config.training.batch = batch;
        config.validate().is_ok().then_some(model)
    })
}

/// Every posterior, prior, objective and likelihood but the plain VAE's own.
///
/// # Errors
/// If a piece goes with nothing at this batch.
pub fn piece_cases(workload: &Workload, batch: usize) -> Result<Vec<PieceCase>> {
    let plain = workload.model_config();
    let kinds = [Kind::Posterior, Kind::Prior, Kind::Objective, Kind::Likelihood];
    let all = kinds.into_iter().flat_map(|kind| {
        let pieces: Vec<Spec> = match kind {
            Kind::Posterior => specs(POSTERIORS).collect(),
            Kind::Prior => specs(PRIORS).collect(),
            Kind::Objective => specs(OBJECTIVES).collect(),
            _ => specs(LIKELIHOODS).collect(),
        };
        pieces.into_iter().map(move |piece| (kind, piece))
    });
    let others = all.filter(|(kind, piece)| part(&mut plain.clone(), *kind) != piece);
    let case = |(kind, piece): (Kind, Spec)| match fitting(&plain, kind, &piece, batch) {
        Some(model) => Ok(PieceCase { kind, piece, model }),
        None => Err(Error::invalid(format!(
            "the {} `{piece}` cannot be measured at a batch of {batch}: give a --batch of 2 or more",
            kind.key()
        ))),
    };
    others.map(case).collect()
}

impl PieceCase {
    /// The piece's name.
    pub fn name(&self) -> String {
        format!("{} {}", self.kind.key(), self.piece)
    }

    /// The posterior or prior that stands in place of the plain one.
    fn beside(&self) -> Vec<[String; 2]> {
        let (mut model, mut plain) = (self.model.clone(), Preset::Classic.config().model);
        let others = [Kind::Posterior, Kind::Prior].into_iter().filter(|kind| *kind != self.kind);
        let changed = others.filter(|kind| part(&mut model, *kind) != part(&mut plain, *kind)).collect::<Vec<_>>();
        changed.into_iter().map(|kind| [kind.key().to_string(), part(&mut model, kind).to_string()]).collect()
    }
}

/// A step that is warm, with how many are sent at once.
struct Runner {
    trainer: Trainer,
    chunk: usize,
    rates: Vec<f64>,
}

impl Runner {
    fn new(
        workload: &Workload,
        model: &ModelConfig,
        batch: usize,
        executor: Box<dyn Executor>,
        time: Duration,
    ) -> Result<Runner> {
        let mut trainer = Bench::with(workload, model, batch, executor)?.trainer;
        trainer.steps(1)?;
        let chunk = warm_up(&mut trainer, time)?;
        Ok(Runner { trainer, chunk, rates: vec![] })
    }

    fn round(&mut self, batch: usize, time: Duration) -> Result<()> {
        self.rates.push(batch as f64 * round(&mut self.trainer, self.chunk, time)?.0);
        Ok(())
    }

    /// Waits and objects per step of steps that are sent while none are under way.
    fn made(&mut self) -> Result<[f64; 2]> {
        self.trainer.settle()?;
        let before = self.trainer.session.executor.counters();
        self.trainer.send(self.chunk)?;
        let made = self.trainer.session.executor.counters() - before;
        self.trainer.settle()?;
        let steps = self.chunk as f64;
        Ok([made.waits as f64 / steps, (made.buffers + made.bind_groups + made.pipelines) as f64 / steps])
    }
}

/// Times the plain step and that of each case in turn, and calls `told` before each. The first of the figures are the plain
/// step's own.
///
/// # Errors
/// If the device fails.
pub fn measure_pieces(
    workload: &Workload,
    batch: usize,
    open: &mut dyn FnMut() -> Result<Box<dyn Executor>>,
    timing: PieceTiming,
    told: &mut dyn FnMut(&str),
) -> Result<Vec<PieceFigures>> {
    let cases = piece_cases(workload, batch)?;
    let mut plain = Runner::new(workload, &workload.model_config(), batch, open()?, timing.round / 3)?;
    let mut all = Vec::new();
    for (i, case) in cases.iter().enumerate() {
        told(&format!("{} ({} of {})", case.name(), i + 1, cases.len()));
        let mut runner = Runner::new(workload, &case.model, batch, open()?, timing.round / 3)?;
        let first = plain.rates.len();
        for _ in 0..timing.rounds {
            plain.round(batch, timing.round)?;
            runner.round(batch, timing.round)?;
        }
        let labels = (case.kind.key().to_string(), case.piece.to_string(), case.beside());
        all.push(figures(workload, labels, &mut runner, &plain.rates[first..], batch)?);
    }
    let rates = plain.rates.clone();
    let labels = ("model".to_string(), "vae".to_string(), vec![]);
    all.insert(0, figures(workload, labels, &mut plain, &rates, batch)?);
    Ok(all)
}

/// What a step measured, beside the rounds of the plain one.
fn figures(
    workload: &Workload,
    (kind, piece, beside): (String, String, Vec<[String; 2]>),
    runner: &mut Runner,
    plain: &[f64],
    batch: usize,
) -> Result<PieceFigures> {
    let [waits_per_step, objects_per_step] = runner.made()?;
    let mut ratios: Vec<f64> = plain.iter().zip(&runner.rates).map(|(plain, rate)| plain / rate).collect();
    let (_, cost_spread) = super::median(&mut ratios);
    let (samples_per_second, spread) = super::median(&mut runner.rates.clone());
    Ok(PieceFigures {
        step: workload.name.to_string(),
        batch,
        kind,
        piece,
        beside,
        dispatches: runner.trainer.program()?.calls.len(),
        samples_per_second,
        spread,
        cost: super::median(&mut plain.to_vec()).0 / samples_per_second,
        cost_spread,
        waits_per_step,
        objects_per_step,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_finds_what_it_goes_with() {
        let cases = piece_cases(&Workload::CLASSIC, 128).unwrap();
        let total = POSTERIORS.len() + PRIORS.len() + OBJECTIVES.len() + LIKELIHOODS.len();
        assert_eq!(cases.len(), total - 4, "all but the four plain ones");
        for case in &cases {
            let beside: Vec<String> = case.beside().into_iter().map(|[_, piece]| piece).collect();
            // Categorical codes and those of a sphere want a posterior and a prior of their own; all else goes with the plain parts.
            let expected: &[&str] = match case.piece.id.as_str() {
                "gumbel-softmax" => &["uniform-categorical"],
                "uniform-categorical" => &["gumbel-softmax"],
                "power-spherical" => &["uniform-sphere"],
                "uniform-sphere" => &["power-spherical"],
                _ => &[],
            };
            assert_eq!(beside, expected, "{}", case.name());
        }
        // A single row has no pairs to compare.
        assert!(piece_cases(&Workload::CLASSIC, 1).unwrap_err().to_string().contains("--batch of 2"));
    }
}
