//! What a run is like, in words that are not the engine's.

use super::densities::Density;
use super::pictures::Changes;

/// The nonlinearity of hidden layers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bend {
    /// tanh x
    Tanh,
    /// max(x, 0)
    Relu,
}

/// How the learning rate goes on after its warm-up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decay {
    /// As it is.
    Never,
    /// Half a cosine to 0 at the end of training (Loshchilov and Hutter 2017, equation 5, without restarts).
    Cosine,
    /// Times a factor every so many epochs.
    Steps(usize, f64),
}

/// A run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether codes are drawn, and their KL divergence has a part in the loss.
    pub variational: bool,
    /// Values per row.
    pub features: usize,
    /// Widths of the encoder's hidden layers; the decoder has them in reverse.
    pub hidden: Vec<usize>,
    /// Dimensions of the code.
    pub latent: usize,
    /// What stands behind each hidden layer.
    pub bend: Bend,
    /// p(x | z).
    pub density: Density,
    /// Whether greys are drawn as black or white each time they are seen.
    pub binarise: bool,
    /// How pictures are changed each time they are seen.
    pub changes: Option<Changes>,
    /// The weight of the KL divergence.
    pub beta: f64,
    /// Epochs over which that weight grows.
    pub kl_warmup: usize,
    /// Epochs after which it starts over; 0 for never.
    pub kl_cycle: usize,
    /// Passes over the rows.
    pub epochs: usize,
    /// Rows per step.
    pub batch: usize,
    /// α of Adam.
    pub learning_rate: f64,
    /// Steps over which it grows.
    pub warmup: usize,
    /// What becomes of it then.
    pub decay: Decay,
    /// The most that the norm of the gradient may be.
    pub clip: Option<f64>,
    /// β₁ and β₂ of Adam.
    pub decays: [f64; 2],
    /// ε of Adam.
    pub epsilon: f64,
    /// What decides all that is random.
    pub seed: u64,
}

/// The number that a device holds of a setting: the f32 next to it. It matters where it is taken from 1: 1 − 0.999 in f32 is
/// off by 1.3e-5 of itself.
pub fn held(setting: f64) -> f64 {
    f64::from(setting as f32)
}
