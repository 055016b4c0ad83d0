//! Layers of a very deep VAE: the convolution, and the bottleneck block of four of them (Child 2021, figure 3).

use crate::graph::{Init, Tensor};
use crate::kernels::Window;
use crate::nn::Activation;

/// A convolution of the scope `name` with a kernel of kh×kw, `[pictures·h·w, C]` to `[pictures·h·w, outputs]`. Its weight
/// `[outputs, kh·kw·C]` starts uniform in ±scale/√(kh·kw·C), its bias at 0.
pub(super) fn conv<'g>(
    name: &str,
    x: Tensor<'g>,
    (image, kernel): ([usize; 2], [usize; 2]),
    outputs: usize,
    scale: f32,
) -> Tensor<'g> {
    let padding = kernel.map(|taps| [taps / 2; 2]);
    let window = Window { kernel, padding, ..Window::square(image, x.width(), 1, 1, 0) };
    let start = match scale {
        0.0 => Init::Constant(0.0),
        scale => Init::Uniform(scale / (window.width() as f32).sqrt()),
    };
    let graph = x.graph();
    graph.scope(name, || {
        let weight = graph.param("weight", &[outputs, window.width()], start);
        x.patches(window).matmul(weight.t()) + graph.param("bias", &[outputs], Init::Constant(0.0))
    })
}

/// A kernel of one pixel.
pub(super) const ONE: [usize; 2] = [1, 1];

/// A kernel of three pixels along sides that have as many, else of one.
pub(super) fn three(image: [usize; 2]) -> [usize; 2] {
    image.map(|size| if size < 3 { 1 } else { 3 })
}

/// Four convolutions, each behind a nonlinearity: 1×1 to a few channels, 3×3, 3×3, and 1×1 to as many as are wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Block {
    /// Channels within.
    pub inner: usize,
    /// Channels that it gives.
    pub outputs: usize,
    /// What the starting weights of the last convolution are multiplied with; 0 lets the block begin with zeros.
    pub last: f32,
    /// The nonlinearity.
    pub activation: Activation,
}

impl Block {
    /// What it makes of pictures `[pictures·h·w, C]`, `[pictures·h·w, outputs]`. Parameters lie in the scopes `<name>.0` to `<name>.3`, those
    /// of gates in `<name>.0.gate` and so on.
    pub fn of<'g>(self, name: &str, x: Tensor<'g>, image: [usize; 2]) -> Tensor<'g> {
        let Block { inner, outputs, last, activation } = self;
        let layers = [(ONE, inner, 1.0), (three(image), inner, 1.0), (three(image), inner, 1.0), (ONE, outputs, last)];
        layers.into_iter().enumerate().fold(x, |x, (number, (kernel, outputs, scale))| {
            let name = format!("{name}.{number}");
            let bent = activation.of(x, || conv(&format!("{name}.gate"), x, (image, ONE), x.width(), 1.0));
            conv(&name, bent, (image, kernel), outputs, scale)
        })
    }

    /// The same, added to what it is given.
    pub fn added_to<'g>(self, name: &str, x: Tensor<'g>, image: [usize; 2]) -> Tensor<'g> {
        x + self.of(name, x, image)
    }
}
