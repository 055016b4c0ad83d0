//! A masked autoregressive flow as the prior: each dimension is a Gaussian that the ones before it say.
//!
//! u_d = (z_d − m_d)e^{−s_d} with m_d and s_d of z_{<d}: the density takes one pass of each network. A draw goes the other way,
//! z_d = u_d e^{s_d} + m_d, and needs z_{<d} first: D passes, after the d-th of which the first d dimensions are as they shall
//! be. They are unrolled into the program, so their number is bounded. |s| stays below 2.

use std::sync::Arc;

use super::realnvp::bounded;
use super::{Code, Encoder, Prior, through_affine_maps};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::graph::{Graph, Tensor};
use crate::nn::Made;

/// So many autoregressive maps, the order turning between them.
#[derive(Clone, Copy, Debug)]
struct Maf {
    length: usize,
    hidden: usize,
}

/// The most dimensions whose draws are unrolled.
const MOST: usize = 64;

pub(super) static PIECE: Piece<dyn Prior> = Piece {
    about: About {
        kind: Kind::Prior,
        id: "maf",
        aliases: &["masked-autoregressive-flow"],
        name: "masked autoregressive flow: density in one pass, draws in one per dimension",
        formula: "u_d = (z_d − m_d(z_<d)) e^{−s_d(z_<d)}, ln p(z) = ln N(u; 0, I) − Σ_d s_d",
        source: "Papamakarios, Pavlakou & Murray 2017, equations 3 and 4",
        settings: &[
            Setting {
                name: "length",
                default: Usual::Number(4.0),
                bounds: Bounds::Whole(1, 64),
                meaning: "maps; the order turns between them",
            },
            Setting {
                name: "hidden",
                default: Usual::Number(64.0),
                bounds: Bounds::Whole(1, 8192),
                meaning: "units of each map's hidden layer",
            },
        ],
        example: "elbo train --prior maf:length=4,hidden=64",
    },
    build: |settings| Arc::new(Maf { length: settings.whole("length"), hidden: settings.whole("hidden") }),
};

impl Maf {
    /// s and m of a map at codes `[n, latent]`.
    fn moves<'g>(self, number: usize, z: Tensor<'g>) -> [Tensor<'g>; 2] {
        let network = Made { hidden: self.hidden, reversed: number % 2 == 1, scale_bias: 0.0 };
        let [shift, scale] = network.forward(&format!("prior.maf.{number}"), z, None);
        [bounded(scale), shift]
    }
}

impl Prior for Maf {
    fn refusal(&self, latent: usize) -> Option<String> {
        (latent > MOST).then(|| {
            format!(
                "a draw from it takes {latent} passes in a row, one for every dimension, and at most {MOST} are unrolled: \
                 give a `latent` of {MOST} or fewer, or use the prior `realnvp`"
            )
        })
    }

    fn log_prob<'g>(&self, Code { z, .. }: Code<'g>, _: &Encoder) -> Tensor<'g> {
        through_affine_maps(z, self.length, |number, u| self.moves(number, u))
    }

    fn sample<'g>(&self, graph: &'g Graph, rows: usize, latent: usize, _: &Encoder) -> Tensor<'g> {
        let mut u = graph.normal(graph.stream(), &[rows, latent]);
        for number in 0..self.length {
            let mut z = u;
            for _ in 0..latent {
                let [s, m] = self.moves(number, z);
                z = u * s.exp() + m;
            }
            u = z;
        }
        u
    }
}
