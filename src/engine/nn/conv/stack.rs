//! A stack of convolutions with linear layers behind it, and the way back: linear layers, then transposed convolutions.

use std::sync::Arc;

use super::{Conv, Norm, as_outputs, conv_transpose2d, conv2d, dense, needs_one_picture, refuse_shrinking, shrinking};
use crate::data::Shape;
use crate::graph::Tensor;
use crate::kernels::Window;
use crate::nn::activation::Activation;
use crate::nn::network::{Input, Network, Outputs};

/// Convolutions, then linear layers: y = f(W · f(n(w * x)) + b), layer by layer. From codes to pictures the other way round: linear
/// layers, the last to as many numbers as the first picture has, then transposed convolutions.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// The name of the piece.
    pub name: &'static str,
    /// Channels of each picture between layers, from what is given onwards.
    pub channels: Vec<usize>,
    /// Taps of a kernel along each axis.
    pub kernel: usize,
    /// Pixels from one place of a kernel to the next.
    pub stride: usize,
    /// Units of linear layers, from what is given onwards.
    pub hidden: Vec<usize>,
    /// What stands between.
    pub how: Conv,
    /// Whether pictures are led to as in Keras' example: without linear layers between code and first picture, and with one more
    /// convolution, of stride 1, in front of the result.
    pub keras: bool,
}

impl Stack {
    fn windows(&self, shape: Shape) -> Vec<Window> {
        shrinking([shape.height, shape.width], self.channels.len(), self.kernel, self.stride)
    }

    /// Linear layers behind the one whose number is `first`, on what that gives.
    fn linear_layers<'g>(
        &self,
        scopes: &dyn Fn(usize) -> String,
        first: usize,
        x: Tensor<'g>,
        widths: &[usize],
    ) -> Tensor<'g> {
        (first + 1..).zip(widths).fold(x, |x, (number, &width)| {
            let name = scopes(number);
            self.how.bend_rows(&name, dense(&name, x, width, self.how.start))
        })
    }

    /// From pictures.
    fn inwards<'g>(&self, name: &str, input: Input<'g>) -> Tensor<'g> {
        let scopes = |number| input.scope(name, number);
        let (pictures, mut x, mut from) = (input.x.shape()[0], input.x, input.shape.channels);
        let windows = self.windows(input.shape);
        for (number, (window, &channels)) in windows.into_iter().zip(&self.channels).enumerate() {
            let (name, window) = (scopes(number), Window { channels: from, ..window });
            let y = conv2d(&name, x, window, channels, self.how.start);
            (x, from) = (self.how.bend(&name, y, window.places()), channels);
        }
        let flat = x.reshape(&[pictures, x.shape().iter().product::<usize>() / pictures]);
        let flat = Input { known: input.known, ..flat.into() };
        let Some((&first, rest)) = self.hidden.split_first() else { return flat.joined() };
        let number = self.channels.len();
        let name = scopes(number);
        let x = self.how.bend_rows(&name, self.how.linear(&name, flat, first));
        self.linear_layers(&scopes, number, x, rest)
    }

    /// To pictures: the values of the last picture but the result, `[rows, h·w·C]`.
    fn outwards<'g>(&self, name: &str, input: Input<'g>, to: Shape) -> Tensor<'g> {
        let scopes = |number| input.scope(name, number);
        let windows = self.windows(to);
        let Some((last, &channels)) = windows.last().zip(self.channels.first()) else { return input.joined() };
        let grid = last.places();
        let mut widths = if self.keras { vec![] } else { self.hidden.clone() };
        widths.push(grid.iter().product::<usize>() * channels);
        let name = scopes(0);
        let first = self.how.linear(&name, input, widths[0]);
        let rows = first.shape()[0];
        let mut x = match &widths[1..] {
            // The picture that the stack begins with is normalised as one.
            [] => first,
            rest => {
                let (&grid, between) = rest.split_last().expect("there is one");
                let x = self.linear_layers(&scopes, 0, self.how.bend_rows(&name, first), between);
                dense(&scopes(widths.len() - 1), x, grid, self.how.start)
            }
        };
        x = self.how.bend(&scopes(widths.len() - 1), x.reshape(&[rows * grid[0] * grid[1], channels]), grid);
        let outputs = if self.keras { &self.channels[..] } else { &self.channels[1..] };
        for (i, (window, &channels)) in windows.iter().rev().zip(outputs).enumerate() {
            let (name, window) = (scopes(widths.len() + i), Window { channels, ..*window });
            x = self.how.bend(&name, conv_transpose2d(&name, x, window, self.how.start), window.image);
        }
        x.reshape(&[rows, x.shape().iter().product::<usize>() / rows])
    }
}

impl Network for Stack {
    fn summary(&self) -> String {
        let join = |sizes: &[usize]| sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(" - ");
        let pictures = format!("{} channels ({}×{})", join(&self.channels), self.kernel, self.kernel);
        if self.hidden.is_empty() { pictures } else { format!("{pictures} and {} units", join(&self.hidden)) }
    }

    fn layers(&self) -> usize {
        self.channels.len() + self.hidden.len()
    }

    fn activation(&self) -> Activation {
        self.how.activation
    }

    fn mirror(&self) -> Arc<dyn Network> {
        let back = |sizes: &[usize]| sizes.iter().rev().copied().collect();
        Arc::new(Stack { channels: back(&self.channels), hidden: back(&self.hidden), ..self.clone() })
    }

    fn refusal(&self, from: Shape, to: Shape) -> Option<String> {
        let inwards = from.is_picture();
        let picture = if inwards { from } else { to };
        needs_one_picture(self.name, from, to)
            .or_else(|| refuse_shrinking(picture, self.channels.len(), self.kernel, self.stride))
            .or_else(|| {
                let mut sizes: Vec<_> = self.windows(picture).iter().map(Window::places).collect();
                if !inwards {
                    sizes.reverse();
                }
                self.how.refusal(self.channels.iter().copied().zip(sizes))
            })
    }

    fn couples_rows(&self) -> bool {
        self.how.norm == Norm::Batch
    }

    fn forward<'g>(&self, name: &str, input: Input<'g>, to: Shape) -> Tensor<'g> {
        if input.shape.is_picture() { self.inwards(name, input) } else { self.outwards(name, input, to) }
    }

    fn last<'g>(&self, name: &str, hidden: Tensor<'g>, to: Outputs) -> Tensor<'g> {
        let (Shape { height, width, .. }, start) = (to.shape, self.how.start);
        let (true, Some(&from)) = (to.shape.is_picture(), self.channels.last()) else {
            return dense(name, hidden, to.count, start);
        };
        let channels = to.count / (height * width);
        let stride = if self.keras { 1 } else { self.stride };
        let window = Window::same([height, width], channels, self.kernel, stride);
        let pictures = hidden.reshape(&[hidden.shape()[0] * window.rows(), from]);
        as_outputs(conv_transpose2d(name, pictures, window, start), to)
    }
}
