//! Values that are missing because of what they are themselves.

use std::sync::Arc;

use strum::{EnumString, VariantNames};

use super::MissingMechanism;
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::graph::{Init, Tensor};

/// Which values of a column are missing more often than others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum MissingSide {
    /// Large ones or small ones, as the rows say.
    Either,
    /// Large ones.
    Large,
    /// Small ones.
    Small,
}

/// A logistic regression of whether a value is observed on the value, column by column.
#[derive(Clone, Copy, Debug)]
pub struct SelfMasking {
    /// Which values are missing more often.
    pub missing: MissingSide,
}

pub(super) static PIECE: Piece<dyn MissingMechanism> = Piece {
    about: About {
        kind: Kind::MissingMechanism,
        id: "self-masking",
        aliases: &["self-censoring"],
        name: "a value is missing by what it is itself: a logistic of it, column by column",
        formula: "p(s_j=1|x) = σ(w_j x_j + b_j); w_j < 0 where large values are missing, w_j > 0 where small ones are",
        source: "Ipsen, Mattei & Frellsen 2021, section 3.2 and appendix (self-masking, and self-masking known)",
        settings: &[Setting {
            name: "missing",
            default: Usual::Word("either"),
            bounds: Bounds::OneOf(MissingSide::VARIANTS),
            meaning: "which values are missing more often, where that is known",
        }],
        example: "elbo train --data patients.csv --objective iwae:samples=20 --missing-mechanism self-masking:missing=large",
    },
    build: |settings| Arc::new(SelfMasking { missing: settings.word("missing") }),
};

impl MissingMechanism for SelfMasking {
    fn logits<'g>(&self, x: Tensor<'g>) -> Option<Tensor<'g>> {
        let graph = x.graph();
        let shape = [1, x.width()];
        let [weight, bias] = ["weight", "bias"].map(|name| graph.param(name, &shape, Init::Constant(0.0)));
        let slope = match self.missing {
            MissingSide::Either => weight,
            MissingSide::Large => -weight.softplus(),
            MissingSide::Small => weight.softplus(),
        };
        Some(x * slope + bias)
    }
}
