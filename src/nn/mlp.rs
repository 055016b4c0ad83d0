//! The multilayer perceptron: linear layers with an activation behind each.
//!
//! y = f(Wx + b), or with gates y = (Wx + b) ⊙ σ(Vx + c) (Dauphin et al. 2017, equation 1, without convolutions), V and c being
//! a second linear layer of the same shape.

use super::activation::Activation;
use super::linear::linear;
use crate::graph::Tensor;

/// Linear layers with an activation behind each of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mlp {
    /// Units of each layer.
    pub widths: Vec<usize>,
    /// What stands behind each.
    pub activation: Activation,
}

impl Mlp {
    /// The last layer's values for `x` `[rows, inputs]`, or `x` itself where there is none. Layers are the scopes `<name>.0`,
    /// `<name>.1`, …; their gates, where they have some, are `<name>.0.gate`, ….
    pub fn forward<'g>(&self, name: &str, x: Tensor<'g>) -> Tensor<'g> {
        self.widths.iter().enumerate().fold(x, |x, (number, &width)| {
            let layer = format!("{name}.{number}");
            self.activation.of(linear(&layer, x, width), || linear(&format!("{layer}.gate"), x, width))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::graph::eval::{Values, evaluate};

    /// y = xWᵀ + b by the definition, `x` of one row.
    fn linear(values: &Values, name: &str, x: &[f64]) -> Vec<f64> {
        let [weight, bias] = ["weight", "bias"].map(|part| &values.tensors[&format!("{name}.{part}")]);
        let row = |(w, b): (&[f64], &f64)| b + w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
        weight.chunks(x.len()).zip(bias).map(row).collect()
    }

    /// Two gated layers, 3-4-2, at random weights: what comes out, and what the definition says.
    fn gated(definition: impl Fn(f64, f64) -> f64) -> [Vec<f64>; 2] {
        let mlp = Mlp { widths: vec![4, 2], activation: Activation::Gated };
        let (graph, mut values) = (Graph::new(), Values::default());
        let y = mlp.forward("net", graph.input("x", &[1, 3]));
        for (place, spec) in graph.parameters().iter().enumerate() {
            values.tensors.insert(spec.name.clone(), spec.start(3, place).into_iter().map(f64::from).collect());
        }
        let x = vec![0.7, -1.1, 0.4];
        values.tensors.insert("x".into(), x.clone());
        let by_hand = ["net.0", "net.1"].iter().fold(x, |x, name| {
            let gates = linear(&values, &format!("{name}.gate"), &x);
            linear(&values, name, &x).into_iter().zip(gates).map(|(y, g)| definition(y, g)).collect()
        });
        [evaluate(&values, &[y]).remove(0), by_hand]
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
            let graph = Graph::new();
            Mlp { widths: vec![4], activation }.forward("net", graph.input("x", &[1, 3]));
            graph.parameters().into_iter().map(|p| p.name).collect()
        };
        for activation in Activation::ALL {
            let gates = names(activation).iter().filter(|name| name.contains("gate")).count();
            assert_eq!(gates, if activation == Activation::Gated { 2 } else { 0 }, "{activation:?}");
        }
        assert_eq!(names(Activation::Gated), ["net.0.weight", "net.0.bias", "net.0.gate.weight", "net.0.gate.bias"]);
    }
}
