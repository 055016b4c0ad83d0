//! A multilayer perceptron of values and a label, which can be asked for every label at once.
//!
//! The first layer is W t + V y + b. Of all labels together, W t is computed once a row and V y once a label.

use crate::distributions::Encode;
use crate::graph::{Graph, Tensor};
use crate::nn::{Activation, Init, Linear, Mlp, ParameterSpec};

/// Which labels are meant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Labels {
    /// One for each row, as a one among zeros `[rows, classes]`.
    Of(Tensor),
    /// Every label of each of so many rows.
    Every(usize),
}

/// The network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Joint {
    name: String,
    classes: usize,
    first: Linear,
    activation: Activation,
    rest: Mlp,
    head: Linear,
}

impl Joint {
    /// Layers `<name>.0` (with `<name>.label.weight`), `<name>.rest.0`, …, and `<name>.head`; at least one is hidden.
    pub fn new(
        name: &str,
        (inputs, classes): (usize, usize),
        widths: &[usize],
        activation: Activation,
        outputs: usize,
    ) -> Joint {
        let (&first, rest) = widths.split_first().expect("there is a hidden layer, which was checked");
        let last = rest.last().copied().unwrap_or(first);
        Joint {
            name: name.to_string(),
            classes,
            first: Linear::new(format!("{name}.0"), inputs, first),
            activation,
            rest: Mlp::new(&format!("{name}.rest"), first, rest, activation),
            head: Linear::new(format!("{name}.head"), last, outputs),
        }
    }

    /// Values per row that come in besides the label.
    pub fn inputs(&self) -> usize {
        self.first.inputs
    }

    fn of_label(&self) -> (String, [usize; 2]) {
        (format!("{}.label.weight", self.name), [self.first.outputs, self.classes])
    }

    /// The parameters of all layers. The labels' start as if they were inputs of the first layer beside the others.
    pub fn parameters(&self) -> Vec<ParameterSpec> {
        let mut all = self.first.parameters();
        let (name, shape) = self.of_label();
        let bound = 1.0 / ((self.first.inputs + self.classes) as f32).sqrt();
        all.push(ParameterSpec { name, shape: shape.to_vec(), init: Init::Uniform(bound) });
        all.extend(self.rest.parameters());
        all.extend(self.head.parameters());
        all
    }

    /// Its outputs for `t`: `[rows, outputs]`, or `[rows·classes, outputs]` for every label, those of one row behind each
    /// other. For every label, `t` has either a row for each, or as many as that.
    pub fn forward(&self, graph: &mut Graph, t: Tensor, labels: Labels) -> Tensor {
        let product = self.first.forward(graph, t);
        let &[count, width] = graph.shape(product) else { unreachable!("a product has two dimensions") };
        let (name, shape) = self.of_label();
        let weight = graph.param(&name, &shape);
        let sum = match labels {
            Labels::Of(y) => {
                let more = graph.matmul(y, weight, false, true);
                graph.add(product, more)
            }
            Labels::Every(rows) => {
                let product = graph.reshape(product, &[rows, count / rows, width]);
                let more = graph.permute(weight, &[1, 0]);
                let more = graph.reshape(more, &[1, self.classes, width]);
                let sum = graph.add(product, more);
                graph.reshape(sum, &[rows * self.classes, width])
            }
        };
        let hidden = self.activation.forward(graph, sum);
        let hidden = self.rest.forward(graph, hidden);
        self.head.forward(graph, hidden)
    }
}

/// Of values and a label behind each other.
impl Encode for Joint {
    fn features(&self) -> usize {
        self.inputs() + self.classes
    }

    fn outputs(&self, graph: &mut Graph, x: Tensor) -> Tensor {
        let values = graph.slice(x, 1, 0, self.inputs());
        let y = graph.slice(x, 1, self.inputs(), self.classes);
        self.forward(graph, values, Labels::Of(y))
    }
}
