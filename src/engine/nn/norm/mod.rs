//! Normalisation: the numbers between layers brought to one scale.
//!
//! Layers of rows of numbers are normalised as pictures of one pixel are, whose channels are the numbers of a row.

mod batch;
mod group;

pub use batch::batch_norm;
pub use group::group_norm;

use strum::{EnumString, IntoStaticStr, VariantNames};

use crate::catalogue::{Bounds, Setting, Usual};
use crate::graph::{Init, Tensor};

/// Added to variances, as PyTorch's layers do.
const EPSILON: f32 = 1e-5;

/// What brings the numbers between layers of pictures to one scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Norm {
    /// Nothing.
    None,
    /// Group normalisation: by picture and group of channels.
    Group,
    /// Batch normalisation: by channel, over all pictures of a batch.
    Batch,
    /// Layer normalisation: by picture.
    Layer,
    /// Instance normalisation: by picture and channel.
    Instance,
}

/// What brings the numbers between layers of rows to one scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum RowNorm {
    /// Nothing.
    #[default]
    None,
    /// Batch normalisation: unit by unit, over all rows of a batch.
    Batch,
    /// Layer normalisation: row by row, over all units.
    Layer,
}

/// The setting of networks whose layers of rows can be normalised.
pub(super) const ROW_NORM: Setting = Setting {
    name: "norm",
    default: Usual::Word("none"),
    bounds: Bounds::OneOf(RowNorm::VARIANTS),
    meaning: "n, normalisation in front of each nonlinearity; batch keeps running statistics",
};

impl RowNorm {
    /// n(t) of rows `[rows, units]`. Its parameters, and what it keeps, lie in the scope `name`.
    pub fn of<'g>(self, name: &str, t: Tensor<'g>) -> Tensor<'g> {
        match self {
            RowNorm::None => t,
            RowNorm::Batch => batch_norm(name, t, 1),
            RowNorm::Layer => group_norm(name, t, 1, 1),
        }
    }

    /// Why it does not go with layers of so many units, if it does not.
    pub(crate) fn refusal(self, mut widths: impl Iterator<Item = usize>) -> Option<String> {
        (self == RowNorm::Layer && widths.any(|width| width == 1)).then(|| {
            "a layer of one unit is one number in each row, of which norm=layer leaves nothing: give it more units, norm=batch or \
             norm=none"
                .to_string()
        })
    }
}

/// γ_c x + β_c, `x` of any shape with the channels last.
fn scaled(x: Tensor) -> Tensor {
    let [scale, shift] = [("scale", 1.0), ("shift", 0.0)]
        .map(|(part, start)| x.graph().param(part, &[x.width()], Init::Constant(start)));
    x * scale + shift
}
