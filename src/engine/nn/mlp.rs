//! The multilayer perceptron: linear layers with an activation behind each.
//!
//! y = f(n(Wx + b)), n being the normalisation if there is one (Ioffe & Szegedy 2015, section 3.2), or with gates
//! y = n(Wx + b) ⊙ σ(Vx + c) (Dauphin et al. 2017, equation 1, without convolutions), V and c being a second linear layer of the
//! same shape.

use std::sync::Arc;

use super::activation::Activation;
use super::dropout::{DROPOUT, dropout};
use super::linear::linear;
use super::network::{Input, Network};
use super::norm::{ROW_NORM, RowNorm};
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
        formula: "y = f(n(Wx + b)), layer by layer",
        source: "Rumelhart, Hinton & Williams 1986",
        settings: &[
            Setting {
                name: "hidden",
                default: Usual::Numbers(&[512.0, 256.0]),
                bounds: Bounds::UpTo(MAX_LAYERS, &UNITS),
                meaning: "units of each layer, from what is given onwards",
            },
            ROW_NORM,
            ACTIVATION,
            DROPOUT,
        ],
        example: "elbo train --encoder mlp:400,200,activation=relu",
    },
    build: |settings| {
        let (norm, dropout) = (settings.word(ROW_NORM.name), settings.get(DROPOUT.name) as f32);
        Arc::new(Mlp { norm, dropout, ..Mlp::new(settings.wholes("hidden"), settings.word(ACTIVATION.name)) })
    },
};

/// Linear layers with an activation behind each of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Mlp {
    /// Units of each layer.
    pub widths: Vec<usize>,
    /// What brings the numbers in front of each nonlinearity to one scale.
    pub norm: RowNorm,
    /// What stands behind each.
    pub activation: Activation,
    /// The share of each layer's values that training leaves out.
    pub dropout: f32,
}

impl Mlp {
    /// Layers of these widths, without normalisation, of which nothing is left out.
    pub fn new(widths: Vec<usize>, activation: Activation) -> Mlp {
        Mlp { widths, norm: RowNorm::None, activation, dropout: 0.0 }
    }

