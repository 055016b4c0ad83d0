//! Free bits: what a dimension says below λ nats costs nothing less than λ, so that no dimension is given up early.

use std::sync::Arc;

use super::{Inference, Loss, Need, Objective};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};

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
            default: Usual::Number(0.5),
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

    fn couples_rows(&self) -> bool {
        true
    }

    fn loss<'g>(&self, inference: &Inference<'_, 'g>) -> Loss<'g> {
        let mean = inference.batch_mean(inference.kl);
        // At a tie the maximum's gradient goes to its first argument: at or below λ there is none.
        let counted = mean.graph().constant(self.lambda).maximum(mean).sum_rows();
        let weighted = inference.weighted_by_beta(inference.in_every_row(counted));
        Loss::new(inference.reconstruction() + weighted)
    }
}
