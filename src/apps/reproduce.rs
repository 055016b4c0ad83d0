//! Rows of the literature, run again: what is trained, what is measured, and what the paper found.
//!
//! A [`Row`] names runs by the options that one would type behind `elbo train`, and checks on what they measure. Runs that
//! are there already, with the same settings and all their epochs, are not trained again.

mod judge;
mod rows;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;

use super::evaluation::{Evaluation, Wanted};
use super::reused::trained;
use super::saved::Saved;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::program::Executor;

pub use judge::Judgement;
pub use rows::ROWS;

/// Where the folder of data sets goes in the options of a run.
pub const DATA: &str = "{data}";

/// Where the folder of another run of the row goes, of the same seed: `{run:ID}`. It is trained before.
pub const RUN: &str = "{run:";

/// What a run is called that is a classifier of all labels, which judges what the others of its row draw.
pub const JUDGE: &str = "judge";

/// A row of the literature.
#[derive(Debug)]
pub struct Row {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it shows.
    pub what: &'static str,
    /// The paper, with table or figure.
    pub source: &'static str,
    /// In what it differs from the paper.
    pub differs: &'static str,
    /// How long it takes on two processor cores, roughly.
    pub takes: &'static str,
    /// What is trained.
    pub runs: &'static [Planned],
    /// What the runs are used for, besides what all are evaluated by.
    pub uses: &'static [Use],
    /// What is held against the paper.
    pub checks: &'static [Check],
}

/// A run of a row, once for each seed.
#[derive(Debug)]
pub struct Planned {
    /// What it is called in the row.
    pub id: &'static str,
    /// The options of `elbo train`, without seed and folder; [`DATA`] stands for the folder of data sets.
    pub options: &'static str,
    /// The seeds.
    pub seeds: &'static [u64],
    /// K of the importance-sampled likelihood; 0 leaves it out.
    pub samples: usize,
}

/// A figure of what a trained model is used for.
#[derive(Debug)]
pub struct Use {
    /// The run that is used.
    pub run: &'static str,
    /// What the figure is called in the row.
    pub what: &'static str,
    /// Measures it.
    pub measure: fn(&mut Saved) -> Result<f64>,
}

/// A number that a row must show.
#[derive(Debug)]
pub struct Check {
    /// What it is, with its unit.
    pub what: &'static str,
    /// What the paper has.
    pub paper: &'static str,
    /// What is accepted, in words.
    pub accepted: &'static str,
    /// The number.
    pub value: fn(&Found) -> f64,
    /// Whether it is accepted.
    pub holds: fn(f64) -> bool,
}

/// What the runs of a row measured, by run and seed.
#[derive(Debug, Default)]
pub struct Found {
    evaluations: BTreeMap<(String, u64), Evaluation>,
    judgements: BTreeMap<(String, u64), Judgement>,
    used: BTreeMap<(String, &'static str, u64), f64>,
    /// The folder of the row's judge.
    judge: Option<PathBuf>,
}

/// A check that was made.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// What was measured.
    pub what: &'static str,
    /// The number.
    pub got: f64,
    /// What the paper has.
    pub paper: &'static str,
    /// What is accepted.
    pub accepted: &'static str,
    /// Whether it is.
    pub holds: bool,
}

impl Found {
    /// A figure of a run, for each of its seeds.
    pub fn each(&self, id: &str, figure: impl Fn(&Evaluation) -> f64) -> Vec<f64> {
        self.evaluations.iter().filter(|((run, _), _)| run == id).map(|(_, evaluation)| figure(evaluation)).collect()
    }

    /// Its mean over the seeds.
    pub fn mean(&self, id: &str, figure: impl Fn(&Evaluation) -> f64) -> f64 {
        let all = self.each(id, figure);
        all.iter().sum::<f64>() / all.len() as f64
    }

    /// The share of right labels of a run, the mean over seeds.
    pub fn accuracy(&self, id: &str) -> f64 {
        self.mean(id, |e| e.record.parts.get("accuracy").copied().unwrap_or(f64::NAN))
    }

    /// What the row's judge finds of a run, the mean over seeds.
    pub fn judged(&self, id: &str, figure: impl Fn(&Judgement) -> f64) -> f64 {
        let all: Vec<f64> =
            self.judgements.iter().filter(|((run, _), _)| run == id).map(|(_, found)| figure(found)).collect();
        all.iter().sum::<f64>() / all.len() as f64
    }

    /// A figure of what a run is used for, the mean over seeds.
    pub fn used(&self, id: &str, what: &str) -> f64 {
        let of_use = self.used.iter().filter(|((run, name, _), _)| run == id && *name == what);
        let all: Vec<f64> = of_use.map(|(_, &value)| value).collect();
        all.iter().sum::<f64>() / all.len() as f64
    }

