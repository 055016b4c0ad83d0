//! The Wasserstein autoencoder with the MMD penalty: no KL term at all.

use std::sync::Arc;

use super::mmd::{MmdKernel, mmd};
use super::{Inference, Loss, Need, Objective};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};

/// E_q\[−ln p(x | z)\] + λ·MMD²(q(z), p(z)).
#[derive(Clone, Copy, Debug)]
pub struct Wae {
    lambda: f32,
}

pub(super) static PIECE: Piece<dyn Objective> = Piece {
    about: About {
        kind: Kind::Objective,
        id: "wae",
        aliases: &["wae-mmd"],
        name: "Wasserstein autoencoder, WAE-MMD: inverse multiquadratic kernels at seven scales",
        formula: "−E_q[ln p(x|z)] + λ MMD²(q(z), p(z)), k = Σ_s 2ds/(2ds + ‖a − b‖²)",
        source: "Tolstikhin et al. 2018, algorithm 2; --beta has no part in it",
        settings: &[Setting {
            name: "lambda",
            default: Usual::Number(100.0),
            bounds: Bounds::NotNegative,
            meaning: "λ",
        }],
        example: "elbo train --objective wae:lambda=100 --likelihood gaussian",
    },
    build: |settings| Arc::new(Wae { lambda: settings.get("lambda") as f32 }),
};

impl Objective for Wae {
    fn needs(&self) -> &'static [Need] {
        &[Need::Pairs, Need::OneLayer]
    }

    fn couples_rows(&self) -> bool {
        true
    }

    fn uses_beta(&self) -> bool {
        false
    }

    fn loss<'g>(&self, inference: &Inference<'_, 'g>) -> Loss<'g> {
        let kernel = MmdKernel::InverseMultiquadratic { c: 2.0 * inference.latent() as f32 };
        let distance = inference.in_every_row(mmd(inference, kernel));
        let rows = inference.reconstruction() + distance * self.lambda;
        Loss { rows, parts: vec![("mmd", distance)], gradient_scale: None }
    }
}
