//! The pair of networks that every autoencoder here shares: a multilayer perceptron in, and one out.
//!
//! Where something is known of a row besides its values, both see it: it stands behind the values on the way in, and behind
//! the code on the way out.

use super::Rows;
use crate::distributions::Encode;
use crate::graph::{Graph, Tensor};
use crate::nn::{Activation, Linear, Mlp, ParameterSpec};

/// An encoder and a decoder, each hidden layers and a linear one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Networks {
    features: usize,
    latent: usize,
    condition: usize,
    encoder: Mlp,
    head: Linear,
    decoder: Mlp,
    output: Linear,
}

impl Networks {
    /// The sizes of a row, of a code and of what is known besides (0 for nothing); hidden widths from the data to the code
    /// and from the code to the data; `code` and `outputs` are how many values the encoder and the decoder give.
    pub fn new(
        (features, latent, condition): (usize, usize, usize),
        (encoder, decoder): (&[usize], &[usize]),
        activation: Activation,
        (code, outputs): (usize, usize),
    ) -> Networks {
        let (inwards, outwards) = (features + condition, latent + condition);
        let deepest = encoder.last().copied().unwrap_or(inwards);
        let widest = decoder.last().copied().unwrap_or(outwards);
        Networks {
            features,
            latent,
            condition,
            encoder: Mlp::new("encoder", inwards, encoder, activation),
            head: Linear::new("head", deepest, code),
            decoder: Mlp::new("decoder", outwards, decoder, activation),
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

    /// Values per row that are known besides.
    pub fn condition(&self) -> usize {
        self.condition
    }

    /// The parameters of both, encoder first.
    pub fn parameters(&self) -> Vec<ParameterSpec> {
        let mut all = self.encoder.parameters();
        all.extend(self.head.parameters());
        all.extend(self.decoder.parameters());
        all.extend(self.output.parameters());
        all
    }

    /// The encoder's outputs for rows.
    pub fn encode(&self, graph: &mut Graph, rows: Rows) -> Tensor {
        let x = self.joined(graph, rows.x, rows.y);
        self.outputs(graph, x)
    }

    /// The decoder's outputs for `z` `[rows, latent]` and what is known `[rows, condition]`.
    pub fn decode(&self, graph: &mut Graph, z: Tensor, y: Option<Tensor>) -> Tensor {
        let z = self.joined(graph, z, y);
        let hidden = self.decoder.forward(graph, z);
        self.output.forward(graph, hidden)
    }

    /// What is known behind what it belongs to.
    fn joined(&self, graph: &mut Graph, t: Tensor, y: Option<Tensor>) -> Tensor {
        match y.filter(|_| self.condition > 0) {
            Some(y) => graph.concat(&[t, y], 1),
            None => t,
        }
    }
}

impl Encode for Networks {
    /// With what is known besides.
    fn features(&self) -> usize {
        self.features + self.condition
    }

    fn outputs(&self, graph: &mut Graph, x: Tensor) -> Tensor {
        let hidden = self.encoder.forward(graph, x);
        self.head.forward(graph, hidden)
    }
}
