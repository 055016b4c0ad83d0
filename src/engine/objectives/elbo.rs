//! The evidence lower bound.

use std::sync::Arc;

use super::{Inference, Loss, Objective};
use crate::catalogue::{About, Kind, Piece};

/// −ELBO with the KL term weighted by β: E_q\[−ln p(x | z)\] + β·KL(q(z | x) ‖ p(z)).
#[derive(Clone, Copy, Debug)]
pub struct Elbo;

pub(super) static PIECE: Piece<dyn Objective> = Piece {
    about: About {
        kind: Kind::Objective,
        id: "elbo",
        aliases: &["vae"],
        name: "evidence lower bound; the KL term is weighted by --beta",
        formula: "−E_q[ln p(x|z)] + β KL(q(z|x) ‖ p(z))",
        source: "Kingma & Welling 2014, equation 3",
        settings: &[],
        example: "elbo train --objective elbo --kl-warmup-epochs 10",
    },
    build: |_| Arc::new(Elbo),
};

impl Objective for Elbo {
    fn loss<'g>(&self, inference: &Inference<'_, 'g>) -> Loss<'g> {
        Loss::new(inference.reconstruction() + inference.weighted_by_beta(inference.kl_of_rows()))
    }
}
