//! The pair of networks that every autoencoder here shares: a multilayer perceptron in, and one out.
//!
//! Where something is known of a row besides its values, both see it: it stands behind the values on the way in, and behind
//! the code on the way out.

use super::Rows;
use crate::distributions::{Encode, Likelihood};
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

    /// What the encoder's hidden layers give for `x` `[rows, features]`, for more networks to stand on; and its outputs.
    pub(super) fn encode_with_hidden(&self, graph: &mut Graph, x: Tensor) -> [Tensor; 2] {
        let hidden = self.encoder.forward(graph, x);
        [hidden, self.head.forward(graph, hidden)]
    }

    /// Values per row that the encoder's hidden layers give.
    pub(super) fn hidden(&self) -> usize {
        self.head.inputs
    }

    /// The decoder's outputs for `z` `[rows, latent]` and what is known `[rows, condition]`.
    pub fn decode(&self, graph: &mut Graph, z: Tensor, y: Option<Tensor>) -> Tensor {
        let z = self.joined(graph, z, y);
        let hidden = self.decoder.forward(graph, z);
        self.output.forward(graph, hidden)
    }

    /// ln p(x | z) of codes `[rows·samples, latent]` and rows of data. `[rows, samples]`
    pub(super) fn log_likelihood(
        &self,
        graph: &mut Graph,
        likelihood: &dyn Likelihood,
        z: Tensor,
        Rows { mut x, y }: Rows,
    ) -> Tensor {
        let &[rows, features] = graph.shape(x) else { unreachable!("data has two dimensions") };
        let samples = graph.shape(z)[0] / rows;
        let y = y.map(|y| repeat(graph, y, samples));
        let mut outputs = self.decode(graph, z, y);
        if samples > 1 {
            let width = graph.shape(outputs)[1];
            outputs = graph.reshape(outputs, &[rows, samples, width]);
            x = graph.reshape(x, &[rows, 1, features]);
        }
        let each = likelihood.log_prob(graph, outputs, x);
        let sum = graph.sum_rows(each);
        graph.reshape(sum, &[rows, samples])
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
        let [_, outputs] = self.encode_with_hidden(graph, x);
        outputs
    }
}

/// Every row so many times behind each other: `[rows, n]` to `[rows·times, n]`.
pub(super) fn repeat(graph: &mut Graph, t: Tensor, times: usize) -> Tensor {
    let &[rows, n] = graph.shape(t) else { unreachable!("a batch has two dimensions") };
    let t = graph.reshape(t, &[rows, 1, n]);
    let t = graph.expand(t, &[rows, times, n]);
    graph.reshape(t, &[rows * times, n])
}
