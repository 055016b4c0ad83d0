//! A multilayer perceptron of values and a label, which can be asked for every label at once.
//!
//! The first layer is W t + V y + b. Of all labels together, W t is computed once a row and V y once a label.

use crate::distributions::Encode;
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;
use crate::nn::{Activation, Init, Linear, Mlp, ParameterSpec};

/// Which labels are meant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Labels {
    /// One for each row, as a one among zeros `[rows, classes]`.
    Of(Tensor),
    /// Every label of each of so many rows.
    Every(usize),
}

/// W t + V y + b.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    linear: Linear,
    classes: usize,
}

impl Told {
    fn new(name: String, (inputs, classes): (usize, usize), outputs: usize) -> Told {
        Told { linear: Linear::new(name, inputs, outputs), classes }
    }

    fn of_label(&self) -> (String, [usize; 2]) {
        (format!("{}.label.weight", self.linear.name), [self.linear.outputs, self.classes])
    }

    /// The labels' weights start as those of a layer of their own do, so that labels are heard among many values.
    fn parameters(&self) -> Vec<ParameterSpec> {
        let mut all = self.linear.parameters();
        let (name, shape) = self.of_label();
        let bound = 1.0 / (self.classes as f32).sqrt();
        all.push(ParameterSpec { name, shape: shape.to_vec(), init: Init::Uniform(bound) });
        all
    }

    fn forward(&self, graph: &mut Graph, t: Tensor, labels: Labels) -> Tensor {
        let product = self.linear.forward(graph, t);
        let &[count, width] = graph.shape(product) else { unreachable!("a product has two dimensions") };
        let (name, shape) = self.of_label();
        let weight = graph.param(&name, &shape);
        match labels {
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
        }
    }
}

/// What stands behind the first layer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Behind {
    /// A function of each element.
    Func(Func),
    /// A layer whose sigmoid its result is multiplied with.
    Gate(Told),
}

/// The network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Joint {
    first: Told,
    behind: Behind,
    rest: Mlp,
    head: Linear,
}

impl Joint {
    /// Layers `<name>.0` (with `<name>.0.label.weight`), `<name>.rest.0`, …, and `<name>.head`; at least one is hidden.
    pub fn new(name: &str, inputs: (usize, usize), widths: &[usize], activation: Activation, outputs: usize) -> Joint {
        let (&first, rest) = widths.split_first().expect("there is a hidden layer, which was checked");
        let last = rest.last().copied().unwrap_or(first);
        Joint {
            first: Told::new(format!("{name}.0"), inputs, first),
            behind: match activation.func() {
                Some(func) => Behind::Func(func),
                None => Behind::Gate(Told::new(format!("{name}.0.gate"), inputs, first)),
            },
            rest: Mlp::new(&format!("{name}.rest"), first, rest, activation),
            head: Linear::new(format!("{name}.head"), last, outputs),
        }
    }

    /// Values per row that come in besides the label.
    pub fn inputs(&self) -> usize {
        self.first.linear.inputs
    }

    /// The parameters of all layers.
    pub fn parameters(&self) -> Vec<ParameterSpec> {
        let mut all = self.first.parameters();
        if let Behind::Gate(gate) = &self.behind {
            all.extend(gate.parameters());
        }
        all.extend(self.rest.parameters());
        all.extend(self.head.parameters());
        all
    }

    /// Its outputs for `t`: `[rows, outputs]`, or `[rows·classes, outputs]` for every label, those of one row behind each
    /// other. For every label, `t` has either a row for each, or as many as that.
    pub fn forward(&self, graph: &mut Graph, t: Tensor, labels: Labels) -> Tensor {
        let sum = self.first.forward(graph, t, labels);
        let hidden = match &self.behind {
            Behind::Func(func) => graph.call(*func, &[sum]),
            Behind::Gate(gate) => {
                let logits = gate.forward(graph, t, labels);
                let open = graph.call(Func::Sigmoid, &[logits]);
                graph.mul(sum, open)
            }
        };
        let hidden = self.rest.forward(graph, hidden);
        self.head.forward(graph, hidden)
    }
}

/// Of values and a label behind each other.
impl Encode for Joint {
    fn features(&self) -> usize {
        self.inputs() + self.first.classes
    }

    fn outputs(&self, graph: &mut Graph, x: Tensor) -> Tensor {
        let values = graph.slice(x, 1, 0, self.inputs());
        let y = graph.slice(x, 1, self.inputs(), self.first.classes);
        self.forward(graph, values, Labels::Of(y))
    }
}
