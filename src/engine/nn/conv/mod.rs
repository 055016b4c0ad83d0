//! Networks for pictures: layers, and networks of them by name.
//!
//! Between layers pictures are `[pictures·h·w, C]`, pixel by pixel, the channels of a pixel side by side.

mod block;
mod layers;
mod named;
mod resnet;
mod stack;

pub use layers::{Start, conv_transpose2d, conv2d, dense};
pub use resnet::Resnet;
pub use stack::Stack;

pub(super) use named::{BURGESS, CONV, DCGAN, KERAS};
pub(super) use resnet::PIECE as RESNET;

use super::activation::Activation;
use super::dropout::dropout;
use super::network::{Input, Outputs};
use super::norm::{Norm, batch_norm, group_norm};
use crate::data::Shape;
use crate::graph::Tensor;
use crate::kernels::Window;

/// What stands between the layers of a network for pictures, and how they start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conv {
    /// What brings numbers to one scale in front of each nonlinearity.
    pub norm: Norm,
    /// The groups of group normalisation.
    pub groups: usize,
    /// The nonlinearity.
    pub activation: Activation,
    /// The share of numbers behind it that training leaves out.
    pub dropout: f32,
    /// How weights start.
    pub start: Start,
}

impl Conv {
    /// f(n(t)) of pictures `[pictures·h·w, C]`. The normalisation's parameters lie in the scope `<name>.norm`, a gate's, which sees
    /// each pixel by itself, in `<name>.gate`.
    fn bend<'g>(&self, name: &str, t: Tensor<'g>, [h, w]: [usize; 2]) -> Tensor<'g> {
        let norm = format!("{name}.norm");
        let t = match self.groups_of(t.width()) {
            Some(groups) => group_norm(&norm, t, h * w, groups),
            None if self.norm == Norm::Batch => batch_norm(&norm, t, h * w),
            None => t,
        };
        self.bend_rows(name, t)
    }

    /// f(t) of rows of numbers.
    fn bend_rows<'g>(&self, name: &str, t: Tensor<'g>) -> Tensor<'g> {
        let y = self.activation.of(t, || dense(&format!("{name}.gate"), t, t.width(), self.start));
        dropout(name, y, self.dropout)
    }

    /// A linear layer of what a network is given, and of what is known besides.
    fn linear<'g>(&self, name: &str, input: Input<'g>, outputs: usize) -> Tensor<'g> {
        match self.start {
            Start::Kaiming => input.linear(name, outputs),
            Start::Glorot => dense(name, input.joined(), outputs, self.start),
        }
    }

    /// Groups of so many channels whose numbers are normalised together, picture by picture.
    fn groups_of(&self, channels: usize) -> Option<usize> {
        match self.norm {
            Norm::None | Norm::Batch => None,
            Norm::Group => Some(self.groups),
            Norm::Layer => Some(1),
            Norm::Instance => Some(channels),
        }
    }

    /// Why the normalisation does not go with pictures of such channels and pixels, if it does not.
    fn refusal(&self, mut pictures: impl Iterator<Item = (usize, [usize; 2])>) -> Option<String> {
        pictures.find_map(|(channels, [h, w])| {
            let groups = self.groups_of(channels)?;
            if !channels.is_multiple_of(groups) {
                let fit = (1..=channels.min(16)).filter(|groups| channels.is_multiple_of(*groups));
                let fit: Vec<String> = fit.map(|groups| groups.to_string()).collect();
                let fit = fit.join(", ");
                return Some(format!(
                    "{groups} groups do not divide {channels} channels: give groups as one of {fit}"
                ));
            }
            (groups == channels && h * w == 1).then(|| {
                format!(
                    "a channel of a picture of one pixel is one number, of which normalisation leaves nothing, and norm={} is over \
                     channels one by one: leave a layer out, or give norm=group with fewer groups than the {channels} channels, \
                     norm=batch or norm=none",
                    <&str>::from(self.norm)
                )
            })
        })
    }
}

/// Why a network of `name` cannot lead from one shape to another for want of pictures, or of codes.
fn needs_one_picture(name: &str, from: Shape, to: Shape) -> Option<String> {
    match (from.is_picture(), to.is_picture()) {
        (true, false) | (false, true) => None,
        (false, false) => Some(format!(
            "`{name}` leads from pictures to codes or back, and rows of {} numbers are no pictures: `mlp` and `residual` are for \
             them",
            from.features().max(to.features())
        )),
        (true, true) => Some(format!("`{name}` leads from pictures to codes or back, and not from {from} to {to}")),
    }
}

/// The numbers of pictures `[pictures·h·w, C·n]` as the outputs of rows `[pictures, n·h·w·C]`: n numbers for each value of a pixel,
/// the first of all values first.
pub(crate) fn as_outputs(pixels: Tensor, to: Outputs) -> Tensor {
    let Shape { height, width, channels } = to.shape;
    let (rows, each) = (pixels.shape()[0] / (height * width), to.count / to.shape.features());
    let apart = pixels.reshape(&[rows, height * width, each, channels]);
    if each == 1 { apart } else { apart.permute(&[0, 2, 1, 3]) }.reshape(&[rows, to.count])
}

/// How pictures shrink: the windows of so many layers on pictures of `[h, w]`, each on what the one before leaves. Channels are left
/// to the layers.
fn shrinking(image: [usize; 2], layers: usize, kernel: usize, stride: usize) -> Vec<Window> {
    let mut image = image;
    let window = |_| {
        let window = Window::same(image, 1, kernel, stride);
        image = window.places();
        window
    };
    (0..layers).map(window).collect()
}

/// Why pictures cannot shrink so, if they cannot.
fn refuse_shrinking(shape: Shape, layers: usize, kernel: usize, stride: usize) -> Option<String> {
    if kernel < stride {
        return Some(format!(
            "a kernel of {kernel} with a stride of {stride} leaves pixels out: give a kernel of at least {stride}"
        ));
    }
    let windows = shrinking([shape.height, shape.width], layers, kernel, stride);
    let gone = windows.iter().position(|window| stride > 1 && window.image == [1, 1])?;
    Some(format!(
        "a picture of {shape} is one pixel after {gone} layer{} of stride {stride}, and there are {layers}: leave {} out",
        if gone == 1 { "" } else { "s" },
        layers - gone
    ))
}
