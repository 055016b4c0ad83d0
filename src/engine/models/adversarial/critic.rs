//! A critic: a network that says of each row by one number whether it is real.

use std::sync::Arc;

use super::CRITIC;
use crate::data::Shape;
use crate::error::{Error, Result};
use crate::graph::Tensor;
use crate::nn::{Input, Known, Network, Outputs, spectrally_normalised};

/// A network with a linear layer behind it that has one output. Its parameters lie in the scope `discriminator`.
#[derive(Clone, Debug)]
pub struct Critic {
    shape: Shape,
    hidden: Arc<dyn Network>,
    is_spectral: bool,
}

/// What a critic makes of rows.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'g> {
    /// The last hidden layer `[rows, width]`.
    pub features: Tensor<'g>,
    /// How real each row is `[rows, 1]`: a logit, or a score without bounds.
    pub score: Tensor<'g>,
}

impl Critic {
    /// A critic of rows of a shape with these hidden layers; its weights may be divided by their largest singular value (Miyato et
    /// al. 2018).
    pub fn new(shape: Shape, hidden: Arc<dyn Network>, is_spectral: bool) -> Critic {
        Critic { shape, hidden, is_spectral }
    }

    /// A critic of rows with the hidden layers of an encoder that is chosen for them.
    ///
    /// # Errors
    /// If that network cannot give one number of a row.
    pub(super) fn like(encoder: &Arc<dyn Network>, shape: Shape, is_spectral: bool) -> Result<Critic> {
        match encoder.refusal(shape, Shape::vector(1)) {
            None => Ok(Critic::new(shape, encoder.clone(), is_spectral)),
            Some(_) => Err(Error::invalid(
                "the discriminator has the network that is chosen as encoder, and gives one number of a row, where this network gives a picture: \
                 choose another, or give it code=vector",
            )),
        }
    }

    /// Looks at rows `[rows, features]`.
    pub fn judge<'g>(&self, x: Tensor<'g>) -> Judged<'g> {
        self.look(x, Known::Nothing)
    }

    fn look<'g>(&self, x: Tensor<'g>, known: Known<'g>) -> Judged<'g> {
        let look = || {
            let (input, to) = (Input { x, shape: self.shape, known }, Outputs::vector(1));
            let features = self.hidden.forward(CRITIC, input, to.shape);
            Judged { features, score: self.hidden.last(&format!("{CRITIC}.head"), features, to) }
        };
        if self.is_spectral { spectrally_normalised(x.graph(), look) } else { look() }
    }

    /// How real each row is `[rows, 1]`.
    pub fn score<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        self.judge(x).score
    }

    /// How real each row is with the code that it is told beside it `[rows, latent]`. `[rows, 1]`
    pub fn score_told<'g>(&self, x: Tensor<'g>, code: Tensor<'g>) -> Tensor<'g> {
        self.look(x, Known::Beside(code)).score
    }
}

/// Of each row, the share of two answers that are right: that a real row is real, and a made one is not, where a score of 0 parts them.
/// `[rows, 1]`
pub(super) fn accuracy<'g>(real: Tensor<'g>, made: Tensor<'g>) -> Tensor<'g> {
    let zero = real.graph().constant(0.0);
    (zero.less(real) + made.less(zero)) * 0.5
}
