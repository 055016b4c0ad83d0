//! The pair of networks that every autoencoder here shares: one in, and one out, each with a linear layer or its like behind it.
//!
//! Where something is known of a row besides its values, both are told it.

use std::sync::Arc;

use super::{Decoded, ModelConfig, Rows, Sizes};
use crate::catalogue::build;
use crate::data::Shape;
use crate::distributions::{Likelihood, PosteriorNetwork};
use crate::error::{Error, Result};
use crate::graph::{Graph, Tensor};
use crate::nn::{Activation, Input, Known, Mlp, NETWORKS, Network, Outputs};

/// The hidden layers of an encoder and of a decoder.
#[derive(Clone, Debug)]
pub struct NetworkPair {
    /// From the data inwards.
    pub encoder: Arc<dyn Network>,
    /// From the code outwards.
    pub decoder: Arc<dyn Network>,
}

impl NetworkPair {
    /// Multilayer perceptrons of these widths, the encoder's and the decoder's.
    pub fn mlp((encoder, decoder): (&[usize], &[usize]), activation: Activation) -> NetworkPair {
        let [encoder, decoder] = [encoder, decoder].map(|widths| Arc::new(Mlp::new(widths.to_vec(), activation)));
        NetworkPair { encoder, decoder }
    }
}

impl ModelConfig {
    /// The hidden layers that settings describe, for rows of these sizes: the decoder's are the mirror of the encoder's where none
    /// are chosen.
    ///
    /// # Errors
    /// If a network does not exist, is given what it does not take, or cannot be of such rows.
    pub fn networks(&self, Sizes { shape, .. }: Sizes) -> Result<NetworkPair> {
        let encoder = self.encoder_network(shape, self.latent)?;
        let decoder = match &self.decoder {
            Some(spec) => build(NETWORKS, spec)?,
            None => encoder.mirror(),
        };
        refuse("decoder", decoder.refusal(Shape::vector(self.latent), shape))?;
        Ok(NetworkPair { encoder, decoder })
    }

    /// The hidden layers from rows of a shape to so many values.
    ///
    /// # Errors
    /// As for [`ModelConfig::networks`].
    pub fn encoder_network(&self, shape: Shape, to: usize) -> Result<Arc<dyn Network>> {
        let encoder = build(NETWORKS, &self.encoder)?;
        refuse("encoder", encoder.refusal(shape, Shape::vector(to)))?;
        Ok(encoder)
    }
}

fn refuse(side: &str, why: Option<String>) -> Result<()> {
    match why {
        None => Ok(()),
        Some(why) => Err(Error::invalid(format!("the network that is chosen as {side} cannot be one here: {why}"))),
    }
}

/// Values that the last hidden layer of a network gives for each row, where nothing is known of them besides.
pub(super) fn hidden_width(network: &dyn Network, shape: Shape, to: usize) -> usize {
    let graph = Graph::new();
    let x = graph.input("x", &[1, shape.features()]);
    network.forward("network", Input { x, shape, known: Known::Nothing }, Shape::vector(to)).width()
}

/// An encoder and a decoder, each hidden layers and a last one.
#[derive(Clone, Debug)]
pub struct Networks {
    sizes: Sizes,
    latent: usize,
    hidden: NetworkPair,
    code: usize,
    outputs: usize,
}

impl Networks {
    /// The sizes of rows and of a code; `code` and `outputs` are how many values the encoder and the decoder give of one.
    pub fn new(sizes: Sizes, latent: usize, hidden: NetworkPair, code: usize, outputs: usize) -> Networks {
        Networks { sizes, latent, hidden, code, outputs }
    }

    /// Values per example.
    pub fn features(&self) -> usize {
        self.sizes.features()
    }

    /// Dimensions of the code.
    pub fn latent(&self) -> usize {
        self.latent
    }

    /// The picture that a code is which the encoder gives, channel by channel; `[1, 1]` where every number sees all of a row.
    pub(super) fn image_of_codes(&self) -> [usize; 2] {
        self.hidden.encoder.image_of_codes(self.sizes.shape)
    }

    /// The network that shrinks once more what the encoder's hidden layers give, and the picture that this is; `None` where it is none, or where
    /// there is no such network.
    pub(super) fn shrunk_again(&self) -> Option<(Arc<dyn Network>, Shape)> {
        let (encoder, [height, width]) = (&*self.hidden.encoder, self.image_of_codes());
        let channels = hidden_width(encoder, self.sizes.shape, self.code) / (height * width);
        Some((encoder.shrunk_again()?, Shape { height, width, channels }))
    }

    /// Values per row that are known besides.
    pub fn condition(&self) -> usize {
        self.sizes.condition
    }

    /// The encoder's outputs for rows.
    pub fn encode<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let [_, outputs] = self.encode_with_hidden(rows);
        outputs
    }

    /// What the encoder's hidden layers give for rows, for more networks to stand on; and its outputs.
    pub(super) fn encode_with_hidden<'g>(&self, rows: Rows<'g>) -> [Tensor<'g>; 2] {
        let hidden = self.hidden(rows);
        [hidden, self.hidden.encoder.last("head", hidden, Outputs::vector(self.code))]
    }

    /// What the encoder's hidden layers give for rows.
    pub(super) fn hidden<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let input = Input { x: rows.input(), shape: self.sizes.shape, known: self.known(rows.y) };
        self.hidden.encoder.forward("encoder", input, Outputs::vector(self.code).shape)
    }

    /// The decoder's outputs for `z` `[rows, latent]` and what is known `[rows, condition]`.
    pub fn decode<'g>(&self, z: Tensor<'g>, y: Option<Tensor<'g>>) -> Tensor<'g> {
        let decoder = &*self.hidden.decoder;
        let hidden = decoder.forward("decoder", Input { known: self.known(y), ..z.into() }, self.sizes.shape);
        let to = Outputs { shape: self.sizes.shape, count: self.outputs };
        decoder.last(&format!("decoder.{}", decoder.layers()), hidden, to)
    }

    /// What codes `[rows·samples, latent]` say of rows of data.
    pub(super) fn decoded<'g>(&self, likelihood: &dyn Likelihood, z: Tensor<'g>, rows: Rows<'g>) -> Decoded<'g> {
        let samples = z.shape()[0] / rows.count();
        rows.decoded(likelihood, self.decode(z, rows.y.map(|y| y.repeat_rows(samples))))
    }

    /// ln p(x | z) of codes `[rows·samples, latent]` and rows of data. `[rows, samples]`
    pub(super) fn log_likelihood<'g>(&self, likelihood: &dyn Likelihood, z: Tensor<'g>, rows: Rows<'g>) -> Tensor<'g> {
        self.decoded(likelihood, z, rows).log_likelihood()
    }

    /// What the networks are told.
    fn known<'g>(&self, y: Option<Tensor<'g>>) -> Known<'g> {
        y.filter(|_| self.sizes.condition > 0).map_or(Known::Nothing, Known::Beside)
    }
}

impl PosteriorNetwork for Networks {
    /// With what is known besides.
    fn features(&self) -> usize {
        self.sizes.features() + self.sizes.condition
    }

    fn outputs<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let Sizes { condition, .. } = self.sizes;
        let features = self.sizes.features();
        self.encode(match condition {
            0 => x.into(),
            _ => Rows { y: Some(x.slice(1, features, condition)), ..x.slice(1, 0, features).into() },
        })
    }
}
