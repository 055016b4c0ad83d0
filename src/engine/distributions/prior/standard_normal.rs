//! The standard normal: the prior of the first variational autoencoder.

use std::sync::Arc;

use super::{Code, Encoder, Prior, standard};
use crate::catalogue::{About, Kind, Piece};
use crate::distributions::special::LN_TAU;
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

    fn log_prob<'g>(&self, Code { z, .. }: Code<'g>, _: &Encoder) -> Tensor<'g> {
        standard(z)
    }

    fn sample<'g>(&self, graph: &'g Graph, rows: usize, latent: usize, _: &Encoder) -> Tensor<'g> {
        graph.normal(graph.stream(), &[rows, latent])
    }

    fn gaussian<'g>(&self, graph: &'g Graph, latent: usize) -> Option<[Tensor<'g>; 2]> {
        Some([graph.full(0.0, &[1, latent]), graph.full(0.0, &[1, latent])])
    }

    /// ½(μ² + σ² − 1 − ln σ²) (Kingma and Welling 2014, appendix B).
    fn kl_from_gaussian<'g>(&self, mu: Tensor<'g>, log_var: Tensor<'g>) -> Option<Tensor<'g>> {
        Some(mu.graph().call(Func::KlStandardNormal, &[mu, log_var]))
    }

    fn cross_entropy<'g>(&self, mu: Tensor<'g>, variance: Tensor<'g>) -> Option<Tensor<'g>> {
        Some((mu.square() + variance + LN_TAU) * 0.5)
    }
}
