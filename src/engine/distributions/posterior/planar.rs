//! Planar flows: each step bends space along one direction.

use std::sync::Arc;

use super::Posterior;
use super::flow::{Flow, FlowParts, Flowed, dot};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::graph::Tensor;

/// z′ = z + û tanh(wᵀz + b), so many times.
#[derive(Clone, Copy, Debug)]
struct Planar {
    length: usize,
}

/// How many maps a flow is made of.
pub(super) const LENGTH: Setting =
    Setting { name: "length", default: Usual::Number(8.0), bounds: Bounds::Whole(1, 256), meaning: "K, maps in a row" };

pub(super) static PIECE: Piece<dyn Posterior> = Piece {
    about: About {
        kind: Kind::Posterior,
        id: "planar",
        aliases: &["planar-flow"],
        name: "planar flow over a diagonal Gaussian; the encoder says u, w and b of each map",
        formula: "z' = z + û tanh(wᵀz + b), ln|det| = ln|1 + (1 − tanh²) wᵀû|, û = u + (m(wᵀu) − wᵀu) w/‖w‖²",
        source: "Rezende & Mohamed 2015, equations 10 to 13 and appendix A.1, with m(a) = −1 + ln(1 + (e − 1)eᵃ), so that m(0) = 0",
        settings: &[LENGTH],
        example: "elbo train --posterior planar:length=8",
    },
    build: |settings| Arc::new(Flowed(Planar { length: settings.whole("length") })),
};

/// ln(e − 1): m(a) = −1 + softplus(a + ln(e − 1)) is 0 at 0, so that a map with a small w is nearly the identity. The
/// paper's −1 + softplus(a) is not, and divides by ‖w‖ what is not small.
const SHIFT: f32 = 0.541_324_85;

impl Flow for Planar {
    fn outputs(&self, latent: usize) -> usize {
        self.length * (2 * latent + 1)
    }

    fn forward<'g>(&self, mut z: Tensor<'g>, h: Tensor<'g>) -> (Tensor<'g>, Tensor<'g>) {
        let (latent, tiny) = (z.width(), 1e-12);
        let mut parts = FlowParts::of(h);
        let mut total: Option<Tensor> = None;
        for _ in 0..self.length {
            let [u, w, b] = [latent, latent, 1].map(|width| parts.next(width));
            let wu = dot(w, u);
            // û such that wᵀû = m(wᵀu) > −1, by which the map is invertible.
            let least = (wu + SHIFT).softplus();
            let u = u + (least - 1.0 - wu) / (dot(w, w) + tiny) * w;
            let t = (dot(w, z) + b).tanh();
            z = z + u * t;
            // 1 + (1 − t²)wᵀû is positive, since wᵀû = m(wᵀu).
            let square = t.square();
            let det = square + (1.0 - square) * least;
            let log = det.maximum(z.graph().constant(tiny)).ln();
            total = Some(total.map_or(log, |total| total + log));
        }
        (z, total.expect("a flow has a map"))
    }
}
