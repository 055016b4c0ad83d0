//! Radial flows: each step draws space together around a point, or pushes it away.

use std::sync::Arc;

use super::Posterior;
use super::flow::{Flow, Flowed, Parts, dot};
use super::planar::LENGTH;
use crate::catalogue::{About, Kind, Piece};
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

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

    fn forward(&self, graph: &mut Graph, mut z: Tensor, h: Tensor) -> (Tensor, Tensor) {
        let latent = graph.shape(z)[1];
        // r is √(‖z − c‖² + 1e-12), whose slope is finite at c; the determinant is of just that.
        let (one, tiny, least) = (graph.constant(1.0), graph.constant(1e-12), graph.constant(1e-4));
        let mut parts = Parts::of(h);
        let mut total: Option<Tensor> = None;
        for _ in 0..self.length {
            let [centre, alpha, beta] = [latent, 1, 1].map(|width| parts.next(graph, width));
            let alpha = graph.call(Func::Softplus, &[alpha]);
            let alpha = graph.add(alpha, least);
            let beta = graph.call(Func::Softplus, &[beta]);
            let beta = graph.sub(beta, alpha);
            let from = graph.sub(z, centre);
            let square = dot(graph, from, from);
            let sum = graph.add(square, tiny);
            let r = graph.call(Func::Sqrt, &[sum]);
            let below = graph.add(alpha, r);
            let stretch = graph.div(beta, below);
            let moved = graph.mul(stretch, from);
            z = graph.add(z, moved);
            // One direction, along z − c, has the factor 1 + β̂h − β̂h²‖z − c‖²/r; the D − 1 others 1 + β̂h.
            let across = graph.add(one, stretch);
            let bend = graph.div(square, r);
            let bend = graph.div(bend, below);
            let bend = graph.mul(stretch, bend);
            let along = graph.sub(across, bend);
            let logs = [across, along].map(|factor| {
                let factor = graph.call(Func::Max, &[factor, tiny]);
                graph.call(Func::Log, &[factor])
            });
            let others = graph.scale(logs[0], (latent - 1) as f32);
            let log = graph.add(others, logs[1]);
            total = Some(total.map_or(log, |total| graph.add(total, log)));
        }
        (z, total.expect("a flow has a map"))
    }
}
