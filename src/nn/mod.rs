//! Layers: how their parameters are named, shaped and initialised, and the graph they make.

mod activation;
mod linear;
mod made;
mod mlp;
mod parameters;

pub use activation::Activation;
pub use linear::Linear;
pub use made::Made;
pub use mlp::Mlp;
pub use parameters::{Init, ParameterSpec};
