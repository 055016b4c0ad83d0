//! The convolution and its transpose, on pictures whose pixels' channels lie side by side.

use crate::graph::{Init, Tensor};
use crate::kernels::Window;

/// How the parameters of a layer start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// As PyTorch's layers do: weights and biases uniform in ±1/√(numbers that an output is made of) (Kaiming uniform with a = √5).
    Kaiming,
    /// As Keras' layers do: weights uniform in ±√(6 / (inputs + outputs)) (Glorot & Bengio 2010), biases at 0.
    Glorot,
}

impl Start {
    /// Of weights and of biases.
    fn of(self, inputs: usize, outputs: usize) -> [Init; 2] {
        match self {
            Start::Kaiming => [Init::Uniform(1.0 / (inputs as f32).sqrt()); 2],
            Start::Glorot => [Init::Uniform((6.0 / (inputs + outputs) as f32).sqrt()), Init::Constant(0.0)],
        }
    }
}

/// A linear layer of the scope `name`, `[rows, inputs]` to `[rows, outputs]`: y = x Wᵀ + b.
pub fn dense<'g>(name: &str, x: Tensor<'g>, outputs: usize, start: Start) -> Tensor<'g> {
    let [weight, bias] = start.of(x.width(), outputs);
    let graph = x.graph();
    graph.scope(name, || {
        x.matmul(graph.param("weight", &[outputs, x.width()], weight).t()) + graph.param("bias", &[outputs], bias)
    })
}

/// A convolution of the scope `name`, of pictures that lie as `window` says to `[pictures·places, outputs]`:
/// y(place, o) = b_o + Σ_{tap, c} W(o, tap, c) x(place · stride + tap · dilation − padding, c), which deep learning calls so and
/// signal processing a correlation (Dumoulin & Visin 2016, section 2). `weight` is `[outputs, kh·kw·C]`, `bias` `[outputs]`.
pub fn conv2d<'g>(name: &str, x: Tensor<'g>, window: Window, outputs: usize, start: Start) -> Tensor<'g> {
    let taps = window.width() / window.channels;
    let [weight, bias] = start.of(window.width(), taps * outputs);
    let graph = x.graph();
    graph.scope(name, || {
        let weight = graph.param("weight", &[outputs, window.width()], weight);
        x.patches(window).matmul(weight.t()) + graph.param("bias", &[outputs], bias)
    })
}

/// A transposed convolution of the scope `name`, `[pictures·places, inputs]` to `[pictures·h·w, C]` of the pictures that `window`
/// lies on: what each place holds is multiplied by a kernel and added to the pixels that the kernel sees from there. It is the
/// adjoint of the convolution with the same window (Dumoulin & Visin 2016, section 4). `weight` is `[inputs, kh·kw·C]`, `bias`
/// `[C]`.
pub fn conv_transpose2d<'g>(name: &str, x: Tensor<'g>, window: Window, start: Start) -> Tensor<'g> {
    let (inputs, taps) = (x.width(), window.width() / window.channels);
    let [weight, bias] = match start {
        // What PyTorch takes for the inputs of a transposed convolution are the outputs of one place.
        Start::Kaiming => start.of(window.width(), 0),
        Start::Glorot => start.of(taps * inputs, window.width()),
    };
    let graph = x.graph();
    graph.scope(name, || {
        let weight = graph.param("weight", &[inputs, window.width()], weight);
        x.matmul(weight).fold(window) + graph.param("bias", &[window.channels], bias)
    })
}
