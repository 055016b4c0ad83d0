//! The multilayer perceptron: linear layers with an activation behind each.
//!
//! y = f(Wx + b), or with gates y = (Wx + b) ⊙ σ(Vx + c) (Dauphin et al. 2017, equation 1, without convolutions), V and c being
//! a second linear layer of the same shape.

use super::activation::Activation;
use super::linear::Linear;
use super::parameters::ParameterSpec;
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

/// Linear layers with an activation behind each of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mlp {
    layers: Vec<Layer>,
}

/// A linear layer and what becomes of its result.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Layer {
    linear: Linear,
    behind: Behind,
}

/// What stands behind a linear layer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Behind {
    /// A function of each element.
    Func(Func),
    /// A layer whose sigmoid its result is multiplied with.
    Gate(Linear),
}

impl Layer {
    fn new(name: String, inputs: usize, outputs: usize, activation: Activation) -> Layer {
        let behind = match activation.func() {
            Some(func) => Behind::Func(func),
            None => Behind::Gate(Linear::new(format!("{name}.gate"), inputs, outputs)),
        };
        Layer { linear: Linear::new(name, inputs, outputs), behind }
    }

    fn parameters(&self) -> Vec<ParameterSpec> {
        let mut all = self.linear.parameters();
        if let Behind::Gate(gate) = &self.behind {
            all.extend(gate.parameters());
        }
        all
    }

    fn forward(&self, graph: &mut Graph, x: Tensor) -> Tensor {
        let y = self.linear.forward(graph, x);
        match &self.behind {
            Behind::Func(func) => graph.call(*func, &[y]),
            Behind::Gate(gate) => {
                let logits = gate.forward(graph, x);
                let open = graph.call(Func::Sigmoid, &[logits]);
                graph.mul(y, open)
            }
        }
    }
}

impl Mlp {
    /// Layers `<name>.0`, `<name>.1`, … from `inputs` through `widths`; their gates, where they have some, are
    /// `<name>.0.gate`, `<name>.1.gate`, ….
    pub fn new(name: &str, inputs: usize, widths: &[usize], activation: Activation) -> Mlp {
        let from = std::iter::once(&inputs).chain(widths).zip(widths).enumerate();
        let layers = from.map(|(i, (&a, &b))| Layer::new(format!("{name}.{i}"), a, b, activation)).collect();
        Mlp { layers }
    }

    /// Values per row that go out, if there is a layer.
    pub fn outputs(&self) -> Option<usize> {
        self.layers.last().map(|l| l.linear.outputs)
    }

    /// The parameters of all layers, a layer's gate behind it.
    pub fn parameters(&self) -> Vec<ParameterSpec> {
        self.layers.iter().flat_map(Layer::parameters).collect()
    }

    /// `[rows, inputs]` to `[rows, outputs]`.
    pub fn forward(&self, graph: &mut Graph, x: Tensor) -> Tensor {
        self.layers.iter().fold(x, |x, layer| layer.forward(graph, x))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::eval::{Values, evaluate};

    /// y = xWᵀ + b by the definition, `x` of one row.
    fn linear(values: &Values, name: &str, x: &[f64]) -> Vec<f64> {
        let [weight, bias] = ["weight", "bias"].map(|part| &values.tensors[&format!("{name}.{part}")]);
        let row = |(w, b): (&[f64], &f64)| b + w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
        weight.chunks(x.len()).zip(bias).map(row).collect()
    }

    /// Two gated layers, 3-4-2, at random weights: what comes out, and what the definition says.
    fn gated(definition: impl Fn(f64, f64) -> f64) -> [Vec<f64>; 2] {
        let mlp = Mlp::new("net", 3, &[4, 2], Activation::Gated);
        let (mut graph, mut values) = (Graph::new(), Values::default());
        for (place, spec) in mlp.parameters().iter().enumerate() {
            values.tensors.insert(spec.name.clone(), spec.start(3, place).into_iter().map(f64::from).collect());
        }
        let x = vec![0.7, -1.1, 0.4];
        values.tensors.insert("x".into(), x.clone());
        let input = graph.input("x", &[1, 3]);
        let y = mlp.forward(&mut graph, input);
        let by_hand = ["net.0", "net.1"].iter().fold(x, |x, name| {
            let gates = linear(&values, &format!("{name}.gate"), &x);
            linear(&values, name, &x).into_iter().zip(gates).map(|(y, g)| definition(y, g)).collect()
        });
        [evaluate(&graph, &values, &[y]).remove(0), by_hand]
    }

    #[test]
    fn gates_multiply_what_passes() {
        let far = |[a, b]: [Vec<f64>; 2]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        let sigmoid = |v: f64| 1.0 / (1.0 + (-v).exp());
        assert!(far(gated(|y, g| y * sigmoid(g))) < 1e-12);
        // A gate on the layer's own result, or one in place of the other, is another network.
        assert!(far(gated(|y, _| y * sigmoid(y))) > 1e-3);
        assert!(far(gated(|y, g| g * sigmoid(y))) > 1e-3);
    }

    #[test]
    fn only_gated_layers_have_gates() {
        let names = |activation| -> Vec<String> {
            Mlp::new("net", 3, &[4], activation).parameters().into_iter().map(|p| p.name).collect()
        };
        for activation in Activation::ALL {
            let gates = names(activation).iter().filter(|name| name.contains("gate")).count();
            assert_eq!(gates, if activation == Activation::Gated { 2 } else { 0 }, "{activation:?}");
        }
        assert_eq!(names(Activation::Gated), ["net.0.weight", "net.0.bias", "net.0.gate.weight", "net.0.gate.bias"]);
    }
}
