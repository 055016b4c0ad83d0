//! The linear layer: y = x Wᵀ + b.
//!
//! Where W is drawn from a distribution whose signs are as likely one way as the other, W = M + D, each row may have a draw of its own at the
//! price of a second product (flipout: Wen et al. 2018, equation 4): y = x Mᵀ + ((x ∘ s) Dᵀ) ∘ r + b, s and r being signs that are drawn for
//! every number of every row.

use crate::graph::{Graph, Init, Tensor};

/// A linear layer of the scope `name`, of `x` `[rows, inputs]`, see [`parameters`]. `[rows, outputs]`
pub fn linear<'g>(name: &str, x: Tensor<'g>, outputs: usize) -> Tensor<'g> {
    let [weight, bias] = parameters(name, x.graph(), [outputs, x.width()]);
    let product = match x.graph().mean_and_off(weight) {
        None => x.matmul(weight.t()),
        Some([mean, off]) => {
            let turned = (x * signs(x)).matmul(off.t());
            x.matmul(mean.t()) + turned * signs(turned)
        }
    };
    product + bias
}

/// 1 or −1, each as often, for every number of a tensor.
fn signs(of: Tensor) -> Tensor {
    let graph = of.graph();
    graph.uniform(graph.stream(), of.shape()).less(graph.constant(0.5)) * 2.0 - 1.0
}

/// What a linear layer of the scope `name` learns: `weight` `[outputs, inputs]` and `bias` `[outputs]`. Both start uniform in ±1/√inputs, as
/// PyTorch's `nn.Linear` does (Kaiming uniform with a = √5).
pub(super) fn parameters<'g>(name: &str, graph: &'g Graph, [outputs, inputs]: [usize; 2]) -> [Tensor<'g>; 2] {
    let init = Init::Uniform(1.0 / (inputs as f32).sqrt());
    graph.scope(name, || [graph.param("weight", &[outputs, inputs], init), graph.param("bias", &[outputs], init)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::eval::{Values, evaluate};

    const ROWS: usize = 4000;
    const X: [f64; 3] = [0.5, -1.0, 2.0];
    const MEAN: [f64; 6] = [0.3, -0.2, 0.5, 0.7, -0.4, 0.1];
    const OFF: [f64; 6] = [0.2, 0.1, -0.3, 0.05, 0.4, -0.1];

    /// What a layer makes of rows that are all one, of a draw of which it is told how far it is from its mean, or not.
    fn outputs(told: bool) -> Vec<f64> {
        let (graph, mut values) = (Graph::of_training(), Values::default());
        for (name, of) in [("x", X.repeat(ROWS)), ("layer.weight", MEAN.to_vec()), ("off", OFF.to_vec())] {
            values.tensors.insert(name.into(), of);
        }
        values.tensors.insert("layer.bias".into(), vec![0.1, -0.1]);
        let (x, off) = (graph.input("x", &[ROWS, 3]), graph.input("off", &[2, 3]).id());
        let made = graph.transform_parameters(
            move |name, mean| {
                if name.ends_with("bias") {
                    return mean;
                }
                let (graph, off) = (mean.graph(), mean.graph().tensor(off));
                let draw = mean + off;
                if told {
                    graph.is_around(draw, mean, off);
                }
                draw
            },
            || linear("layer", x, 2),
        );
        evaluate(&values, &[made]).remove(0)
    }

    #[test]
    fn rows_have_draws_of_their_own_that_are_as_far_from_the_mean() {
        let product = |w: &[f64]| X.iter().zip(w).map(|(x, w)| x * w).collect::<Vec<f64>>();
        let (shared, own) = (outputs(false), outputs(true));
        for (unit, bias) in [0.1, -0.1].into_iter().enumerate() {
            let of_unit = |of: &[f64]| product(&of[3 * unit..][..3]);
            let middle = bias + of_unit(&MEAN).iter().sum::<f64>();
            let off = of_unit(&OFF);
            let all = |found: &[f64]| found.iter().skip(unit).step_by(2).map(|y| y - middle).collect::<Vec<f64>>();
            let drawn = off.iter().sum::<f64>();
            assert!(all(&shared).iter().all(|y| (y - drawn).abs() < 1e-6), "one draw for all");
            // Each term of the sum with either sign, all eight ways as often.
            let mut counts = [0; 8];
            let way = |n: usize| (0..3).map(|i| if n >> i & 1 == 1 { off[i] } else { -off[i] }).sum::<f64>();
            for y in all(&own) {
                let near = (0..8).min_by(|&a, &b| (way(a) - y).abs().total_cmp(&(way(b) - y).abs())).unwrap();
                assert!((way(near) - y).abs() < 1e-6, "{y} is no turned draw");
                counts[near] += 1;
            }
            let variance = all(&own).iter().map(|y| y * y).sum::<f64>() / ROWS as f64;
            let expected = off.iter().map(|d| d * d).sum::<f64>();
            assert!((variance / expected - 1.0).abs() < 0.1, "{variance}, not {expected}");
            assert!(counts.iter().filter(|count| **count > ROWS / 20).count() >= 4, "{counts:?}");
        }
    }
}
