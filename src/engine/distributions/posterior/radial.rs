//! Radial flows: each step draws space together around a point, or pushes it away.

use std::sync::Arc;

use super::Posterior;
use super::flow::{Flow, FlowParts, Flowed, dot};
use super::planar::LENGTH;
use crate::catalogue::{About, Kind, Piece};
use crate::graph::Tensor;

/// z′ = z + β̂ (z − c)/(α + r), r = ‖z − c‖, so many times.
#[derive(Clone, Copy, Debug)]
struct Radial {
    length: usize,
}

pub(super) static PIECE: Piece<dyn Posterior> = Piece {
    about: About {
        kind: Kind::Posterior,
        id: "radial",
        aliases: &["radial-flow"],
        name: "radial flow over a diagonal Gaussian; the encoder says c, α and β of each map",
        formula: "z' = z + β̂ h (z − c), h = 1/(α + r), ln|det| = (D − 1) ln(1 + β̂h) + ln(1 + β̂h − β̂h²r), β̂ = −α + ln(1 + e^β)",
        source: "Rezende & Mohamed 2015, equation 14 and appendix A.2",
        settings: &[LENGTH],
        example: "elbo train --posterior radial:length=8",
    },
    build: |settings| Arc::new(Flowed(Radial { length: settings.whole("length") })),
};

impl Flow for Radial {
    fn outputs(&self, latent: usize) -> usize {
        self.length * (latent + 2)
    }

    fn forward<'g>(&self, mut z: Tensor<'g>, h: Tensor<'g>) -> (Tensor<'g>, Tensor<'g>) {
        // r is √(‖z − c‖² + 1e-12), whose slope is finite at c; the determinant is of just that.
        let (latent, tiny) = (z.width(), 1e-12);
        let mut parts = FlowParts::of(h);
        let mut total: Option<Tensor> = None;
        for _ in 0..self.length {
            let [centre, alpha, beta] = [latent, 1, 1].map(|width| parts.next(width));
            let alpha = alpha.softplus() + 1e-4;
            let beta = beta.softplus() - alpha;
            let from = z - centre;
            let square = dot(from, from);
            let r = (square + tiny).sqrt();
            let below = alpha + r;
            let stretch = beta / below;
            z = z + stretch * from;
            // One direction, along z − c, has the factor 1 + β̂h − β̂h²‖z − c‖²/r; the D − 1 others 1 + β̂h.
            let across = 1.0 + stretch;
            let along = across - stretch * (square / r / below);
            let [others, one] = [across, along].map(|factor| factor.maximum(z.graph().constant(tiny)).ln());
            let log = others * (latent - 1) as f32 + one;
            total = Some(total.map_or(log, |total| total + log));
        }
        (z, total.expect("a flow has a map"))
    }
}
