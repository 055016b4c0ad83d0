//! The figures of an evaluation for people: each with its name, its unit, and what it means in plain words.

use super::{Distance, Evaluation, Score};
use crate::apps::ColumnFigures;
use crate::distributions::Measure;
use crate::evaluation::{DISTANCES, METRICS};
use crate::spoken::{count, significant};

/// A figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its name; two spaces stand before that of a figure which says something of the one above it.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The unit, and over what it is a mean.
    pub unit: String,
    /// What it means.
    pub meaning: &'static str,
}

/// A figure beside what it is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What is measured.
    pub name: String,
    /// The figure, and what stands beside it.
    pub values: [String; 3],
    /// How it is computed, in words.
    pub meaning: &'static str,
}

const ELBO: &str = "How well the model tells rows that it has not learnt from: minus reconstruction and KL together. Higher is better; \
                    how likely the model finds a row lies above it.";
const RECONSTRUCTION: &str = "How badly rows are built again from their codes. Lower is better.";
const KL: &str = "How much the codes say of a row. It is a price: a model that describes everything exactly has only learnt by heart.";
const LOSS: &str = "What training makes as small as it can.";
const PART: &str = "A part of what training makes as small as it can.";
const BITS: &str = "What it would cost to store one value of a row with this model. Lower is better.";
const LIKELIHOOD: &str =
    "How unlikely the model finds a row, told more closely than by the ELBO, from K codes of each. Lower is better.";
const ACCURACY: &str = "How many labels are told right.";
const PERPLEXITY: &str =
    "As many vectors, each chosen as often, are as varied as those that the rows of a batch chose. Higher is better.";
const ACTIVE: &str = "How many numbers of a code vary from row to row. The others say nothing.";
const ERROR: &str = "How far values are off that are built again from the codes' means, squared. Lower is better.";
const TOLD: &str =
    "How often the discriminator is right. At 50 % it is fooled by all; at 100 % it leaves nothing to learn from.";
const DRAWN_CODES: &str = "How far the figure above would be off with other codes drawn.";
const BIAS: &str = "By how much the figure above is too large, as K is finite.";
const ROWS: &str = "How far the figure above would be off with other rows of the same kind.";
const EFFECTIVE: &str = "How many of the K codes of a row count. Below ten the estimate is not reliable.";

