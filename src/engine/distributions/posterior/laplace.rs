//! The Laplace distribution: a sharp peak, and tails of e^{−|z|}.

use std::sync::Arc;

use super::Posterior;
use super::location_scale::{LocationScale, Standard};
use crate::catalogue::{About, Kind, Piece};
use crate::graph::{Graph, Tensor};

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
    fn noise<'g>(&self, graph: &'g Graph, rows: usize, latent: usize) -> Tensor<'g> {
        graph.uniform(graph.stream(), &[rows, latent])
    }

    fn draw<'g>(&self, u: Tensor<'g>) -> Tensor<'g> {
        // 1 − 2|u − ½| as twice the smaller of u and 1 − u, which loses nothing where u is small.
        let log = (u.minimum(1.0 - u) * 2.0).ln();
        u.less(u.graph().constant(0.5)).select(log, -log)
    }

    fn log_prob<'g>(&self, e: Tensor<'g>) -> Tensor<'g> {
        -std::f32::consts::LN_2 - e.abs()
    }

    fn entropy(&self) -> f64 {
        1.0 + std::f64::consts::LN_2
    }

    fn variance(&self) -> f64 {
        2.0
    }
}
