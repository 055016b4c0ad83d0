//! What models of several stochastic layers have in common.

use std::sync::LazyLock;

use super::Recognition;
use crate::graph::Tensor;

/// The most stochastic layers of any model.
pub const MOST_LAYERS: usize = 64;

/// How the stochastic layers of a model that has several are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StochasticLayers {
    /// A stack of layers, each with dimensions of its own: `latent` and `upper`.
    Stack(Recognition),
    /// Layers along one network from the top down, of which the model's own settings tell how many and how large. Codes are relative to
    /// their priors, so that those of all layers together are under N(0, I).
    TopDown,
}

impl StochasticLayers {
    /// Whether KL(q ‖ p) of every layer has a closed form, given the layers that are drawn before it.
    pub fn tells_kl(self) -> bool {
        match self {
            StochasticLayers::Stack(recognition) => recognition.tells_kl(),
            StochasticLayers::TopDown => true,
        }
    }
}

/// What the KL of each layer is called, from the data upwards.
static KL_OF_LAYERS: LazyLock<Vec<String>> =
    LazyLock::new(|| (1..=MOST_LAYERS).map(|layer| format!("kl_layer_{layer}")).collect());

/// The KL of each layer by name: of what it is per dimension or as a whole, from the data upwards `[rows, n]`, the sums `[rows, 1]`.
pub(super) fn kl_of_layers<'g>(kls: &[Tensor<'g>]) -> impl Iterator<Item = (&'static str, Tensor<'g>)> {
    assert!(kls.len() <= MOST_LAYERS, "{} layers, and names for {MOST_LAYERS}", kls.len());
    KL_OF_LAYERS.iter().map(String::as_str).zip(kls.iter().map(|kl| kl.sum_rows()).collect::<Vec<_>>())
}

/// The mean over the samples of each row: `[rows·samples, n]` to `[rows, n]`.
pub(super) fn mean_over_samples(t: Tensor, samples: usize) -> Tensor {
    let [all, n] = t.dims();
    t.reshape(&[all / samples, samples, n]).mean(&[1]).reshape(&[all / samples, n])
}
