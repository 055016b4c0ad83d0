//! Gumbel-softmax: categorical codes, relaxed so that gradients flow through their draws.
//!
//! A code of `latent` dimensions is latent/n variables of n categories, one behind the other. y = softmax((ln π + g)/τ) lies
//! within the simplex, and ever nearer to a corner as τ falls in training. Gumbel noise is g = −ln E with E = ½(n₁² + n₂²)
//! exponential, which loses nothing at either end.

use std::sync::Arc;

use super::{Draw, Posterior};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::distributions::CodeSpace;
use crate::distributions::prior::Prior;
use crate::distributions::relaxed::{TEMPERATURE, log_prob};
use crate::graph::{Graph, Tensor};

/// Categorical variables, relaxed.
#[derive(Clone, Copy, Debug)]
struct GumbelSoftmax {
    categories: usize,
    start: f64,
    end: f64,
    epochs: f64,
}

pub(super) static PIECE: Piece<dyn Posterior> = Piece {
    about: About {
        kind: Kind::Posterior,
        id: "gumbel-softmax",
        aliases: &["concrete", "categorical"],
        name: "categorical variables, relaxed; goes with the prior uniform-categorical",
        formula: "y = softmax((ln π(x) + g)/τ), g ~ Gumbel(0, 1), KL(q ‖ p) = Σ_k π_k ln(n π_k)",
        source: "Jang, Gu & Poole 2017, equation 2; Maddison, Mnih & Teh 2017, equation 10",
        settings: &[
            Setting {
                name: "categories",
                default: Usual::Number(10.0),
                bounds: Bounds::Whole(2, 65536),
                meaning: "n; the latent dimensions are variables times n",
            },
            Setting {
                name: "start", default: Usual::Number(1.0), bounds: Bounds::Positive, meaning: "τ at the start"
            },
            Setting { name: "end", default: Usual::Number(0.5), bounds: Bounds::Positive, meaning: "τ at the end" },
            Setting {
                name: "epochs",
                default: Usual::Number(20.0),
                bounds: Bounds::NotNegative,
                meaning: "epochs over which τ goes from start to end, by the same factor in each",
            },
        ],
        example: "elbo train --latent 200 --posterior gumbel-softmax:categories=10 --prior uniform-categorical",
    },
    build: |settings| {
        let [start, end, epochs] = ["start", "end", "epochs"].map(|name| settings.get(name));
        Arc::new(GumbelSoftmax { categories: settings.whole("categories"), start, end, epochs })
    },
};

impl GumbelSoftmax {
    /// ln π `[rows, variables, categories]`.
    fn log_pi(self, outputs: Tensor) -> Tensor {
        let [rows, latent] = outputs.dims();
        let logits = outputs.reshape(&[rows, latent / self.categories, self.categories]);
        logits - logits.log_sum_exp(&[2])
    }
}

impl Posterior for GumbelSoftmax {
    fn outputs(&self, latent: usize) -> usize {
        latent
    }

    fn codes(&self) -> CodeSpace {
        CodeSpace::Simplex(self.categories)
    }

    fn note_on_likelihood(&self) -> Option<&'static str> {
        Some(
            "Codes are relaxed categories, here at their final temperature. The KL in the ELBO is that of the categories \
             themselves, and -ln p(x) is of the relaxed codes with their densities, which say more than their category. So \
             -ln p(x) may lie above -ELBO: the ELBO is a bound of another model, that of the categories.",
        )
    }

    fn refusal(&self, latent: usize) -> Option<String> {
        let n = self.categories;
        (!latent.is_multiple_of(n)).then(|| {
            format!("its dimensions are variables of {n} categories each: give a `latent` that {n} divides, or other `categories`")
        })
    }

    fn noise<'g>(&self, graph: &'g Graph, rows: usize, latent: usize) -> Tensor<'g> {
        graph.normal(graph.stream(), &[rows, 2 * latent])
    }

    fn sample<'g>(&self, outputs: Tensor<'g>, noise: Tensor<'g>) -> Draw<'g> {
        let (graph, log_pi) = (outputs.graph(), self.log_pi(outputs));
        let [first, second] = noise.split();
        let exponential = ((first.square() + second.square()) * 0.5).maximum(graph.constant(1e-12));
        let scaled = (log_pi - exponential.ln().reshape(log_pi.shape())) / graph.scalar(TEMPERATURE);
        let log_y = scaled - scaled.log_sum_exp(&[2]);
        let [z, log_z] = [log_y.exp(), log_y].map(|t| t.reshape(outputs.shape()));
        Draw { z, log_z: Some(log_z), log_prob: log_prob(log_pi, log_y) }
    }

    /// The probabilities π.
    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        self.log_pi(outputs).exp().reshape(outputs.shape())
    }

    /// Of the categorical variables themselves, not of what they are relaxed to, as both papers train by. What a relaxed code
    /// says beyond its category is not counted: the ELBO can lie above the ln p(x) of the relaxed model, which importance
    /// sampling estimates from the densities. `[rows, variables]`
    fn kl<'g>(&self, outputs: Tensor<'g>, prior: &dyn Prior) -> Option<Tensor<'g>> {
        if prior.codes() != self.codes() {
            return None;
        }
        let log_pi = self.log_pi(outputs);
        let [rows, variables, n] = log_pi.dims();
        let each = log_pi.exp() * (log_pi + libm::logf(n as f32));
        Some(each.sum(&[2]).reshape(&[rows, variables]))
    }

    fn scalar(&self, name: &str, epochs: f64) -> Option<f64> {
        let along = if self.epochs > 0.0 { (epochs / self.epochs).min(1.0) } else { 1.0 };
        (name == TEMPERATURE).then(|| self.start * libm::pow(self.end / self.start, along))
    }
}
