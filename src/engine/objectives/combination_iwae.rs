//! The combination importance-weighted bound: between the ELBO and the importance-weighted bound of the same codes.

use std::sync::Arc;

use super::iwae::{SAMPLES, bound, tempered};
use super::{Inference, Loss, Objective};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};

/// −c (1/K) Σ_k ln w_k − (1 − c) ln (1/K) Σ_k w_k.
#[derive(Clone, Copy, Debug)]
pub struct CombinationIwae {
    samples: usize,
    share: f32,
}

pub(super) static PIECE: Piece<dyn Objective> = Piece {
    about: About {
        kind: Kind::Objective,
        id: "combination-iwae",
        aliases: &["ciwae"],
        name: "combination importance-weighted: a share of the ELBO, the rest the bound of the IWAE, of the same K codes",
        formula: "−c (1/K) Σ_k ln w_k − (1 − c) ln (1/K) Σ_k w_k, w = p(x|z) (p(z)/q(z|x))^β",
        source: "Rainforth et al. 2018, section 4 (CIWAE), where c is β",
        settings: &[
            Setting {
                name: "share",
                default: Usual::Number(0.5),
                bounds: Bounds::Within(0.0, 1.0),
                meaning: "c, the share of the ELBO: 0 is the IWAE, 1 the ELBO",
            },
            SAMPLES,
        ],
        example: "elbo train --objective combination-iwae:share=0.5,samples=20",
    },
    build: |settings| {
        Arc::new(CombinationIwae { samples: settings.whole(SAMPLES.name), share: settings.get("share") as f32 })
    },
};

impl Objective for CombinationIwae {
    fn samples(&self) -> usize {
        self.samples
    }

    fn loss<'g>(&self, inference: &Inference<'_, 'g>) -> Loss<'g> {
        let log_weights = tempered(inference);
        let elbo = -log_weights.mean(&[1]);
        Loss::new(elbo * self.share + bound(log_weights) * (1.0 - self.share))
    }
}
