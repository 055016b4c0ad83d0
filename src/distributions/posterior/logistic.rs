//! The logistic distribution: nearly a normal one, with tails of e^{−|z|}.

use std::sync::Arc;

use super::Posterior;
use super::location_scale::{LocationScale, Standard, complement};
use crate::catalogue::{About, Kind, Piece};
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

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
    fn noise(&self, graph: &mut Graph, rows: usize, latent: usize) -> Tensor {
        let stream = graph.stream();
        graph.uniform(stream, &[rows, latent])
    }

    fn draw(&self, graph: &mut Graph, u: Tensor) -> Tensor {
        let other = complement(graph, u);
        let (above, below) = (graph.call(Func::Log, &[u]), graph.call(Func::Log, &[other]));
        graph.sub(above, below)
    }

    fn log_prob(&self, graph: &mut Graph, e: Tensor) -> Tensor {
        // −|e| − 2 ln(1 + e^{−|e|}): the density is even, and this does not cancel.
        let far = graph.call(Func::Abs, &[e]);
        let minus = graph.neg(far);
        let rest = graph.call(Func::Softplus, &[minus]);
        let rest = graph.scale(rest, 2.0);
        graph.sub(minus, rest)
    }

    fn entropy(&self) -> f64 {
        2.0
    }

    fn variance(&self) -> f64 {
        std::f64::consts::PI.powi(2) / 3.0
    }
}