    /// −ln p(x) of a run in nats, the mean over seeds.
    pub fn nll(&self, id: &str) -> f64 {
        self.mean(id, |e| e.importance.map_or(f64::NAN, |found| found.nll))
    }

    /// A score against known factors of a run, for each of its seeds.
    pub fn scores(&self, id: &str, score: &str) -> Vec<f64> {
        self.each(id, |e| e.disentanglement.get(score).map_or(f64::NAN, |s| s.value))
    }

    /// A distance of the codes from the prior of a run, the mean over seeds.
    pub fn distance(&self, id: &str, distance: &str) -> f64 {
        self.mean(id, |e| e.aggregate_posterior.get(distance).map_or(f64::NAN, |d| d.value))
    }
}

impl Planned {
    /// The words behind `elbo train`, with the folders of data and of the row's runs in their places.
    pub fn words(&self, seed: u64, data: &Path, folder: &Path) -> Vec<String> {
        let word = |word: &str| -> String {
            let run = word.strip_prefix(RUN).and_then(|rest| rest.strip_suffix('}'));
            match run {
                Some(id) => folder.join(format!("{id}-{seed}")).display().to_string(),
                None => word.replace(DATA, &data.display().to_string()),
            }
        };
        self.options.split_whitespace().map(word).chain(["--seed".to_string(), seed.to_string()]).collect()
    }

    /// Whether it stands on another run of its row, and is only understood once that is there.
    pub fn stands_on_another(&self) -> bool {
        self.options.contains(RUN)
    }
}

impl Row {
    /// The row of a name.
    ///
    /// # Errors
    /// If there is none: what there is.
    pub fn find(name: &str) -> Result<&'static Row> {
        ROWS.iter().copied().find(|row| row.name == name).ok_or_else(|| {
            let names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
            Error::invalid(format!("no row of the literature is named `{name}`; there are {}", names.join(", ")))
        })
    }

    /// The checks on what the runs measured.
    pub fn verdicts(&self, found: &Found) -> Vec<Verdict> {
        let verdict = |check: &Check| {
            let got = (check.value)(found);
            let &Check { what, paper, accepted, holds, .. } = check;
            Verdict { what, got, paper, accepted, holds: holds(got) }
        };
        self.checks.iter().map(verdict).collect()
    }
}

/// Trains a run into a folder, unless it stands there already, evaluates and uses it, and keeps what was found. Gives the seconds that took.
///
/// # Errors
/// If the folder holds another run, or anything fails; [`Error::Interrupted`] if `stop` says so.
pub fn perform(
    (planned, uses): (&Planned, &[Use]),
    config: &Config,
    folder: &Path,
    open: &dyn Fn() -> Result<Box<dyn Executor>>,
    stop: &dyn Fn() -> bool,
    found: &mut Found,
) -> Result<f64> {
    let started = Instant::now();
    trained(config, (folder, true), open, stop)?;
    let mut saved = Saved::open(folder, open()?)?;
    let splits = saved.data()?;
    let (split, data) = splits.evaluation_split();
    let samples = (planned.samples > 0).then_some(planned.samples);
    let wanted = Wanted { samples, codes: true, factors: false, seed: 0 };
    let evaluation = saved.evaluate(split, data, wanted)?;
    evaluation.save(folder)?;
    let key = (planned.id.to_string(), config.training.seed);
    for of in uses.iter().filter(|of| of.run == planned.id) {
        found.used.insert((key.0.clone(), of.what, key.1), (of.measure)(&mut saved)?);
    }
    let draws = saved.session.model.can().generate.is_some();
    drop(saved);
    match &found.judge {
        Some(judge) if draws => {
            found.judgements.insert(key.clone(), judge::judge(judge, folder, open)?);
        }
        _ if planned.id == JUDGE => found.judge = Some(folder.to_owned()),
        _ => {}
    }
    found.evaluations.insert(key, evaluation);
    Ok(started.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn rows_are_whole() {
        let mut names = HashSet::new();
        for row in ROWS {
            assert!(names.insert(row.name), "{} is there twice", row.name);
            assert!(!row.runs.is_empty() && !row.checks.is_empty(), "{}", row.name);
            let mut ids = HashSet::new();
            for run in row.runs {
                assert!(ids.insert(run.id) && !run.seeds.is_empty(), "{}: {}", row.name, run.id);
                let other = run.options.split_once(RUN).and_then(|(_, rest)| rest.split_once('}')).map(|(id, _)| id);
                assert!(other.is_none_or(|id| ids.contains(id)), "{}: {} stands on nothing", row.name, run.id);
            }
            assert!(
                row.uses.iter().all(|of| ids.contains(of.run)),
                "{}: something that is not trained is used",
                row.name
            );
            // Of nothing, nothing holds.
            for verdict in row.verdicts(&Found::default()) {
                assert!(!verdict.holds, "{}: {} holds of nothing", row.name, verdict.what);
            }
        }
    }
}
