//! The top of two levels of codes (Razavi, van den Oord & Vinyals 2019, section 3.1 and algorithm 1).
//!
//! The picture h that the encoder's last hidden layer gives is shrunk once more and quantised to the top's codes. These are brought back to
//! its size, and a 1×1 convolution of both is what the bottom quantises: e_top = Q(E_top(h)), e_bottom = Q(W [h, D_top(e_top)] + b). The
//! decoder sees e_bottom and, grown by a transposed convolution, e_top: what the top says, such as what a picture is of, the bottom need not
//! say again.

use std::sync::Arc;

use super::grid::turned;
use super::level::Level;
use crate::data::Shape;
use crate::graph::Tensor;
use crate::kernels::Window;
use crate::nn::conv::{Start, conv_transpose2d};
use crate::nn::{Input, Known, Network, Outputs, linear};

/// The scope of all that the top learns.
pub(super) const NAME: &str = "top";

/// The top level, and the networks between it and the bottom.
#[derive(Clone, Debug)]
pub(super) struct Top {
    pub level: Level,
    /// From the encoder's picture to the numbers of the top's code.
    pub inwards: Arc<dyn Network>,
    /// From the top's codes back to such a picture.
    pub outwards: Arc<dyn Network>,
    /// The picture that the encoder's last hidden layer gives.
    pub picture: Shape,
    /// Numbers at each place of the bottom's code.
    pub channels: usize,
}

impl Top {
    fn places(&self) -> usize {
        self.picture.height * self.picture.width
    }

    /// Numbers of a place of the bottom `[rows·P, channels]` as codes, channel by channel `[rows, channels·P]`.
    fn by_channel<'g>(&self, pixels: Tensor<'g>) -> Tensor<'g> {
        let (rows, width) = (pixels.shape()[0] / self.places(), self.places() * self.channels);
        turned(pixels.reshape(&[rows * width, 1]), [self.places(), self.channels]).reshape(&[rows, width])
    }

    /// What it quantises, of the encoder's pictures `[rows, h·w·C]`. `[rows, width]`
    pub fn encode<'g>(&self, features: Tensor<'g>) -> Tensor<'g> {
        let to = Outputs::vector(self.level.width());
        features.graph().scope(NAME, || {
            let input = Input { x: features, shape: self.picture, known: Known::Nothing };
            self.inwards.last("head", self.inwards.forward("encoder", input, to.shape), to)
        })
    }

    /// What the bottom quantises, of the encoder's pictures `[rows, h·w·C]` and the top's codes `[rows, width]`.
    pub fn beneath<'g>(&self, features: Tensor<'g>, codes: Tensor<'g>) -> Tensor<'g> {
        let graph = features.graph();
        let decoded = graph.scope(NAME, || {
            let hidden = self.outwards.forward("decoder", codes.into(), self.picture);
            let to = Outputs { shape: self.picture, count: self.picture.features() };
            self.outwards.last(&format!("decoder.{}", self.outwards.layers()), hidden, to)
        });
        let pixels = [features, decoded].map(|t| t.reshape(&[t.shape()[0] * self.places(), self.picture.channels]));
        self.by_channel(linear("head", graph.concat(&pixels, 1), self.channels))
    }

    /// Its codes `[rows, width]` as they stand beside those of the bottom, of the same size `[rows, channels·h·w]`.
    pub fn grown<'g>(&self, codes: Tensor<'g>) -> Tensor<'g> {
        let Shape { height, width, .. } = self.picture;
        let window = Window::same([height, width], self.channels, 4, 2);
        let (all, places) = (codes.shape()[0] * window.rows(), window.rows());
        let pixels =
            turned(codes.reshape(&[all * self.channels, 1]), [self.channels, places]).reshape(&[all, self.channels]);
        let grown = codes.graph().scope(NAME, || conv_transpose2d("grown", pixels, window, Start::Kaiming));
        self.by_channel(grown)
    }
}
