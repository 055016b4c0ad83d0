//! Models: one file each, saying how its graph is put together.

mod autoencoder;
mod networks;
mod vae;

pub use autoencoder::Autoencoder;
pub use networks::Networks;
pub use vae::Vae;

use crate::graph::{Graph, Tensor};
use crate::nn::ParameterSpec;

/// The scalar by which the KL divergence is weighted: β, which warm-up schedules vary.
pub const BETA: &str = "beta";

/// What a model says of a batch, each `[rows, 1]`, in nats per example.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// What is minimised.
    pub loss: Tensor,
    /// −ln p(x | z).
    pub reconstruction: Tensor,
    /// KL(q(z | x) ‖ p(z)), unweighted, per dimension `[rows, latent]`; `None` for a deterministic code.
    pub kl: Option<Tensor>,
    /// The code's mean `[rows, latent]`.
    pub mu: Tensor,
}

/// A model with a code: it encodes, decodes, and says what to minimise.
pub trait Model: std::fmt::Debug + Send + Sync {
    /// Values per example.
    fn features(&self) -> usize;

    /// Dimensions of the code.
    fn latent(&self) -> usize;

    /// Its parameters, in a fixed order.
    fn parameters(&self) -> Vec<ParameterSpec>;

    /// What is minimised for a batch `x` of `[rows, features]`.
    fn terms(&self, graph: &mut Graph, x: Tensor) -> Terms;

    /// The code's mean `[rows, latent]`.
    fn encode(&self, graph: &mut Graph, x: Tensor) -> Tensor;

    /// E\[x | z\] for codes `[rows, latent]`.
    fn decode(&self, graph: &mut Graph, z: Tensor) -> Tensor;

    /// Whether codes drawn from a standard normal are meaningful.
    fn is_generative(&self) -> bool;
}
