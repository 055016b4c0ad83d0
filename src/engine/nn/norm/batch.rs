//! Batch normalisation: the numbers of each channel brought to mean 0 and variance 1 over all pictures of a batch.
//!
//! In training y = γ_c (x − μ_c) / √(σ²_c + ε) + β_c, with μ_c and σ²_c over the pixels of all live pictures of the batch, σ² being
//! the mean of the squares of what is left (Ioffe & Szegedy 2015, algorithm 1). Running means of both are kept as state,
//! μ̄ ← μ̄ + m (μ − μ̄), and of the variance the unbiased one, n/(n − 1) σ² of n pixels, as PyTorch's `nn.BatchNorm2d` does. They take
//! the place of the batch's everywhere else: then no picture hangs on the others that it is computed with.

use super::{EPSILON, scaled};
use crate::graph::{Init, Tensor};

/// m, the share of a batch in the running means.
pub(super) const MOMENTUM: f32 = 0.1;

/// Batch normalisation of pictures of so many pixels, `[pictures·pixels, channels]` to the same shape. `scale` (γ, at 1) and `shift`
/// (β, at 0) are `[channels]`, and so are the states `mean` (at 0) and `variance` (at 1).
pub fn batch_norm<'g>(name: &str, x: Tensor<'g>, pixels: usize) -> Tensor<'g> {
    let (graph, [rows, channels]) = (x.graph(), x.dims());
    let pictures = rows / pixels;
    graph.scope(name, || {
        let [mean, variance] =
            [("mean", 0.0), ("variance", 1.0)].map(|(part, at)| graph.state(part, &[channels], Init::Constant(at)));
        if !graph.is_trained("mean") {
            return scaled((x - mean) * (variance + EPSILON).sqrt().recip());
        }
        let (weights, live) = graph.live(pictures);
        // The mean of each picture first, then that of the live ones, which are few numbers.
        let mean_of = |t: Tensor<'g>| {
            (t.mean(&[1]).reshape(&[pictures, channels]) * weights).sum(&[0]).reshape(&[1, 1, channels])
        };
        let apart = x.reshape(&[pictures, pixels, channels]);
        let of_batch = mean_of(apart);
        let centred = apart - of_batch;
        let biased = mean_of(centred.square());
        let count = live * pixels as f32;
        let unbiased = biased * (count / (count - 1.0).maximum(graph.constant(1.0)));
        for (state, value) in [(mean, of_batch), (variance, unbiased)] {
            graph.follow(state, value.reshape(&[channels]), MOMENTUM);
        }
        scaled(centred * (biased + EPSILON).sqrt().recip()).reshape(&[rows, channels])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::graph::eval::{Values, evaluate};
    use crate::kernels::Order;

    const PICTURES: usize = 4;

    /// Four pictures of two pixels and two channels, of which the first three may be live.
    fn pictures() -> Vec<f64> {
        vec![1.0, 10.0, 3.0, 30.0, 5.0, -20.0, 7.0, 0.0, 2.0, 15.0, 0.0, 25.0, 400.0, -300.0, 50.0, 7.0]
    }

    /// The layer's result, what its states become and the gradient of a weighted sum of live rows in x, of so many live pictures.
    fn found(graph: &Graph, live: u32) -> Vec<Vec<f64>> {
        let mut values = Values::default();
        let x = graph.batch("x", PICTURES, 4, Order::Sequential, None);
        let y = batch_norm("norm", x.reshape(&[2 * PICTURES, 2]), 2);
        values.tensors.insert("x".into(), pictures());
        for (name, of) in
            [("scale", [2.0, -1.0]), ("shift", [0.5, 3.0]), ("mean", [4.0, -8.0]), ("variance", [9.0, 0.25])]
        {
            values.tensors.insert(format!("norm.{name}"), of.to_vec());
        }
        values.step.rows = live;
        let weights = graph.coordinate(0, &[PICTURES, 4]) * 0.3 + graph.coordinate(1, &[PICTURES, 4]).square();
        let loss = y.reshape(&[PICTURES, 4]) * weights * graph.row_weights(PICTURES);
        let states = graph.assigns().into_iter().map(|(_, state)| state);
        let wanted: Vec<Tensor> = [y, loss.gradients(&[x])[0]].into_iter().chain(states).collect();
        evaluate(&values, &wanted)
    }

    fn near(a: &[f64], b: &[f64]) -> bool {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5 * b.abs().max(1.0))
    }

    /// Mean and variances, biased and not, of the numbers of a channel of the first pictures.
    fn moments(channel: usize, live: usize) -> [f64; 3] {
        let numbers: Vec<f64> = pictures().into_iter().skip(channel).step_by(2).take(2 * live).collect();
        let count = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / count;
        let squares = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        [mean, squares / count, squares / (count - 1.0)]
    }

    #[test]
    fn in_training_it_is_its_formula_over_live_pictures() {
        for live in [4, 3, 1] {
            let [y, _, mean, variance] = <[_; 4]>::try_from(found(&Graph::of_training(), live as u32)).unwrap();
            let of = [moments(0, live), moments(1, live)];
            let expected: Vec<f64> = (0..4 * live)
                .map(|i| {
                    let ([mean, biased, _], [scale, shift]) = (of[i % 2], [[2.0, 0.5], [-1.0, 3.0]][i % 2]);
                    scale * (pictures()[i] - mean) / (biased + 1e-5).sqrt() + shift
                })
                .collect();
            assert!(near(&y[..4 * live], &expected), "{live} live: {y:?}");
            // A tenth of the batch's, the variance being that of the population.
            assert!(near(&mean, &[0.9 * 4.0 + 0.1 * of[0][0], 0.9 * -8.0 + 0.1 * of[1][0]]), "{mean:?}");
            assert!(near(&variance, &[0.9 * 9.0 + 0.1 * of[0][2], 0.9 * 0.25 + 0.1 * of[1][2]]), "{variance:?}");
            assert!(!near(&variance, &[0.9 * 9.0 + 0.1 * of[0][1], 0.9 * 0.25 + 0.1 * of[1][1]]), "not the biased one");
        }
        assert!(moments(0, 3)[0] != moments(0, 4)[0], "padding would be seen");
    }

    /// The gradient of the mean of Σ w y in x, by the formula of the paper, section 3.
    #[test]
    fn its_gradient_is_that_of_the_formula() {
        for live in [4, 3] {
            let gradient = found(&Graph::of_training(), live as u32).swap_remove(1);
            let (n, x) = (2.0 * live as f64, pictures());
            let mut expected = vec![0.0; 16];
            for channel in 0..2 {
                let ([mean, biased, _], scale) = (moments(channel, live), [2.0, -1.0][channel]);
                let deviation = (biased + 1e-5).sqrt();
                let own: Vec<usize> = (0..4 * live).filter(|i| i % 2 == channel).collect();
                let g = |i: usize| scale * (0.3 * (i / 4) as f64 + ((i % 4) as f64).powi(2)) / live as f64;
                let normal = |i: usize| (x[i] - mean) / deviation;
                let sum = own.iter().map(|&i| g(i)).sum::<f64>();
                let along = own.iter().map(|&i| g(i) * normal(i)).sum::<f64>();
                own.iter().for_each(|&i| expected[i] = (g(i) - sum / n - normal(i) * along / n) / deviation);
            }
            assert!(near(&gradient, &expected), "{gradient:?}, {expected:?}");
            assert!(gradient[..4 * live].iter().any(|g| g.abs() > 1e-2));
        }
    }

    #[test]
    fn elsewhere_it_is_of_what_was_kept_and_nothing_is_assigned() {
        let all = found(&Graph::new(), 3);
        assert_eq!(all.len(), 2, "no state is assigned");
        let expected: Vec<f64> = pictures()
            .iter()
            .enumerate()
            .map(|(i, x)| match i % 2 {
                0 => 2.0 * (x - 4.0) / (9.0_f64 + 1e-5).sqrt() + 0.5,
                _ => -(x + 8.0) / (0.25_f64 + 1e-5).sqrt() + 3.0,
            })
            .collect();
        assert!(near(&all[0], &expected), "{:?}", all[0]);
    }

    #[test]
    fn frozen_it_is_as_in_evaluation() {
        let graph = Graph::of_training();
        let frozen = graph.freeze(|_| true, || found(&graph, 3));
        assert_eq!(frozen, found(&Graph::new(), 3));
    }

    #[test]
    fn other_rows_than_the_batch_are_all_live() {
        let graph = Graph::of_training();
        graph.batch("x", PICTURES, 4, Order::Sequential, None);
        let mut values = Values::default();
        values.tensors.insert("x".into(), pictures());
        values.step.rows = 3;
        let ask = |rows| {
            let (weights, live) = graph.live(rows);
            let found = evaluate(&values, &[weights, live]);
            (found[0].clone(), found[1][0])
        };
        // Two of each row of the batch, of which the last is none.
        assert!(near(&ask(8).0, &[[1.0 / 6.0; 6].as_slice(), &[0.0; 2]].concat()) && ask(8).1 == 6.0);
        assert!(near(&ask(5).0, &[0.2; 5]) && ask(5).1 == 5.0);
        assert!(graph.beside_batch(|| near(&ask(8).0, &[0.125; 8]) && ask(8).1 == 8.0));
        assert_eq!(ask(8).1, 6.0);
    }
}
