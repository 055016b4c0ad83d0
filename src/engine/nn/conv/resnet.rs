//! The residual network for pictures: convolutions that shrink them, and residual blocks on what is left.
//!
//! From pictures: `shrink` convolutions of 4×4 with stride 2, the last to `width` channels and those before to half of that, a 3×3
//! convolution, residual blocks; back: a linear layer to the smallest picture, a 3×3 convolution, residual blocks, transposed
//! convolutions. With `code=spatial` the code is itself a small picture, a few numbers for each of its pixels, and 1×1
//! convolutions stand in place of the linear layers (van den Oord et al. 2017, section 4.1).

use std::sync::Arc;

use strum::{EnumString, IntoStaticStr, VariantNames};

use super::block::residual_block;
use super::named::{GROUPS, activation, how, norm};
use super::{
    Conv, Norm, Start, as_outputs, conv_transpose2d, conv2d, dense, needs_one_picture, refuse_shrinking, shrinking,
};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::data::Shape;
use crate::graph::Tensor;
use crate::kernels::Window;
use crate::nn::activation::Activation;
use crate::nn::dropout::DROPOUT;
use crate::nn::network::{Input, Known, Network, Outputs};
use crate::nn::{MAX_LAYERS, UNITS};

/// What a code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Code {
    /// Numbers, each of which sees all of a picture.
    Vector,
    /// As many numbers for each pixel of the smallest picture, channel by channel.
    Spatial,
}

/// The network `resnet`.
pub(in crate::engine::nn) static PIECE: Piece<dyn Network> = Piece {
    about: About {
        kind: Kind::Network,
        id: "resnet",
        aliases: &[],
        name: "residual network for pictures: convolutions that shrink them, and blocks each added to what it is given",
        formula: "h ← h + w_1 * f(n(w_3 * f(n(h)))) on pictures that convolutions of stride 2 leave",
        source: "He et al. 2016, Identity mappings, figure 4e; van den Oord, Vinyals & Kavukcuoglu 2017, section 4.1",
        settings: &[
            Setting {
                name: "width",
                default: Usual::Number(128.0),
                bounds: UNITS,
                meaning: "channels of the smallest picture",
            },
            Setting { name: "inner", default: Usual::Number(32.0), bounds: UNITS, meaning: "channels within a block" },
            Setting {
                name: "blocks",
                default: Usual::Number(2.0),
                bounds: Bounds::Whole(1, MAX_LAYERS as u64),
                meaning: "residual blocks",
            },
            Setting {
                name: "shrink",
                default: Usual::Number(2.0),
                bounds: Bounds::Whole(1, 8),
                meaning: "layers that halve the picture",
            },
            Setting {
                name: "code",
                default: Usual::Word("vector"),
                bounds: Bounds::OneOf(Code::VARIANTS),
                meaning: "whether a code is numbers or a small picture; of 8×8 pixels, --latent is a multiple of 64",
            },
            norm("none"),
            GROUPS,
            activation("relu"),
            DROPOUT,
        ],
        example: "elbo train --data cifar --encoder resnet:128,blocks=2,norm=group",
    },
    build: |settings| {
        let [width, inner, blocks, shrink] = ["width", "inner", "blocks", "shrink"].map(|name| settings.whole(name));
        let (code, how) = (settings.word("code"), how(settings, Start::Kaiming));
        Arc::new(Resnet { width, inner, blocks, shrink, code, how })
    },
};

/// Convolutions and residual blocks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resnet {
    /// Channels of the smallest picture.
    pub width: usize,
    /// Channels within a block.
    pub inner: usize,
    /// Residual blocks.
    pub blocks: usize,
    /// Layers that halve the picture.
    pub shrink: usize,
    /// What a code is.
    pub code: Code,
    /// What stands between.
    pub how: Conv,
}

const KERNEL: usize = 4;

impl Resnet {
    fn windows(&self, shape: Shape) -> Vec<Window> {
        shrinking([shape.height, shape.width], self.shrink, KERNEL, 2)
    }

    /// The size of the smallest picture.
    fn grid(&self, shape: Shape) -> [usize; 2] {
        self.windows(shape).last().map_or([shape.height, shape.width], Window::places)
    }

    /// Channels of the pictures on the way to the smallest.
    fn narrow(&self) -> usize {
        (self.width / 2).max(1)
    }

    /// Channels behind the layer of that number of those that halve the picture.
    fn halved_to(&self, number: usize) -> usize {
        if number + 1 == self.shrink { self.width } else { self.narrow() }
    }

