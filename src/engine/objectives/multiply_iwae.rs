//! The multiply importance-weighted bound: the mean of several importance-weighted bounds of fewer codes each.
//!
//! A bound of K codes grows tighter with K, and its gradient for the encoder noisier beside its size; the mean over M of them is as tight as
//! one and less noisy (Rainforth et al. 2018). Its authors call it MIWAE, which elsewhere stands for an IWAE of rows with missing values.

use std::sync::Arc;

use super::iwae::{bound, tempered};
use super::{Inference, Loss, Objective};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::graph::Tensor;

/// −(1/M) Σ_m ln (1/K) Σ_k w_mk.
#[derive(Clone, Copy, Debug)]
pub struct MultiplyIwae {
    samples: usize,
    groups: usize,
}

/// K, codes of a group.
pub(super) const SAMPLES: Setting = Setting {
    name: "samples",
    default: Usual::Number(8.0),
    bounds: Bounds::Whole(1, 256),
    meaning: "K, codes of a group; with 1 the bound of a group is the ELBO",
};

/// M, groups of codes.
pub(super) const GROUPS: Setting = Setting {
    name: "groups",
    default: Usual::Number(8.0),
    bounds: Bounds::Whole(1, 64),
    meaning: "M, groups of codes; M·K are drawn per example",
};

pub(super) static PIECE: Piece<dyn Objective> = Piece {
    about: About {
        kind: Kind::Objective,
        id: "multiply-iwae",
        aliases: &["multiply-importance-weighted"],
        name: "the mean of M importance-weighted bounds of K codes each: a less noisy gradient",
        formula: "−(1/M) Σ_m ln (1/K) Σ_k w_mk, w = p(x|z) (p(z)/q(z|x))^β",
        source: "Rainforth et al. 2018, section 4, there MIWAE; no missing data",
        settings: &[SAMPLES, GROUPS],
        example: "elbo train --objective multiply-iwae:samples=8,groups=8",
    },
    build: |settings| {
        Arc::new(MultiplyIwae { samples: settings.whole(SAMPLES.name), groups: settings.whole(GROUPS.name) })
    },
};

/// `[rows, M·K]` as `[rows·M, K]`, a group in each row.
pub(super) fn in_groups(log_weights: Tensor, groups: usize) -> Tensor {
    let [rows, codes] = log_weights.dims();
    log_weights.reshape(&[rows * groups, codes / groups])
}

impl Objective for MultiplyIwae {
    fn samples(&self) -> usize {
        self.samples * self.groups
    }

    fn loss<'g>(&self, inference: &Inference<'_, 'g>) -> Loss<'g> {
        let bounds = bound(in_groups(tempered(inference), self.groups));
        Loss::new(bounds.reshape(&[inference.rows(), self.groups]).mean(&[1]))
    }
}
