//! A RealNVP prior: a standard normal, pushed through affine couplings that are learnt.
//!
//! A coupling leaves every second dimension as it is, and lets a network of those move and stretch the others:
//! z = m ⊙ u + (1 − m) ⊙ (u ⊙ e^s + t), [s, t] of m ⊙ u. Its inverse needs no more than that, so density and draws take one pass
//! each. The masks m take turns; |s| stays below 2, so that no coupling can explode.

use std::sync::Arc;

use super::{Code, Encoder, Prior, through_affine_maps};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting};
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;
use crate::nn::{Activation, Linear, Mlp, ParameterSpec};

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
                default: 4.0,
                bounds: Bounds::Whole(1, 64),
                meaning: "couplings; their masks take turns",
            },
            Setting {
                name: "hidden",
                default: 64.0,
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
pub(super) fn bounded(graph: &mut Graph, s: Tensor) -> Tensor {
    let s = graph.scale(s, 1.0 / MOST);
    let s = graph.call(Func::Tanh, &[s]);
    graph.scale(s, MOST)
}

/// The networks of a coupling.
struct Coupling {
    body: Mlp,
    heads: [Linear; 2],
}

impl RealNvp {
    fn coupling(self, number: usize, latent: usize) -> Coupling {
        let name = format!("prior.coupling.{number}");
        let head = |part: &str| Linear::new(format!("{name}.{part}"), self.hidden, latent);
        Coupling {
            body: Mlp::new(&name, latent, &[self.hidden; 2], Activation::Tanh),
            heads: [head("scale"), head("shift")],
        }
    }

    /// m `[1, latent]`: 1 at every second dimension.
    fn mask(self, graph: &mut Graph, number: usize, latent: usize) -> Tensor {
        let pairs = latent.div_ceil(2);
        let parity = graph.coordinate(1, &[pairs, 2]);
        let parity = graph.reshape(parity, &[1, 2 * pairs]);
        let parity = graph.slice(parity, 1, 0, latent);
        let one = graph.constant(1.0);
        if number.is_multiple_of(2) { parity } else { graph.sub(one, parity) }
    }

    /// m ⊙ x, and (1 − m) ⊙ [s, t] of it, for a coupling and codes `[n, latent]`.
    fn moves(self, graph: &mut Graph, number: usize, x: Tensor) -> [Tensor; 2] {
        let latent = graph.shape(x)[1];
        let (mask, one) = (self.mask(graph, number, latent), graph.constant(1.0));
        let (kept, others) = (graph.mul(mask, x), graph.sub(one, mask));
        let Coupling { body, heads } = self.coupling(number, latent);
        let hidden = body.forward(graph, kept);
        let [s, t] = heads.map(|head| head.forward(graph, hidden));
        let s = bounded(graph, s);
        [s, t].map(|part| graph.mul(others, part))
    }
}

impl Prior for RealNvp {
    fn parameters(&self, latent: usize, _: usize) -> Vec<ParameterSpec> {
        let of = |number| {
            let Coupling { body, heads } = self.coupling(number, latent);
            let mut all = body.parameters();
            all.extend(heads.iter().flat_map(Linear::parameters));
            all
        };
        (0..self.length).flat_map(of).collect()
    }

    fn log_prob(&self, graph: &mut Graph, Code { z, .. }: Code, _: &Encoder) -> Tensor {
        through_affine_maps(graph, z, self.length, |graph, number, u| self.moves(graph, number, u))
    }

    fn sample(&self, graph: &mut Graph, rows: usize, latent: usize, _: &Encoder) -> Tensor {
        let stream = graph.stream();
        let mut z = graph.normal(stream, &[rows, latent]);
        for number in 0..self.length {
            let [s, t] = self.moves(graph, number, z);
            let stretch = graph.call(Func::Exp, &[s]);
            let stretched = graph.mul(z, stretch);
            z = graph.add(stretched, t);
        }
        z
    }
}
