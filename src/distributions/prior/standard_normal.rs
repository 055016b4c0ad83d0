//! The standard normal: the prior of the first variational autoencoder.

use std::sync::Arc;

use super::{Code, Encoder, Prior, standard};
use crate::catalogue::{About, Kind, Piece};
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

/// N(0, I).
#[derive(Clone, Copy, Debug)]
pub struct StandardNormal;

pub(super) static PIECE: Piece<dyn Prior> = Piece {
    about: About {
        kind: Kind::Prior,
        id: "standard-normal",
        aliases: &["normal"],
        name: "standard normal",
        formula: "p(z) = N(z; 0, I)",
        source: "Kingma & Welling 2014, section 3",
        settings: &[],
        example: "elbo train --prior standard-normal",
    },
    build: |_| Arc::new(StandardNormal),
};

impl Prior for StandardNormal {
    fn is_isotropic(&self) -> bool {
        true
    }

    fn log_prob(&self, graph: &mut Graph, Code { z, .. }: Code, _: &Encoder) -> Tensor {
        standard(graph, z)
    }

    fn sample(&self, graph: &mut Graph, rows: usize, latent: usize, _: &Encoder) -> Tensor {
        let stream = graph.stream();
        graph.normal(stream, &[rows, latent])
    }

    /// ½(μ² + σ² − 1 − ln σ²) (Kingma and Welling 2014, appendix B).
    fn kl_from_gaussian(&self, graph: &mut Graph, mu: Tensor, log_var: Tensor) -> Option<Tensor> {
        Some(graph.call(Func::KlStandardNormal, &[mu, log_var]))
    }

    fn cross_entropy(&self, graph: &mut Graph, mu: Tensor, variance: Tensor) -> Option<Tensor> {
        let square = graph.call(Func::Square, &[mu]);
        let sum = graph.add(square, variance);
        let log_tau = graph.constant(std::f32::consts::TAU.ln());
        let sum = graph.add(sum, log_tau);
        Some(graph.scale(sum, 0.5))
    }
}
