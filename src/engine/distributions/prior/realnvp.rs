//! A RealNVP prior: a standard normal, pushed through affine couplings that are learnt.
//!
//! A coupling leaves every second dimension as it is, and lets a network of those move and stretch the others:
//! z = m ⊙ u + (1 − m) ⊙ (u ⊙ e^s + t), [s, t] of m ⊙ u. Its inverse needs no more than that, so density and draws take one pass
//! each. The masks m take turns; |s| stays below 2, so that no coupling can explode.

use std::sync::Arc;

use super::{Code, Encoder, Prior, through_affine_maps};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::graph::{Graph, Tensor};
use crate::nn::{Activation, Mlp, linear};

/// So many couplings.
#[derive(Clone, Copy, Debug)]
struct RealNvp {
    length: usize,
    hidden: usize,
}

pub(super) static PIECE: Piece<dyn Prior> = Piece {
    about: About {
        kind: Kind::Prior,
        id: "realnvp",
        aliases: &["real-nvp"],
        name: "RealNVP: a standard normal pushed through learnt affine couplings",
        formula: "z = m⊙u + (1 − m)⊙(u⊙e^s + t), [s, t] = NN(m⊙u), ln p(z) = ln N(u; 0, I) − Σ (1 − m)⊙s",
        source: "Dinh, Sohl-Dickstein & Bengio 2017, equation 9",
        settings: &[
            Setting {
                name: "length",
                default: Usual::Number(4.0),
                bounds: Bounds::Whole(1, 64),
                meaning: "couplings; their masks take turns",
            },
            Setting {
                name: "hidden",
                default: Usual::Number(64.0),
                bounds: Bounds::Whole(1, 8192),
                meaning: "units of each of the two hidden layers of a coupling",
            },
        ],
        example: "elbo train --prior realnvp:length=6,hidden=128",
    },
    build: |settings| Arc::new(RealNvp { length: settings.whole("length"), hidden: settings.whole("hidden") }),
};

/// The most that ln of a stretch is.
const MOST: f32 = 2.0;

/// s between −2 and 2, with the slope 1 at 0.
pub(super) fn bounded(s: Tensor) -> Tensor {
    (s * (1.0 / MOST)).tanh() * MOST
}

impl RealNvp {
    /// m `[1, latent]`: 1 at every second dimension.
    fn mask(self, graph: &Graph, number: usize, latent: usize) -> Tensor<'_> {
        let pairs = latent.div_ceil(2);
        let parity = graph.coordinate(1, &[pairs, 2]).reshape(&[1, 2 * pairs]).slice(1, 0, latent);
        if number.is_multiple_of(2) { parity } else { 1.0 - parity }
    }

    /// (1 − m) ⊙ [s, t] of m ⊙ x, for a coupling and codes `[n, latent]`.
    fn moves<'g>(self, number: usize, x: Tensor<'g>) -> [Tensor<'g>; 2] {
        let (graph, latent, name) = (x.graph(), x.width(), format!("prior.coupling.{number}"));
        let mask = self.mask(graph, number, latent);
        let body = Mlp::new(vec![self.hidden; 2], Activation::Tanh);
        let hidden = body.hidden(&name, mask * x);
        let [s, t] = ["scale", "shift"].map(|head| linear(&format!("{name}.{head}"), hidden, latent));
        [bounded(s), t].map(|part| (1.0 - mask) * part)
    }
}

impl Prior for RealNvp {
    fn log_prob<'g>(&self, Code { z, .. }: Code<'g>, _: &Encoder) -> Tensor<'g> {
        through_affine_maps(z, self.length, |number, u| self.moves(number, u))
    }

    fn sample<'g>(&self, graph: &'g Graph, rows: usize, latent: usize, _: &Encoder) -> Tensor<'g> {
        let mut z = graph.normal(graph.stream(), &[rows, latent]);
        for number in 0..self.length {
            let [s, t] = self.moves(number, z);
            z = z * s.exp() + t;
        }
        z
    }
}