impl Evaluation {
    /// The figures, the whole before its parts.
    pub fn figures(&self) -> Vec<Figure> {
        let mut all = Vec::new();
        let mut add = |name: &str, value: String, unit: &str, meaning: &'static str| {
            all.push(Figure { name: name.to_string(), value, unit: unit.to_string(), meaning });
        };
        let (unit, record) = (self.measure.unit(), &self.record);
        let number = |value: f64| format!("{value:.3}");
        match self.kl_estimator {
            Some(estimator) => {
                add("ELBO", number(record.elbo), unit, ELBO);
                add(&format!("reconstruction, {}", self.measure), number(record.reconstruction), unit, RECONSTRUCTION);
                add("KL(q(z|x) || p(z))", number(record.kl), &format!("{unit}, {estimator}"), KL);
                add("loss: the objective", number(record.loss), unit, LOSS);
                self.parts(&mut add);
                if let Some(bits) = record.bits_per_dimension {
                    add("-ELBO", format!("{bits:.4}"), "bits per dimension", BITS);
                }
                self.likelihood(&mut add);
                if let Some(units) = record.active_units {
                    let of = self.latent.map_or(String::new(), |latent| format!("of {latent} latent dimensions"));
                    add("active units", units.to_string(), &of, ACTIVE);
                }
            }
            None => {
                add(&format!("loss, {}", self.measure), number(record.loss), unit, LOSS);
                self.parts(&mut add);
            }
        }
        if let Some(error) = self.reconstruction_error {
            add("reconstruction error", significant(error, 4), "mean squared, per value", ERROR);
        }
        all
    }

    /// The parts of the objective, and how many labels are right.
    fn parts(&self, add: &mut impl FnMut(&str, String, &str, &'static str)) {
        let unit = if matches!(self.measure, Measure::Adversarial | Measure::Features) {
            "mean over rows"
        } else {
            "nats per example"
        };
        for (name, value) in &self.record.parts {
            match name.as_str() {
                "discriminator_accuracy" => {
                    add("  discriminator accuracy", format!("{:.2} %", 100.0 * value), "of answers right", TOLD);
                }
                "critic_accuracy" => {
                    add("  critic accuracy", format!("{:.2} %", 100.0 * value), "of answers right", TOLD);
                }
                "accuracy" => add("accuracy", format!("{:.2} %", 100.0 * value), "of labels right", ACCURACY),
                "commitment" => {
                    add("  commitment", significant(*value, 4), "squared distance, mean over rows", PART);
                }
                "perplexity" => {
                    add("  perplexity", significant(*value, 4), "vectors of the codebook, by batch", PERPLEXITY);
                }
                "top_perplexity" => {
                    add("  perplexity of the top", significant(*value, 4), "vectors of its codebook", PERPLEXITY);
                }
                name => {
                    add(&format!("  {}", name.replace('_', " ")), significant(*value, 4), unit, PART);
                }
            }
        }
    }

    /// -ln p(x) and how sure it is.
    fn likelihood(&self, add: &mut impl FnMut(&str, String, &str, &'static str)) {
        let unit = self.measure.unit();
        if let Some(estimate) = &self.importance {
            let k = format!("nats per example, K = {}", count(estimate.samples as u64));
            let grey = if self.measure == Measure::CrossEntropy { ", bound for grey values" } else { "" };
            add(&format!("-ln p(x){grey}"), format!("{:.3}", estimate.nll), &k, LIKELIHOOD);
            if let Some(error) = estimate.monte_carlo_error {
                add("  error from sampling codes", format!("{error:.3}"), unit, DRAWN_CODES);
            }
            if let Some(bias) = estimate.bias {
                add("  bias, K being finite", format!("{bias:.3}"), unit, BIAS);
            }
            add("  error from the choice of rows", format!("{:.3}", estimate.standard_error), unit, ROWS);
            let of = if estimate.reliable { "mean over rows" } else { "mean over rows: not reliable" };
            add("  effective samples", format!("{:.1}", estimate.effective_samples), of, EFFECTIVE);
        }
        if let Some(bits) = self.nll_bits_per_dimension {
            add("-ln p(x)", format!("{bits:.4}"), "bits per dimension", BITS);
        }
    }

    /// How far codes lie from the prior: the distance, its standard error, and what two samples of the prior give.
    pub fn distances(&self) -> Vec<Comparison> {
        let found = |(id, distance): (&String, &Distance)| {
            let known = DISTANCES.iter().find(|known| known.id == id);
            let error = distance.standard_error.map_or(String::new(), |error| significant(error, 2));
            let [value, of_prior] = [distance.value, distance.of_prior].map(|value| significant(value, 3));
            Comparison {
                name: known.map_or(id.clone(), |known| known.name.to_string()),
                values: [value, error, of_prior],
                meaning: known.map_or("", |known| known.formula),
            }
        };
        self.aggregate_posterior.iter().map(found).collect()
    }

    /// How well codes separate the known factors: the score, what shuffled codes reach, and what the factors themselves do.
    pub fn scores(&self) -> Vec<Comparison> {
        let found = |(id, score): (&String, &Score)| {
            let known = METRICS.iter().flat_map(|metric| metric.scores).find(|known| known.id == id);
            Comparison {
                name: known.map_or(id.clone(), |known| known.name.to_string()),
                values: [score.value, score.chance, score.perfect].map(|value| format!("{value:.3}")),
                meaning: known.map_or("", |known| known.formula),
            }
        };
        self.disentanglement.iter().map(found).collect()
    }
}

impl ColumnFigures {
    /// The error, that of the best constant, and their unit.
    pub fn spoken(&self) -> [String; 3] {
        let share = |value: f64| format!("{:.1} %", 100.0 * value);
        let (unit, shown): (&str, &dyn Fn(f64) -> String) = match self.kind.as_str() {
            "category" | "ordinal" => ("wrong", &share),
            _ => ("root mean square", &|value| significant(value, 3)),
        };
        [shown(self.error), shown(self.error_of_constant), unit.to_string()]
    }
}
