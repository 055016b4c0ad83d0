//! Finite scalar quantisation: every number of an encoding is bounded and rounded to one of a few levels, and no codebook is learnt
//! (Mentzer et al. 2024).
//!
//! With L levels, h = (L − 1)(1 + ε)/2 and o = ½ for even L, else 0, a number becomes ⌊f(z)⌉ with f(z) = h tanh(z + s) − o (section 3.1
//! and appendix A.1), which is one of L whole numbers from −⌊L/2⌋ on; s = artanh(o/h) has f(0) = 0. Divided by ⌊L/2⌋ they lie in
//! [−1, 1]. The gradient passes through the rounding as if it were not there. All D numbers together are one index of K = Π L_j.

use super::assignment::Assignment;
use super::book::Encodings;
use super::quantiser::{Quantised, Quantiser};
use super::usage::in_use;
use crate::distributions::choice::same;
use crate::graph::{Graph, Tensor};

/// ε, by which the bound lies further out than the last level, so that it is reached.
const MARGIN: f64 = 1e-3;

/// The levels of each number of an encoding.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Levels(pub Vec<usize>);

/// A number for each dimension `[1, D]`.
fn each<'g>(graph: &'g Graph, numbers: impl IntoIterator<Item = f64>) -> Tensor<'g> {
    let all: Vec<Tensor> = numbers.into_iter().map(|number| graph.full(number as f32, &[1, 1])).collect();
    graph.concat(&all, 1)
}

impl Levels {
    fn half(levels: usize) -> f64 {
        (levels - 1) as f64 * (1.0 + MARGIN) / 2.0
    }

    fn offset(levels: usize) -> f64 {
        if levels.is_multiple_of(2) { 0.5 } else { 0.0 }
    }

    /// ⌊L/2⌋ of each dimension `[1, D]`.
    fn widths<'g>(&self, graph: &'g Graph) -> Tensor<'g> {
        each(graph, self.0.iter().map(|levels| (levels / 2) as f64))
    }

    /// What a step of each digit adds to an index `[1, D]`: Π L of those before it.
    fn basis(&self) -> Vec<usize> {
        self.0.iter().scan(1, |product, levels| Some(std::mem::replace(product, *product * levels))).collect()
    }

    /// f(z) of `[n, D]`.
    fn bounded<'g>(&self, z: Tensor<'g>) -> Tensor<'g> {
        let of = |work: &dyn Fn(f64, f64) -> f64| {
            each(z.graph(), self.0.iter().map(|&levels| work(Levels::half(levels), Levels::offset(levels))))
        };
        let (half, offset) = (of(&|half, _| half), of(&|_, offset| offset));
        let shift = of(&|half, offset| libm::atanh(offset / half));
        (z + shift).tanh() * half - offset
    }

    /// All vectors, by their index `[K, D]`.
    fn book<'g>(&self, graph: &'g Graph) -> Tensor<'g> {
        let index = graph.coordinate(0, &[self.codes(), 1]);
        // Half a step, so that whole numbers of times are that however a device divides.
        let times = |step: usize| ((index + 0.5) * (1.0 / step as f32)).floor();
        let digit = |(&step, &levels): (&usize, &usize)| times(step) - times(step * levels) * levels as f32;
        let digits: Vec<Tensor> = self.basis().iter().zip(&self.0).map(digit).collect();
        let widths = self.widths(graph);
        (graph.concat(&digits, 1) - widths) / widths
    }
}

impl Quantiser for Levels {
    fn codes(&self) -> usize {
        self.0.iter().product()
    }

