//! The multilayer perceptron: linear layers with an activation behind each.
//!
//! y = f(Wx + b), or with gates y = (Wx + b) ⊙ σ(Vx + c) (Dauphin et al. 2017, equation 1, without convolutions), V and c being
//! a second linear layer of the same shape.

use std::sync::Arc;

use super::activation::Activation;
use super::dropout::{DROPOUT, dropout};
use super::linear::linear;
use super::network::{Input, Network};
use super::{ACTIVATION, MAX_LAYERS, UNITS};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::data::Shape;
use crate::graph::Tensor;

/// The network `mlp`.
pub(super) static PIECE: Piece<dyn Network> = Piece {
    about: About {
        kind: Kind::Network,
        id: "mlp",
        aliases: &[],
        name: "multilayer perceptron: linear layers with an activation behind each",
        formula: "y = f(Wx + b), layer by layer",
        source: "Rumelhart, Hinton & Williams 1986",
        settings: &[
            Setting {
                name: "hidden",
                default: Usual::Numbers(&[512.0, 256.0]),
                bounds: Bounds::UpTo(MAX_LAYERS, &UNITS),
                meaning: "units of each layer, from what is given onwards",
            },
            ACTIVATION,
            DROPOUT,
        ],
        example: "elbo train --encoder mlp:400,200,activation=relu",
    },
    build: |settings| {
        let dropout = settings.get(DROPOUT.name) as f32;
        Arc::new(Mlp { dropout, ..Mlp::new(settings.wholes("hidden"), settings.word(ACTIVATION.name)) })
    },
};

/// Linear layers with an activation behind each of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Mlp {
    /// Units of each layer.
    pub widths: Vec<usize>,
    /// What stands behind each.
    pub activation: Activation,
    /// The share of each layer's values that training leaves out.
    pub dropout: f32,
}

impl Mlp {
    /// Layers of these widths, of which nothing is left out.
    pub fn new(widths: Vec<usize>, activation: Activation) -> Mlp {
        Mlp { widths, activation, dropout: 0.0 }
    }

    /// The last layer's values `[rows, width]`, or what is given and known where there is none. Layers are the scopes
    /// `<name>.0`, `<name>.1`, …; their gates, where they have some, are `<name>.0.gate`, ….
    pub fn hidden<'g>(&self, name: &str, input: impl Into<Input<'g>>) -> Tensor<'g> {
        let input = input.into();
        let Some((&first, rest)) = self.widths.split_first() else { return input.joined() };
        let layer = |number| input.scope(name, number);
        let gate = |number| format!("{}.gate", layer(number));
        let hidden = self.activation.of(input.linear(&layer(0), first), || input.linear(&gate(0), first));
        let hidden = dropout(&layer(0), hidden, self.dropout);
        (1..).zip(rest).fold(hidden, |x, (number, &width)| {
            let name = layer(number);
            let y = self.activation.of(linear(&name, x, width), || linear(&gate(number), x, width));
            dropout(&name, y, self.dropout)
        })
    }
}

impl Network for Mlp {
    fn summary(&self) -> String {
        let widths: Vec<String> = self.widths.iter().map(usize::to_string).collect();
        widths.join(" - ")
    }

    fn layers(&self) -> usize {
        self.widths.len()
    }

    fn activation(&self) -> Activation {
        self.activation
    }

    fn mirror(&self) -> Arc<dyn Network> {
        Arc::new(Mlp { widths: self.widths.iter().rev().copied().collect(), ..*self })
    }

    fn refusal(&self, _: Shape, _: Shape) -> Option<String> {
        None
    }

    fn forward<'g>(&self, name: &str, input: Input<'g>, _: Shape) -> Tensor<'g> {
        self.hidden(name, input)
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
        let mlp = Mlp::new(vec![4, 2], Activation::Gated);
        let (graph, mut values) = (Graph::new(), Values::default());
        let y = mlp.hidden("net", graph.input("x", &[1, 3]));
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
            Mlp::new(vec![4], activation).hidden("net", graph.input("x", &[1, 3]));
            graph.parameters().into_iter().map(|p| p.name).collect()
        };
        for activation in Activation::ALL {
            let gates = names(activation).iter().filter(|name| name.contains("gate")).count();
            assert_eq!(gates, if activation == Activation::Gated { 2 } else { 0 }, "{activation:?}");
        }
        assert_eq!(names(Activation::Gated), ["net.0.weight", "net.0.bias", "net.0.gate.weight", "net.0.gate.bias"]);
    }
}
