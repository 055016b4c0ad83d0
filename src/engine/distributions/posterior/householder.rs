//! The Householder flow: reflections, which turn a diagonal covariance into a full one.

use std::sync::Arc;

use super::Posterior;
use super::flow::{Flow, FlowParts, Flowed, dot};
use super::planar::LENGTH;
use crate::catalogue::{About, Kind, Piece};
use crate::graph::Tensor;

/// The most dimensions of which variances are computed, which takes a matrix of every row.
const MOST: usize = 512;

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

    /// Σ_j U_ij² σ_j², U being the product of the reflections: they are applied to all columns of the diagonal matrix of the σ_j.
    fn variance<'g>(&self, variance: Tensor<'g>, h: Tensor<'g>) -> Option<Tensor<'g>> {
        let (graph, [rows, latent]) = (variance.graph(), variance.dims());
        if latent > MOST {
            return None;
        }
        let shape = [rows, latent, latent];
        let (i, j, zero) = (graph.coordinate(1, &shape), graph.coordinate(2, &shape), graph.constant(0.0));
        let off = j.less(i) + i.less(j);
        let mut columns = off.select(zero, variance.sqrt().reshape(&[rows, 1, latent]));
        let mut parts = FlowParts::of(h);
        for _ in 0..self.length {
            let v = parts.next(latent);
            let scale = (2.0 / (dot(v, v) + 1e-20)).reshape(&[rows, 1, 1]);
            let v = v.reshape(&[rows, latent, 1]);
            let dots = (v * columns).sum(&[1]).reshape(&[rows, 1, latent]);
            columns = columns - v * (scale * dots);
        }
        Some(columns.square().sum(&[2]).reshape(&[rows, latent]))
    }

    fn forward<'g>(&self, mut z: Tensor<'g>, h: Tensor<'g>) -> (Tensor<'g>, Tensor<'g>) {
        let [rows, latent] = z.dims();
        let mut parts = FlowParts::of(h);
        for _ in 0..self.length {
            let v = parts.next(latent);
            z = z - dot(v, z) / (dot(v, v) + 1e-20) * 2.0 * v;
        }
        (z, z.graph().full(0.0, &[rows, 1]))
    }
}