    fn quantise<'g>(&self, encodings: Encodings<'g>, window: usize) -> Quantised<'g> {
        let (graph, codes) = (encodings.z.graph(), self.codes());
        let (bounded, widths) = (self.bounded(encodings.z), self.widths(graph));
        let rounded = (bounded + 0.5).floor();
        let basis = each(graph, self.basis().into_iter().map(|step| step as f64));
        let index = ((rounded + widths) * basis).sum_rows();
        let chosen = same(graph.coordinate(1, &[index.shape()[0], codes]), index);
        Quantised {
            stages: vec![Assignment { chosen }],
            vectors: rounded / widths,
            smooth: bounded / widths,
            drawn: None,
            used: in_use("levels", graph, chosen * encodings.live(), window),
        }
    }

    fn vectors<'g>(&self, graph: &'g Graph, _: usize, chosen: Tensor<'g>) -> Tensor<'g> {
        chosen.matmul(self.book(graph))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::eval::{Values, evaluate};

    /// Bounded numbers, vectors, indices and what their indices stand for, of encodings.
    fn found(levels: &[usize], z: &[f64]) -> [Vec<f64>; 4] {
        let (graph, mut values) = (Graph::new(), Values::default());
        let (levels, n) = (Levels(levels.to_vec()), z.len() / levels.len());
        values.tensors.insert("z".into(), z.to_vec());
        let z = graph.input("z", &[n, levels.0.len()]);
        let quantised = levels.quantise(Encodings { z, weights: graph.row_weights(n), each: 1 }, 1);
        let chosen = quantised.chosen();
        let index = (chosen * graph.coordinate(1, chosen.shape())).sum_rows();
        let again = levels.vectors(&graph, 0, chosen);
        for spec in graph.parameters() {
            values.tensors.insert(spec.name, vec![0.0; spec.shape.iter().product()]);
        }
        evaluate(&values, &[levels.bounded(z), quantised.vectors, index, again]).try_into().unwrap()
    }

    #[test]
    fn numbers_are_rounded_to_their_levels() {
        // Far out, at 0 and in between, of 5 levels and of 4: −2 … 2 halves, −2 … 1 halves.
        let z = [-9.0, -9.0, 0.0, 0.0, 9.0, 9.0, 0.3, -0.9];
        let [bounded, vectors, index, again] = found(&[5, 4], &z);
        assert_eq!(vectors, [-1.0, -1.0, 0.0, 0.0, 1.0, 0.5, 0.5, -0.5]);
        // f(0.3) = 2.002 tanh 0.3 = 0.5832; of 4 levels h = 1.5015, s = artanh(½/h) = 0.34620, and f(−0.9) = −1.2558.
        for (found, expected) in bounded[6..].iter().zip([0.583_2, -1.255_8]) {
            assert!((found - expected).abs() < 1e-4, "{found} is not {expected}");
        }
        assert!(bounded[2].abs() < 1e-6 && bounded[3].abs() < 1e-6, "0 stays 0: {bounded:?}");
        // Digits (0, 0), (2, 2), (4, 3), (3, 1): the first counts 1, the second 5.
        assert_eq!(index, [0.0, 12.0, 19.0, 8.0]);
        assert_eq!(again, vectors, "an index says the vector");
    }

    #[test]
    fn every_index_is_a_vector_of_its_own() {
        for levels in [&[2, 3, 2][..], &[8, 5], &[7]] {
            let all = Levels(levels.to_vec());
            let graph = Graph::new();
            let book = evaluate(&Values::default(), &[all.book(&graph)]).remove(0);
            // Far inside of the level that each number is at.
            let d = levels.len();
            let z: Vec<f64> = book
                .iter()
                .enumerate()
                .map(|(i, v)| {
                    let (half, offset) = (Levels::half(levels[i % d]), Levels::offset(levels[i % d]));
                    let at = (v * (levels[i % d] / 2) as f64 + offset) / half;
                    at.clamp(-0.999_9, 0.999_9).atanh() - (offset / half).atanh()
                })
                .collect();
            let [_, vectors, index, _] = found(levels, &z);
            assert_eq!(vectors, book, "{levels:?}");
            assert_eq!(index, (0..all.codes()).map(|k| k as f64).collect::<Vec<_>>(), "{levels:?}");
        }
    }
}
