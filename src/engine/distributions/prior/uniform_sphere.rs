//! Codes on the unit sphere, spread evenly.

use std::sync::Arc;

use super::{Code, Encoder, Prior};
use crate::catalogue::{About, Kind, Piece};
use crate::distributions::CodeSpace;
use crate::distributions::sphere::{direction, ln_surface};
use crate::graph::{Graph, Tensor};

/// 1/|S|, |S| being the surface of the sphere.
#[derive(Clone, Copy, Debug)]
struct UniformSphere;

pub(super) static PIECE: Piece<dyn Prior> = Piece {
    about: About {
        kind: Kind::Prior,
        id: "uniform-sphere",
        aliases: &[],
        name: "codes on the unit sphere, spread evenly; goes with the posterior power-spherical",
        formula: "p(z) = Γ(d/2)/(2 π^{d/2}) on ‖z‖ = 1",
        source: "Davidson et al. 2018, section 3",
        settings: &[],
        example: "elbo train --latent 3 --posterior power-spherical --prior uniform-sphere",
    },
    build: |_| Arc::new(UniformSphere),
};

impl Prior for UniformSphere {
    fn codes(&self) -> CodeSpace {
        CodeSpace::Sphere
    }

    fn log_prob<'g>(&self, code: Code<'g>, _: &Encoder) -> Tensor<'g> {
        let [rows, latent] = code.z.dims();
        code.z.graph().full(-ln_surface(latent) as f32, &[rows, 1])
    }

    fn sample<'g>(&self, graph: &'g Graph, rows: usize, latent: usize, _: &Encoder) -> Tensor<'g> {
        direction(graph.normal(graph.stream(), &[rows, latent]))
    }
}
