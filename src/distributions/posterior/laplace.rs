//! The Laplace distribution: a sharp peak, and tails of e^{−|z|}.

use std::sync::Arc;

use super::Posterior;
use super::location_scale::{LocationScale, Standard, complement};
use crate::catalogue::{About, Kind, Piece};
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

/// ½e^{−|e|}.
#[derive(Clone, Copy, Debug)]
struct Laplace;

pub(super) static PIECE: Piece<dyn Posterior> = Piece {
    about: About {
        kind: Kind::Posterior,
        id: "laplace",
        aliases: &[],
        name: "product of Laplace distributions",
        formula: "q(z|x) = Π_d e^{−|z_d − μ_d|/b_d}/2b_d, z = μ − b sgn(u − ½) ln(1 − 2|u − ½|), u ~ U(0, 1)",
        source: "Kingma & Welling 2014, section 2.4 (location and scale)",
        settings: &[],
        example: "elbo train --posterior laplace",
    },
    build: |_| Arc::new(LocationScale(Laplace)),
};

impl Standard for Laplace {
    fn noise(&self, graph: &mut Graph, rows: usize, latent: usize) -> Tensor {
        let stream = graph.stream();
        graph.uniform(stream, &[rows, latent])
    }

    fn draw(&self, graph: &mut Graph, u: Tensor) -> Tensor {
        // 1 − 2|u − ½| as twice the smaller of u and 1 − u, which loses nothing where u is small.
        let (half, other) = (graph.constant(0.5), complement(graph, u));
        let smaller = graph.call(Func::Min, &[u, other]);
        let twice = graph.scale(smaller, 2.0);
        let log = graph.call(Func::Log, &[twice]);
        let (left, minus) = (graph.call(Func::Less, &[u, half]), graph.neg(log));
        graph.call(Func::Select, &[left, log, minus])
    }

    fn log_prob(&self, graph: &mut Graph, e: Tensor) -> Tensor {
        let far = graph.call(Func::Abs, &[e]);
        let log_half = graph.constant(-std::f32::consts::LN_2);
        graph.sub(log_half, far)
    }

    fn entropy(&self) -> f64 {
        1.0 + std::f64::consts::LN_2
    }

    fn variance(&self) -> f64 {
        2.0
    }
}
