//! Layers and networks: functions of tensors that declare their parameters as they go.
//!
//! A network of the list is one file that ends in its static, and one line here.

mod activation;
pub(crate) mod causal;
pub mod conv;
mod dropout;
mod linear;
mod made;
mod mlp;
mod network;
mod norm;
mod residual;
mod spectral;

pub use activation::Activation;
pub use dropout::dropout;
pub use linear::linear;
pub use made::Made;
pub use mlp::Mlp;
pub use network::{Input, Known, Network, Outputs};
pub use norm::{Norm, RowNorm, batch_norm, group_norm};
pub use residual::Residual;
pub use spectral::spectrally_normalised;

use strum::VariantNames;

use crate::catalogue::{Bounds, Piece, Setting, Usual};

/// Every network that an encoder or a decoder can be.
pub static NETWORKS: &[&Piece<dyn Network>] =
    &[&mlp::PIECE, &residual::PIECE, &conv::CONV, &conv::BURGESS, &conv::KERAS, &conv::DCGAN, &conv::RESNET];

/// The most hidden layers of a network.
const MAX_LAYERS: usize = 64;

/// The most units of a layer.
pub(crate) const MAX_UNITS: u64 = 1 << 16;

/// How many units a layer may have.
pub(crate) const UNITS: Bounds = Bounds::Whole(1, MAX_UNITS);

/// The setting of networks whose nonlinearity can be chosen.
pub(crate) const ACTIVATION: Setting = Setting {
    name: "activation",
    default: Usual::Word("silu"),
    bounds: Bounds::OneOf(Activation::VARIANTS),
    meaning: "f, the nonlinearity",
};
