//! The partially importance-weighted autoencoder: the decoder learns by the tightest bound, the encoder by several looser ones.
//!
//! The bound of all T = M·K codes gives the decoder its gradient, Σ_t w̃_t ∂ln w_t/∂θ with w̃_t = w_t/Σ w. The encoder has that of the
//! multiply importance-weighted bound, (1/M) Σ_m Σ_k (w_mk/W_m) ∂ln w_mk/∂φ, W_m being the sum over group m. All that a code gives the encoder
//! comes back through the outputs that it was made of, and is multiplied there by the ratio of the two, Σ w/(M W_m). Of a group that weighs
//! less than e^−87 of all, 32 bits hold no gradient on that way.

use std::sync::Arc;

use super::iwae::{bound, tempered};
use super::multiply_iwae::{GROUPS, SAMPLES, in_groups};
use super::{Inference, Loss, Need, Objective};
use crate::catalogue::{About, Kind, Piece};

/// The bound of the IWAE of M·K codes, with the gradient of the multiply importance-weighted one for the encoder.
#[derive(Clone, Copy, Debug)]
pub struct PartiallyIwae {
    samples: usize,
    groups: usize,
}

/// The largest logarithm whose exponential 32 bits hold.
const LARGEST: f32 = 87.0;

pub(super) static PIECE: Piece<dyn Objective> = Piece {
    about: About {
        kind: Kind::Objective,
        id: "partially-iwae",
        aliases: &["piwae"],
        name: "partially importance-weighted: the decoder by the bound of all M·K codes, the encoder by M bounds of K",
        formula: "decoder: the bound of iwae, of M·K codes; encoder: the gradient of multiply-iwae",
        source: "Rainforth et al. 2018, section 4 (PIWAE)",
        settings: &[SAMPLES, GROUPS],
        example: "elbo train --objective partially-iwae:samples=8,groups=8",
    },
    build: |settings| {
        Arc::new(PartiallyIwae { samples: settings.whole(SAMPLES.name), groups: settings.whole(GROUPS.name) })
    },
};

impl Objective for PartiallyIwae {
    fn samples(&self) -> usize {
        self.samples * self.groups
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::OneLayer]
    }

    fn loss<'g>(&self, inference: &Inference<'_, 'g>) -> Loss<'g> {
        let (rows, log_weights) = (inference.rows(), tempered(inference));
        let of_groups = in_groups(log_weights, self.groups).log_sum_exp(&[1]).reshape(&[rows, self.groups]);
        let apart = log_weights.log_sum_exp(&[1]).reshape(&[rows, 1]) - of_groups;
        let ratio = apart.minimum(apart.graph().constant(LARGEST)).exp() * (1.0 / self.groups as f32);
        let of_codes = ratio.reshape(&[rows * self.groups, 1]).repeat_rows(self.samples);
        Loss { rows: bound(log_weights), parts: vec![], gradient_scale: Some((inference.outputs_of_codes, of_codes)) }
    }
}
