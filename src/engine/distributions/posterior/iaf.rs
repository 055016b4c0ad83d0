//! The inverse autoregressive flow: each dimension is moved as the dimensions before it say.
//!
//! A step's networks (MADE) have weights of their own and see, beside the code, a context h from the encoder. Their scale is
//! a gate s = σ(a) between what is and what comes: z′ = s·z + (1 − s)·m, with biases that start it near 1.

use std::sync::Arc;

use super::Posterior;
use super::flow::{Flow, Flowed};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::graph::Tensor;
use crate::nn::Made;

/// z′ = s(z, h)·z + (1 − s(z, h))·m(z, h), so many times.
#[derive(Clone, Copy, Debug)]
struct Iaf {
    length: usize,
    hidden: usize,
    context: usize,
}

pub(super) static PIECE: Piece<dyn Posterior> = Piece {
    about: About {
        kind: Kind::Posterior,
        id: "iaf",
        aliases: &["inverse-autoregressive-flow"],
        name: "inverse autoregressive flow over a diagonal Gaussian: masked networks with a context from the encoder",
        formula: "z' = s ⊙ z + (1 − s) ⊙ m, [m, a] = MADE_t(z, h(x)), s = σ(a), ln|det| = Σ_d ln s_d",
        source: "Kingma et al. 2016, algorithm 1; Germain et al. 2015 for the networks",
        settings: &[
            Setting {
                name: "length",
                default: Usual::Number(2.0),
                bounds: Bounds::Whole(1, 64),
                meaning: "T, steps; the order turns between them",
            },
            Setting {
                name: "hidden",
                default: Usual::Number(64.0),
                bounds: Bounds::Whole(1, 8192),
                meaning: "units of each step's hidden layer",
            },
            Setting {
                name: "context",
                default: Usual::Number(32.0),
                bounds: Bounds::Whole(1, 8192),
                meaning: "values of h, from the encoder",
            },
        ],
        example: "elbo train --posterior iaf:length=4,hidden=128",
    },
    build: |settings| {
        let [length, hidden, context] = ["length", "hidden", "context"].map(|name| settings.whole(name));
        Arc::new(Flowed(Iaf { length, hidden, context }))
    },
};

impl Flow for Iaf {
    fn outputs(&self, _: usize) -> usize {
        self.context
    }

    fn forward<'g>(&self, mut z: Tensor<'g>, h: Tensor<'g>) -> (Tensor<'g>, Tensor<'g>) {
        let mut total: Option<Tensor> = None;
        for step in 0..self.length {
            let network = Made { hidden: self.hidden, reversed: step % 2 == 1, scale_bias: 2.0 };
            let [m, a] = network.forward(&format!("posterior.iaf.{step}"), z, Some(h));
            z = m + a.sigmoid() * (z - m);
            // ln σ(a) = −ln(1 + e^{−a})
            let log = (-(-a).softplus()).sum_rows();
            total = Some(total.map_or(log, |total| total + log));
        }
        (z, total.expect("a flow has a step"))
    }
}
