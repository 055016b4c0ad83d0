//! A masked convolution: of the taps of a kernel those that lie before the place, or at it.
//!
//! Taps lie row by row, and what comes after the place comes last, so that a mask keeps the first of them. Its weights are those of the
//! taps that are kept.

use crate::graph::Tensor;
use crate::kernels::Window;
use crate::nn::linear::{linear, parameters};

/// Which taps a convolution has, and where its parameters lie: `<name>.weight` `[outputs, kept·channels]` and `<name>.bias` `[outputs]`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Taps {
    /// The scope of its parameters.
    pub name: String,
    /// Rows above the place that the kernel reaches.
    pub above: usize,
    /// Columns to the left.
    pub left: usize,
    /// Columns to the right.
    pub right: usize,
    /// How many taps are kept, from the upper left row by row.
    pub kept: usize,
    /// Channels that it gives.
    pub outputs: usize,
}

impl Taps {
    /// The place alone.
    pub fn place(name: String, outputs: usize) -> Taps {
        Taps { name, above: 0, left: 0, right: 0, kept: 1, outputs }
    }

    /// The kernel's size.
    fn kernel(&self) -> [usize; 2] {
        [self.above + 1, self.left + 1 + self.right]
    }

    /// What it makes of pictures `[pictures·h·w, channels]`. `[pictures·h·w, outputs]`
    pub fn whole<'g>(&self, x: Tensor<'g>, image: [usize; 2]) -> Tensor<'g> {
        let (graph, channels, kernel) = (x.graph(), x.width(), self.kernel());
        let padding = [[self.above, 0], [self.left, self.right]];
        let window = Window { image, channels, kernel, stride: [1; 2], padding, dilation: [1; 2] };
        let kept = self.kept * channels;
        let [weight, bias] = parameters(&self.name, graph, [self.outputs, kept]);
        let masked = window.width() - kept;
        let weight = match masked {
            0 => weight,
            _ => graph.concat(&[weight, graph.full(0.0, &[self.outputs, masked])], 1),
        };
        x.patches(window).matmul(weight.t()) + bias
    }

    /// The places that it sees from one of them, tap by tap; `None` outside of the picture.
    pub fn seen(&self, image: [usize; 2], place: [usize; 2]) -> Vec<Option<[usize; 2]>> {
        let [_, across] = self.kernel();
        let tap = |tap: usize| {
            let y = (place[0] + tap / across).checked_sub(self.above)?;
            let x = (place[1] + tap % across).checked_sub(self.left)?;
            (y < image[0] && x < image[1]).then_some([y, x])
        };
        (0..self.kept).map(tap).collect()
    }

    /// What it makes of the channels that it sees from one place, tap by tap, each `[pictures, channels]`. `[pictures, outputs]`
    pub fn at<'g>(&self, seen: &[Tensor<'g>]) -> Tensor<'g> {
        linear(&self.name, seen[0].graph().concat(seen, 1), self.outputs)
    }
}
