//! The logistic distribution: nearly a normal one, with tails of e^{−|z|}.

use std::sync::Arc;

use super::Posterior;
use super::location_scale::{LocationScale, Standard};
use crate::catalogue::{About, Kind, Piece};
use crate::graph::{Graph, Tensor};

/// e^{−e}/(1 + e^{−e})².
#[derive(Clone, Copy, Debug)]
struct Logistic;

pub(super) static PIECE: Piece<dyn Posterior> = Piece {
    about: About {
        kind: Kind::Posterior,
        id: "logistic",
        aliases: &[],
        name: "product of logistic distributions",
        formula: "q(z|x) = Π_d e^{−y_d}/s_d(1 + e^{−y_d})², y = (z − μ)/s, z = μ + s ln(u/(1 − u)), u ~ U(0, 1)",
        source: "Kingma & Welling 2014, section 2.4 (location and scale)",
        settings: &[],
        example: "elbo train --posterior logistic",
    },
    build: |_| Arc::new(LocationScale(Logistic)),
};

impl Standard for Logistic {
    fn noise<'g>(&self, graph: &'g Graph, rows: usize, latent: usize) -> Tensor<'g> {
        graph.uniform(graph.stream(), &[rows, latent])
    }

    fn draw<'g>(&self, u: Tensor<'g>) -> Tensor<'g> {
        u.ln() - (1.0 - u).ln()
    }

    fn log_prob<'g>(&self, e: Tensor<'g>) -> Tensor<'g> {
        // −|e| − 2 ln(1 + e^{−|e|}): the density is even, and this does not cancel.
        let minus = -e.abs();
        minus - minus.softplus() * 2.0
    }

    fn entropy(&self) -> f64 {
        2.0
    }

    fn variance(&self) -> f64 {
        std::f64::consts::PI * std::f64::consts::PI / 3.0
    }
}
