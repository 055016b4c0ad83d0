//! Free bits: what a dimension says below λ nats costs nothing less than λ, so that no dimension is given up early.

use std::sync::Arc;

use super::{Inference, Loss, Need, Objective};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting};
use crate::graph::Graph;
use crate::kernels::Func;

/// E_q\[−ln p(x | z)\] + β·Σ_d max(λ, E_batch\[KL_d\]).
#[derive(Clone, Copy, Debug)]
pub struct FreeBits {
    lambda: f32,
}

pub(super) static PIECE: Piece<dyn Objective> = Piece {
    about: About {
        kind: Kind::Objective,
        id: "free-bits",
        aliases: &[],
        name: "free bits: each dimension's KL counts only above lambda nats",
        formula: "−E_q[ln p(x|z)] + β Σ_d max(λ, E_batch[KL_d])",
        source: "Kingma et al. 2016, equation 15, with groups of one dimension",
        settings: &[Setting {
            name: "lambda",
            default: 0.5,
            bounds: Bounds::NotNegative,
            meaning: "λ, nats per dimension, of the mean over the batch",
        }],
        example: "elbo train --objective free-bits:lambda=0.5",
    },
    build: |settings| Arc::new(FreeBits { lambda: settings.get("lambda") as f32 }),
};

impl Objective for FreeBits {
    fn needs(&self) -> &'static [Need] {
        &[Need::ClosedFormKl]
    }

    fn loss(&self, graph: &mut Graph, inference: &Inference) -> Loss {
        let reconstruction = inference.reconstruction(graph);
        let mean = inference.batch_mean(graph, inference.kl);
        let lambda = graph.constant(self.lambda);
        // At a tie Max's gradient goes to its first argument: at or below λ there is none.
        let counted = graph.call(Func::Max, &[lambda, mean]);
        let sum = graph.sum_rows(counted);
        let sum = inference.in_every_row(graph, sum);
        let weighted = inference.weighted_by_beta(graph, sum);
        Loss::new(graph.add(reconstruction, weighted))
    }
}
