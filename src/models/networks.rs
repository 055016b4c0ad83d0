//! The pair of networks that every autoencoder here shares: a multilayer perceptron in, and one out.
//!
//! Where something is known of a row besides its values, both see it: it stands behind the values on the way in, and behind
//! the code on the way out.

use super::Rows;
use crate::distributions::{Likelihood, PosteriorNetwork};
use crate::graph::Tensor;
use crate::nn::{Activation, Mlp, linear};

/// An encoder and a decoder, each hidden layers and a linear one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Networks {
    features: usize,
    latent: usize,
    condition: usize,
    encoder: Mlp,
    code: usize,
    decoder: Mlp,
    outputs: usize,
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
        let [encoder, decoder] = [encoder, decoder].map(|widths| Mlp { widths: widths.to_vec(), activation });
        Networks { features, latent, condition, encoder, code, decoder, outputs }
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

    /// The encoder's outputs for rows.
    pub fn encode<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.outputs(self.joined(rows.x, rows.y))
    }

    /// What the encoder's hidden layers give for `x` `[rows, features]`, for more networks to stand on; and its outputs.
    pub(super) fn encode_with_hidden<'g>(&self, x: Tensor<'g>) -> [Tensor<'g>; 2] {
        let hidden = self.encoder.forward("encoder", x);
        [hidden, linear("head", hidden, self.code)]
    }

    /// The decoder's outputs for `z` `[rows, latent]` and what is known `[rows, condition]`.
    pub fn decode<'g>(&self, z: Tensor<'g>, y: Option<Tensor<'g>>) -> Tensor<'g> {
        let hidden = self.decoder.forward("decoder", self.joined(z, y));
        linear(&format!("decoder.{}", self.decoder.widths.len()), hidden, self.outputs)
    }

    /// ln p(x | z) of codes `[rows·samples, latent]` and rows of data. `[rows, samples]`
    pub(super) fn log_likelihood<'g>(&self, likelihood: &dyn Likelihood, z: Tensor<'g>, rows: Rows<'g>) -> Tensor<'g> {
        let samples = z.shape()[0] / rows.count();
        rows.log_likelihood(likelihood, self.decode(z, rows.y.map(|y| y.repeat_rows(samples))))
    }

    /// What is known behind what it belongs to.
    fn joined<'g>(&self, t: Tensor<'g>, y: Option<Tensor<'g>>) -> Tensor<'g> {
        match y.filter(|_| self.condition > 0) {
            Some(y) => t.graph().concat(&[t, y], 1),
            None => t,
        }
    }
}

impl PosteriorNetwork for Networks {
    /// With what is known besides.
    fn features(&self) -> usize {
        self.features + self.condition
    }

    fn outputs<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let [_, outputs] = self.encode_with_hidden(x);
        outputs
    }
}
