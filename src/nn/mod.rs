//! Layers: functions of tensors that declare their parameters as they go.

mod activation;
mod linear;
mod made;
mod mlp;

pub use activation::Activation;
pub use linear::linear;
pub use made::Made;
pub use mlp::Mlp;
