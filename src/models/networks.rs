//! The pair of networks that every autoencoder here shares: a multilayer perceptron in, and one out.

use crate::distributions::Encode;
use crate::graph::{Graph, Tensor};
use crate::nn::{Activation, Linear, Mlp, ParameterSpec};

/// An encoder and a decoder, each hidden layers and a linear one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Networks {
    features: usize,
    latent: usize,
    encoder: Mlp,
    head: Linear,
    decoder: Mlp,
    output: Linear,
}

impl Networks {
    /// Hidden widths from the data to the code and from the code to the data; `code` and `outputs` are how many values
    /// the encoder and the decoder give.
    pub fn new(
        (features, latent): (usize, usize),
        (encoder, decoder): (&[usize], &[usize]),
        activation: Activation,
        (code, outputs): (usize, usize),
    ) -> Networks {
        let deepest = encoder.last().copied().unwrap_or(features);
        let widest = decoder.last().copied().unwrap_or(latent);
        Networks {
            features,
            latent,
            encoder: Mlp::new("encoder", features, encoder, activation),
            head: Linear::new("head", deepest, code),
            decoder: Mlp::new("decoder", latent, decoder, activation),
            output: Linear::new(format!("decoder.{}", decoder.len()), widest, outputs),
        }
    }

    /// Values per example.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Dimensions of the code.
    pub fn latent(&self) -> usize {
        self.latent
    }

    /// The parameters of both, encoder first.
    pub fn parameters(&self) -> Vec<ParameterSpec> {
        let mut all = self.encoder.parameters();
        all.extend(self.head.parameters());
        all.extend(self.decoder.parameters());
        all.extend(self.output.parameters());
        all
    }

    /// The encoder's outputs for `x` `[rows, features]`.
    pub fn encode(&self, graph: &mut Graph, x: Tensor) -> Tensor {
        let hidden = self.encoder.forward(graph, x);
        self.head.forward(graph, hidden)
    }

    /// The decoder's outputs for `z` `[rows, latent]`.
    pub fn decode(&self, graph: &mut Graph, z: Tensor) -> Tensor {
        let hidden = self.decoder.forward(graph, z);
        self.output.forward(graph, hidden)
    }
}

impl Encode for Networks {
    fn features(&self) -> usize {
        self.features
    }

    fn outputs(&self, graph: &mut Graph, x: Tensor) -> Tensor {
        self.encode(graph, x)
    }
}
