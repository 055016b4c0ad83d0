//! A multilayer perceptron of values and a label, which can be asked for every label at once.
//!
//! The first layer is W t + V y + b. Of all labels together, W t is computed once a row and V y once a label.

use crate::distributions::PosteriorNetwork;
use crate::graph::{Init, Tensor};
use crate::nn::{Activation, Mlp, linear};

/// Which labels are meant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Labels<'g> {
    /// One for each row, as a one among zeros `[rows, classes]`.
    Of(Tensor<'g>),
    /// Every label of each of so many rows.
    Every(usize),
}

/// The network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Joint {
    name: &'static str,
    inputs: usize,
    classes: usize,
    first: usize,
    rest: Mlp,
    outputs: usize,
}

impl Joint {
    /// Layers `<name>.0` (with `<name>.0.label.weight`), `<name>.rest.0`, …, and `<name>.head`; at least one is hidden.
    ///
    /// # Panics
    /// If no layer is hidden.
    pub fn new(
        name: &'static str,
        (inputs, classes): (usize, usize),
        widths: &[usize],
        activation: Activation,
        outputs: usize,
    ) -> Joint {
        let (&first, rest) = widths.split_first().expect("there is a hidden layer, which was checked");
        Joint { name, inputs, classes, first, rest: Mlp { widths: rest.to_vec(), activation }, outputs }
    }

    /// Its outputs for `t`: `[rows, outputs]`, or `[rows·classes, outputs]` for every label, those of one row behind each
    /// other. For every label, `t` has either a row for each, or as many as that.
    pub fn forward<'g>(&self, t: Tensor<'g>, labels: Labels<'g>) -> Tensor<'g> {
        let first = format!("{}.0", self.name);
        let hidden = self.conditioned(&first, t, labels);
        let gate = || self.conditioned(&format!("{first}.gate"), t, labels);
        let hidden = self.rest.activation.of(hidden, gate);
        let hidden = self.rest.forward(&format!("{}.rest", self.name), hidden);
        linear(&format!("{}.head", self.name), hidden, self.outputs)
    }

    /// W t + V y + b. The labels' weights V start as those of a layer of their own do, so that labels are heard among many
    /// values.
    fn conditioned<'g>(&self, name: &str, t: Tensor<'g>, labels: Labels<'g>) -> Tensor<'g> {
        let (width, classes) = (self.first, self.classes);
        let product = linear(name, t, width);
        let init = Init::Uniform(1.0 / (classes as f32).sqrt());
        let weight = t.graph().param(&format!("{name}.label.weight"), &[width, classes], init);
        match labels {
            Labels::Of(y) => product + y.matmul(weight.t()),
            Labels::Every(rows) => {
                let each = product.reshape(&[rows, product.shape()[0] / rows, width]);
                (each + weight.t().reshape(&[1, classes, width])).reshape(&[rows * classes, width])
            }
        }
    }
}

/// Of values and a label behind each other.
impl PosteriorNetwork for Joint {
    fn features(&self) -> usize {
        self.inputs + self.classes
    }

    fn outputs<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let y = x.slice(1, self.inputs, self.classes);
        self.forward(x.slice(1, 0, self.inputs), Labels::Of(y))
    }
}
