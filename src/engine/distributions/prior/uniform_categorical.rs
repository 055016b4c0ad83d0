//! Categorical variables of which every category is as likely as another.

use std::sync::Arc;

use super::choice::{choose, even};
use super::{Code, Encoder, Prior};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::distributions::{CodeSpace, relaxed};
use crate::graph::{Graph, Tensor};

/// π_k = 1/n.
#[derive(Clone, Copy, Debug)]
struct UniformCategorical {
    categories: usize,
}

pub(super) static PIECE: Piece<dyn Prior> = Piece {
    about: About {
        kind: Kind::Prior,
        id: "uniform-categorical",
        aliases: &[],
        name: "categorical variables, all categories alike; goes with the posterior gumbel-softmax",
        formula: "p(k) = 1/n; of relaxed codes the concrete density at π = 1/n and the posterior's τ",
        source: "Jang, Gu & Poole 2017, section 4; Maddison, Mnih & Teh 2017, appendix C.3.2",
        settings: &[Setting {
            name: "categories",
            default: Usual::Number(10.0),
            bounds: Bounds::Whole(2, 65536),
            meaning: "n, that of the posterior",
        }],
        example: "elbo train --latent 200 --posterior gumbel-softmax:categories=10 --prior uniform-categorical",
    },
    build: |settings| Arc::new(UniformCategorical { categories: settings.whole("categories") }),
};

impl Prior for UniformCategorical {
    fn codes(&self) -> CodeSpace {
        CodeSpace::Simplex(self.categories)
    }

    fn log_prob<'g>(&self, Code { z, log_z }: Code<'g>, _: &Encoder) -> Tensor<'g> {
        let ([rows, latent], n) = (z.dims(), self.categories);
        let shape = [rows, latent / n, n];
        let log_y = log_z.unwrap_or_else(|| z.ln()).reshape(&shape);
        relaxed::log_prob(z.graph().full(-libm::logf(n as f32), &shape), log_y)
    }

    /// Corners of the simplex: the categories themselves.
    fn sample<'g>(&self, graph: &'g Graph, rows: usize, latent: usize, _: &Encoder) -> Tensor<'g> {
        let cumulated = even(graph, self.categories);
        choose(rows * latent / self.categories, cumulated).reshape(&[rows, latent])
    }
}
