//! The figures of an ensemble, of those of its members.

#![allow(clippy::disallowed_methods, reason = "figures, which no program takes")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::apps::Saved;
use crate::apps::members::Several;
use crate::data::Dataset;
use crate::error::Result;
use crate::training::Importance;
use crate::training::metrics::EpochRecord;

/// Rows that are classified at once.
const PART: usize = 1024;

/// A member of an ensemble by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberFigures {
    /// Its number, from 1 on.
    pub member: usize,
    /// The objective.
    pub loss: f64,
    /// The evidence lower bound; of a model without one, minus its loss.
    pub elbo: f64,
    /// The estimate of −ln p(x).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nll: Option<f64>,
    /// How many labels are told right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
}

impl MemberFigures {
    pub(super) fn of(place: usize, record: &EpochRecord, importance: Option<&Importance>) -> MemberFigures {
        MemberFigures {
            member: place + 1,
            loss: record.loss,
            elbo: record.elbo,
            nll: importance.map(|found| found.nll),
            accuracy: record.parts.get("accuracy").copied(),
        }
    }
}

/// The means of the members' figures. What belongs to dimensions of codes, which each member has of its own, is the first's.
pub(super) fn mean(records: &[EpochRecord]) -> EpochRecord {
    let count = records.len() as f64;
    let of = |figure: &dyn Fn(&EpochRecord) -> f64| records.iter().map(figure).sum::<f64>() / count;
    let of_known = |figure: fn(&EpochRecord) -> Option<f64>| {
        let all: Option<Vec<f64>> = records.iter().map(figure).collect();
        all.map(|all| all.iter().sum::<f64>() / count)
    };
    let first = &records[0];
    let part = |name: &String| (name.clone(), of(&|record| record.parts.get(name).copied().unwrap_or(f64::NAN)));
    let seconds: Option<f64> = records.iter().map(|record| record.seconds).sum();
    EpochRecord {
        loss: of(&|record| record.loss),
        elbo: of(&|record| record.elbo),
        reconstruction: of(&|record| record.reconstruction),
        kl: of(&|record| record.kl),
        bits_per_dimension: of_known(|record| record.bits_per_dimension),
        parts: first.parts.keys().map(part).collect::<BTreeMap<_, _>>(),
        samples_per_second: of_known(|record| record.samples_per_second).map(|rate| rate / count),
        seconds,
        ..first.clone()
    }
}

/// What must be known to read the figures of so many members.
/// `has_bound` says whether there is a bound on ln p(x), and `has_estimate` whether there is an estimate of it.
pub(super) fn note(several: Several, members: usize, [has_bound, has_estimate]: [bool; 2]) -> String {
    let what = match several {
        Several::Members => format!("an ensemble of {members} models"),
        Several::Draws => format!("{members} draws of the weights, each of which counts as a member here"),
    };
    let bound = if has_bound { ", the ELBO being a bound on ln p(x) of their mixture" } else { "" };
    let estimate =
        if has_estimate { "-ln p(x) is that of the mixture, of the mean of the members' p(x); " } else { "" };
    format!(
        "These are figures of {what}: losses, the ELBO and its parts are means over its members{bound}; {estimate}rows are rebuilt, and labels \
         told, by the mean of the members. What is said of codes is of the first member, as each has codes of its own."
    )
}

impl Saved {
    /// −ln of the mean of the members' q(y | x), y being the label of each row, and the share of labels that are the likeliest by that mean; rows
    /// count as they are weighed. `None` where the rows have no labels, or the model tells none.
    pub(super) fn told_by_all(&mut self, data: &Dataset) -> Result<Option<[f64; 2]>> {
        let classes = self.form.classes.len();
        let Some(labels) = data.conditions.as_ref().filter(|found| found.width == classes) else { return Ok(None) };
        if self.session.model.can().classify.is_none() || labels.width == 0 {
            return Ok(None);
        }
        let [mut loss, mut right] = [0.0; 2];
        for start in (0..data.rows).step_by(PART) {
            let (x, y) = data.gather(start..data.rows.min(start + PART));
            let members = self.session.each_member(|session| session.classify(&x))?;
            for (row, y) in y.chunks_exact(classes).enumerate() {
                let mean = |class: usize| {
                    members.iter().map(|of| f64::from(of[row * classes + class])).sum::<f64>() / members.len() as f64
                };
                let told: Vec<f64> = (0..classes).map(mean).collect();
                let best = (0..classes).fold(0, |best, class| if told[class] > told[best] { class } else { best });
                let weight = data.weight(start + row);
                loss -= weight * told.iter().zip(y).map(|(p, y)| p * f64::from(*y)).sum::<f64>().ln();
                right += weight * f64::from(y[best]);
            }
        }
        Ok(Some([loss, right].map(|sum| sum / data.rows as f64)))
    }
}