    /// The last layer's values `[rows, width]`, or what is given and known where there is none. Layers are the scopes
    /// `<name>.0`, `<name>.1`, …; their normalisation, where they have some, is `<name>.0.norm`, …, and their gates `<name>.0.gate`, ….
    pub fn hidden<'g>(&self, name: &str, input: impl Into<Input<'g>>) -> Tensor<'g> {
        let input = input.into();
        let Some((&first, rest)) = self.widths.split_first() else { return input.joined() };
        let layer = |number| input.scope(name, number);
        let bend = |number, t, gate: &dyn Fn(&str) -> Tensor<'g>| {
            let name = layer(number);
            let t = self.norm.of(&format!("{name}.norm"), t);
            dropout(&name, self.activation.of(t, || gate(&format!("{name}.gate"))), self.dropout)
        };
        let hidden = bend(0, input.linear(&layer(0), first), &|gate| input.linear(gate, first));
        (1..).zip(rest).fold(hidden, |x, (number, &width)| {
            bend(number, linear(&layer(number), x, width), &|gate| linear(gate, x, width))
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

    fn row_norm(&self) -> RowNorm {
        self.norm
    }

    fn mirror(&self) -> Arc<dyn Network> {
        Arc::new(Mlp { widths: self.widths.iter().rev().copied().collect(), ..*self })
    }

    fn refusal(&self, _: Shape, _: Shape) -> Option<String> {
        self.norm.refusal(self.widths.iter().copied())
    }

    fn couples_rows(&self) -> bool {
        self.norm == RowNorm::Batch
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

    /// Three rows through two layers, 2-3-2, at random weights, in training: what comes out, and what the definition says, which is given
    /// the numbers of each layer, unit by unit.
    fn normalised(norm: RowNorm, definition: impl Fn(&[Vec<f64>]) -> Vec<Vec<f64>>) -> [Vec<f64>; 2] {
        let mlp = Mlp { norm, ..Mlp::new(vec![3, 2], Activation::Tanh) };
        let (graph, mut values) = (Graph::of_training(), Values::default());
        let y = mlp.hidden("net", graph.input("x", &[3, 2]));
        for (place, spec) in graph.parameters().iter().enumerate() {
            values.tensors.insert(spec.name.clone(), spec.start(3, place).into_iter().map(f64::from).collect());
        }
        let layer = |number: usize| [format!("net.{number}"), format!("net.{number}.norm")];
        let scales = [[1.5, -0.5, 0.75].as_slice(), &[2.0, 0.25]];
        let shifts = [[0.1, 0.3, -0.2].as_slice(), &[-0.4, 0.6]];
        for (number, (scale, shift)) in scales.into_iter().zip(shifts).enumerate() {
            let [_, of] = layer(number);
            values.tensors.insert(format!("{of}.scale"), scale.to_vec());
            values.tensors.insert(format!("{of}.shift"), shift.to_vec());
        }
        let x = vec![vec![0.7, -1.1], vec![0.2, 2.0], vec![-3.0, 0.5]];
        values.tensors.insert("x".into(), x.concat());
        let by_hand = (0..2).fold(x, |x, number| {
            let [name, _] = layer(number);
            let rows: Vec<Vec<f64>> = x.iter().map(|x| linear(&values, &name, x)).collect();
            let scaled = |row: Vec<f64>| {
                let scales = scales[number].iter().zip(shifts[number]);
                row.into_iter().zip(scales).map(|(n, (scale, shift))| (scale * n + shift).tanh()).collect()
            };
            definition(&rows).into_iter().map(scaled).collect()
        });
        [evaluate(&values, &[y]).remove(0), by_hand.concat()]
    }

    /// Numbers less their mean, over the root of their variance.
    fn normal(numbers: &[f64]) -> Vec<f64> {
        let mean_of = |of: &dyn Fn(&f64) -> f64| numbers.iter().map(of).sum::<f64>() / numbers.len() as f64;
        let mean = mean_of(&|x| *x);
        let variance = mean_of(&|x| (x - mean).powi(2));
        numbers.iter().map(|x| (x - mean) / (variance + 1e-5).sqrt()).collect()
    }

    fn transposed(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
        (0..rows[0].len()).map(|unit| rows.iter().map(|row| row[unit]).collect()).collect()
    }

    #[test]
    fn what_is_in_front_of_a_nonlinearity_is_normalised_by_unit_or_by_row() {
        let near = |[a, b]: [Vec<f64>; 2]| a.len() == 6 && a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-6);
        let by_row = |rows: &[Vec<f64>]| -> Vec<Vec<f64>> { rows.iter().map(|row| normal(row)).collect() };
        let by_unit = |rows: &[Vec<f64>]| transposed(&by_row(&transposed(rows)));
        assert!(near(normalised(RowNorm::Layer, by_row)));
        assert!(near(normalised(RowNorm::Batch, by_unit)));
        // Neither is the other, and both are something.
        assert!(!near(normalised(RowNorm::Layer, by_unit)) && !near(normalised(RowNorm::Batch, by_row)));
        assert!(!near(normalised(RowNorm::Batch, <[_]>::to_vec)));
    }

    #[test]
    fn gates_see_what_is_not_normalised() {
        let mlp = Mlp { norm: RowNorm::Layer, ..Mlp::new(vec![4], Activation::Gated) };
        let graph = Graph::new();
        let x = graph.input("x", &[2, 3]);
        let [value, gate] = ["net.0", "net.0.gate"].map(|name| super::linear(name, x, 4));
        let expected = RowNorm::Layer.of("net.0.norm", value) * gate.sigmoid();
        assert_eq!(mlp.hidden("net", x), expected);
        assert_ne!(mlp.hidden("net", x), value * gate.sigmoid());
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
