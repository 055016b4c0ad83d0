//! The Householder flow: reflections, which turn a diagonal covariance into a full one.

use std::sync::Arc;

use super::Posterior;
use super::flow::{Flow, Flowed, Parts, dot};
use super::planar::LENGTH;
use crate::catalogue::{About, Kind, Piece};
use crate::graph::{Graph, Tensor};

/// z′ = z − 2 v vᵀz/‖v‖², so many times.
#[derive(Clone, Copy, Debug)]
struct Householder {
    length: usize,
}

pub(super) static PIECE: Piece<dyn Posterior> = Piece {
    about: About {
        kind: Kind::Posterior,
        id: "householder",
        aliases: &["householder-flow"],
        name: "Householder flow: a Gaussian turned by reflections; the encoder says the vector of each",
        formula: "z' = (I − 2 vvᵀ/‖v‖²) z, ln|det| = 0",
        source: "Tomczak & Welling 2016, equations 6 and 7; every v comes from the encoder itself",
        settings: &[LENGTH],
        example: "elbo train --posterior householder:length=8",
    },
    build: |settings| Arc::new(Flowed(Householder { length: settings.whole("length") })),
};

impl Flow for Householder {
    fn outputs(&self, latent: usize) -> usize {
        self.length * latent
    }

    fn keeps_lengths(&self) -> bool {
        true
    }

    fn forward(&self, graph: &mut Graph, mut z: Tensor, h: Tensor) -> (Tensor, Tensor) {
        let &[rows, latent] = graph.shape(z) else { panic!("codes have two dimensions") };
        let tiny = graph.constant(1e-20);
        let mut parts = Parts::of(h);
        for _ in 0..self.length {
            let v = parts.next(graph, latent);
            let (vz, vv) = (dot(graph, v, z), dot(graph, v, v));
            let vv = graph.add(vv, tiny);
            let along = graph.div(vz, vv);
            let along = graph.scale(along, 2.0);
            let along = graph.mul(along, v);
            z = graph.sub(z, along);
        }
        (z, graph.full(0.0, &[rows, 1]))
    }
}
