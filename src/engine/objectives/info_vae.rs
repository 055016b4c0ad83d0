//! InfoVAE: the aggregate posterior is drawn to the prior by its own divergence, the MMD.

use std::sync::Arc;

use super::mmd::{MmdKernel, mmd};
use super::{Inference, Loss, Need, Objective};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};

/// E_q\[−ln p(x | z)\] + (1 − α)·β·KL(q(z | x) ‖ p(z)) + (α + λ − 1)·MMD²(q(z), p(z)).
#[derive(Clone, Copy, Debug)]
pub struct InfoVae {
    alpha: f32,
    lambda: f32,
}

pub(super) static PIECE: Piece<dyn Objective> = Piece {
    about: About {
        kind: Kind::Objective,
        id: "info-vae",
        aliases: &[],
        name: "InfoVAE with the MMD, RBF kernel of bandwidth d; alpha = 1 is the MMD-VAE",
        formula: "−E_q[ln p(x|z)] + (1 − α) KL(q(z|x) ‖ p(z)) + (α + λ − 1) MMD²(q(z), p(z)), k = exp(−‖a − b‖²/d)",
        source: "Zhao, Song & Ermon 2019, equation 6 and section 3.2.3",
        settings: &[
            Setting {
                name: "alpha",
                default: Usual::Number(0.9),
                bounds: Bounds::Within(-100.0, 1.0),
                meaning: "α; at 1 no KL is left, and codes that drift far out are no longer seen by the kernel",
            },
            Setting {
                name: "lambda",
                default: Usual::Number(1000.0),
                bounds: Bounds::NotNegative,
                meaning: "λ; α + λ − 1 is the weight of the MMD",
            },
        ],
        example: "elbo train --objective info-vae:alpha=0.9,lambda=1000",
    },
    build: |settings| Arc::new(InfoVae { alpha: settings.get("alpha") as f32, lambda: settings.get("lambda") as f32 }),
};

impl Objective for InfoVae {
    fn needs(&self) -> &'static [Need] {
        &[Need::Pairs, Need::OneLayer]
    }

    fn couples_rows(&self) -> bool {
        true
    }

    fn loss<'g>(&self, inference: &Inference<'_, 'g>) -> Loss<'g> {
        let kl = inference.weighted_by_beta(inference.kl_of_rows()) * (1.0 - self.alpha);
        let kernel = MmdKernel::Rbf { bandwidth: inference.latent() as f32 };
        let distance = inference.in_every_row(mmd(inference, kernel));
        let penalty = distance * (self.alpha + self.lambda - 1.0);
        Loss { rows: inference.reconstruction() + kl + penalty, parts: vec![("mmd", distance)], gradient_scale: None }
    }
}
