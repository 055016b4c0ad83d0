//! β-VAE: the KL term with a weight above 1, which makes single dimensions stand for single properties.

use std::sync::Arc;

use super::{Inference, Loss, Objective};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};

/// E_q\[−ln p(x | z)\] + β·KL(q(z | x) ‖ p(z)), β being its own; a warm-up still applies.
#[derive(Clone, Copy, Debug)]
pub struct BetaVae {
    beta: f32,
}

pub(super) static PIECE: Piece<dyn Objective> = Piece {
    about: About {
        kind: Kind::Objective,
        id: "beta-vae",
        aliases: &[],
        name: "beta-VAE: the KL term weighted by beta",
        formula: "−E_q[ln p(x|z)] + β KL(q(z|x) ‖ p(z))",
        source: "Higgins et al. 2017, equation 4; β is not normalised by pixels or dimensions",
        settings: &[Setting {
            name: "beta",
            default: Usual::Number(4.0),
            bounds: Bounds::NotNegative,
            meaning: "β; the same as --objective elbo --beta",
        }],
        example: "elbo train --objective beta-vae:beta=4",
    },
    build: |settings| Arc::new(BetaVae { beta: settings.get("beta") as f32 }),
};

impl Objective for BetaVae {
    fn loss<'g>(&self, inference: &Inference<'_, 'g>) -> Loss<'g> {
        let kl = inference.weighted_by_beta(inference.kl_of_rows());
        Loss::new(inference.reconstruction() + kl * self.beta)
    }
}