    /// A 3×3 convolution and the residual blocks, on the smallest picture; their numbers begin with `first`.
    fn trunk<'g>(
        &self,
        scopes: &dyn Fn(usize) -> String,
        first: usize,
        x: Tensor<'g>,
        image: [usize; 2],
    ) -> Tensor<'g> {
        let window = Window::same(image, x.width(), 3, 1);
        let h = conv2d(&scopes(first), x, window, self.width, self.how.start);
        let h = (1..=self.blocks)
            .fold(h, |h, number| residual_block(&scopes(first + number), h, image, self.inner, &self.how));
        self.how.bend(&format!("{}.end", scopes(first)), h, image)
    }

    fn inwards<'g>(&self, name: &str, input: Input<'g>) -> Tensor<'g> {
        let scopes = |number| input.scope(name, number);
        let (pictures, mut x, mut from) = (input.x.shape()[0], input.x, input.shape.channels);
        for (number, window) in self.windows(input.shape).into_iter().enumerate() {
            let to = self.halved_to(number);
            let (name, window) = (scopes(number), Window { channels: from, ..window });
            x = self.how.bend(&name, conv2d(&name, x, window, to, self.how.start), window.places());
            from = to;
        }
        let x = self.trunk(&scopes, self.shrink, x, self.grid(input.shape));
        let flat = x.reshape(&[pictures, x.shape().iter().product::<usize>() / pictures]);
        let (width, joined) = (flat.width(), Input { known: input.known, ..flat.into() }.joined());
        let (rows, beside) = (joined.shape()[0], joined.width() - width);
        if self.code == Code::Vector || beside == 0 {
            return joined;
        }
        // A code that is a picture has no place behind it: what is known is heard at every pixel.
        let name = format!("{}.known", scopes(self.shrink));
        let heard = dense(&name, joined.slice(1, width, beside), self.width, self.how.start);
        let pixels = joined.slice(1, 0, width).reshape(&[rows, width / self.width, self.width]);
        (pixels + heard.reshape(&[rows, 1, self.width])).reshape(&[rows, width])
    }

    fn outwards<'g>(&self, name: &str, input: Input<'g>, to: Shape) -> Tensor<'g> {
        let scopes = |number| input.scope(name, number);
        let [h, w] = self.grid(to);
        let code = match self.code {
            Code::Vector => self.how.linear(&scopes(0), input, h * w * self.width),
            // Where something is known besides, it is heard everywhere through a linear layer.
            Code::Spatial if !matches!(input.known, Known::Nothing) => {
                self.how.linear(&scopes(0), input, h * w * self.width)
            }
            Code::Spatial => {
                let (rows, channels) = (input.x.shape()[0], input.x.width() / (h * w));
                let pixels =
                    input.x.reshape(&[rows, channels, h * w]).permute(&[0, 2, 1]).reshape(&[rows * h * w, channels]);
                dense(&scopes(0), pixels, self.width, self.how.start)
            }
        };
        let rows = code.shape().iter().product::<usize>() / (h * w * self.width);
        let mut x = self.trunk(&scopes, 1, code.reshape(&[rows * h * w, self.width]), [h, w]);
        for (i, window) in self.windows(to).iter().rev().take(self.shrink - 1).enumerate() {
            let (name, window) = (scopes(2 + self.blocks + i), Window { channels: self.narrow(), ..*window });
            x = self.how.bend(&name, conv_transpose2d(&name, x, window, self.how.start), window.image);
        }
        x.reshape(&[rows, x.shape().iter().product::<usize>() / rows])
    }
}

impl Network for Resnet {
    fn summary(&self) -> String {
        let Resnet { width, blocks, shrink, .. } = self;
        let plural = if *blocks == 1 { "" } else { "s" };
        format!("{width} channels after {shrink} halvings ({blocks} residual block{plural})")
    }

    /// Those that halve, one that does not, and the blocks; as many on the way back.
    fn layers(&self) -> usize {
        self.shrink + 1 + self.blocks
    }

    fn activation(&self) -> Activation {
        self.how.activation
    }

    fn mirror(&self) -> Arc<dyn Network> {
        Arc::new(*self)
    }

    fn refusal(&self, from: Shape, to: Shape) -> Option<String> {
        let (picture, code) = if from.is_picture() { (from, to) } else { (to, from) };
        let places: usize = self.grid(picture).iter().product();
        let uneven = self.code == Code::Spatial && !code.features().is_multiple_of(places);
        needs_one_picture("resnet", from, to)
            .or_else(|| refuse_shrinking(picture, self.shrink, KERNEL, 2))
            .or_else(|| {
                let halved = self.windows(picture).into_iter().enumerate();
                let halved = halved.map(|(number, window)| (self.halved_to(number), window.places()));
                self.how.refusal(halved.chain([(self.inner, self.grid(picture))]))
            })
            .or_else(|| {
                uneven.then(|| {
                    format!(
                        "a code of {} numbers is no picture of {places} pixels, which a picture of {picture} shrinks to: give \
                         --latent as a multiple of {places}, or code=vector",
                        code.features()
                    )
                })
            })
    }

    fn couples_rows(&self) -> bool {
        self.how.norm == Norm::Batch
    }

    fn image_of_codes(&self, picture: Shape) -> [usize; 2] {
        match self.code {
            Code::Vector => [1, 1],
            Code::Spatial => self.grid(picture),
        }
    }

    fn shrunk_again(&self) -> Option<Arc<dyn Network>> {
        (self.code == Code::Spatial).then(|| Arc::new(Resnet { shrink: 1, ..*self }) as Arc<dyn Network>)
    }

    fn forward<'g>(&self, name: &str, input: Input<'g>, to: Shape) -> Tensor<'g> {
        if input.shape.is_picture() { self.inwards(name, input) } else { self.outwards(name, input, to) }
    }

    fn last<'g>(&self, name: &str, hidden: Tensor<'g>, to: Outputs) -> Tensor<'g> {
        let (rows, start) = (hidden.shape()[0], self.how.start);
        if to.shape.is_picture() {
            let Shape { height, width, .. } = to.shape;
            let window =
                Window { channels: to.count / (height * width), ..Window::same([height, width], 1, KERNEL, 2) };
            let from = if self.shrink == 1 { self.width } else { self.narrow() };
            let pictures = hidden.reshape(&[rows * window.rows(), from]);
            return as_outputs(conv_transpose2d(name, pictures, window, start), to);
        }
        match self.code {
            Code::Vector => dense(name, hidden, to.count, start),
            Code::Spatial => {
                let places = hidden.width() / self.width;
                let channels = to.count / places;
                let pixels = dense(name, hidden.reshape(&[rows * places, self.width]), channels, start);
                pixels.reshape(&[rows, places, channels]).permute(&[0, 2, 1]).reshape(&[rows, to.count])
            }
        }
    }
}
