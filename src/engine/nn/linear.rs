//! The linear layer: y = x Wᵀ + b.
//!
//! Where W is drawn from a distribution whose signs are as likely one way as the other, W = M + D, each row may have a draw of its own at the
//! price of a second product (flipout: Wen et al. 2018, equation 4): y = x Mᵀ + ((x ∘ s) Dᵀ) ∘ r + b, s and r being signs that are drawn for
//! every number of every row; b is one draw for all of them.
//!
//! Where W is N(M, S²), number by number, what a row gives is drawn in place of W (local reparameterisation: Kingma, Salimans & Welling 2015,
//! equation 6): y = x Mᵀ + μ_b + √(x² (S²)ᵀ + σ_b²) ε, ε ~ N(0, I) for every number of every row.

use crate::graph::{Around, AroundNoise, Graph, Init, Tensor};

/// What is added to the variance of what is drawn, so that the root has a derivative where a row is all zeros.
const LEAST_VARIANCE: f32 = 1e-12;

/// A linear layer of the scope `name`, of `x` `[rows, inputs]`, see [`parameters`]. `[rows, outputs]`
pub fn linear<'g>(name: &str, x: Tensor<'g>, outputs: usize) -> Tensor<'g> {
    let [weight, bias] = parameters(name, x.graph(), [outputs, x.width()]);
    let graph = x.graph();
    match graph.around(weight) {
        None => x.matmul(weight.t()) + bias,
        Some(Around { mean, by: off, noise: AroundNoise::Signs }) => {
            let turned = (x * signs(x)).matmul(off.t());
            x.matmul(mean.t()) + turned * signs(turned) + bias
        }
        Some(Around { mean, by: deviation, noise: AroundNoise::Gaussian }) => {
            let variance = x.square().matmul(deviation.square().t()) + LEAST_VARIANCE;
            let (bias, variance) = match graph.around(bias) {
                Some(of_bias) => (of_bias.mean, variance + of_bias.by.square()),
                None => (bias, variance),
            };
            x.matmul(mean.t()) + bias + variance.sqrt() * graph.normal(graph.stream(), variance.shape())
        }
    }
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
                    graph.is_around(draw, Around { mean, by: off, noise: AroundNoise::Signs });
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
        let mut deviations = Vec::new();
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
            deviations.push(all(&own));
        }
        // Units are turned by signs of their own: with those of the inputs alone their deviations would go together.
        let correlation = |pairs: &mut dyn Iterator<Item = (f64, f64)>| {
            let sums = pairs.fold([0.0; 3], |[ab, aa, bb], (a, b)| [ab + a * b, aa + a * a, bb + b * b]);
            sums[0] / (sums[1] * sums[2]).sqrt()
        };
        let found = correlation(&mut deviations[0].iter().copied().zip(deviations[1].iter().copied()));
        let [first, second] = [0, 1].map(|unit| product(&OFF[3 * unit..][..3]));
        let without = correlation(&mut first.into_iter().zip(second));
        assert!(found.abs() < 0.15 && without.abs() > 0.4, "{found}; without signs of the units {without}");
    }

    const SPREAD: [f64; 6] = [0.2, 0.1, 0.3, 0.05, 0.4, 0.15];
    const BIAS: [f64; 2] = [0.1, -0.1];
    const BIAS_SPREAD: [f64; 2] = [0.25, 0.35];

    /// Values of a layer whose weights are Gaussians, of these rows.
    fn gaussian_values(x: Vec<f64>) -> Values {
        let mut values = Values::default();
        for (name, of) in [
            ("x", x),
            ("layer.weight", MEAN.to_vec()),
            ("layer.bias", BIAS.to_vec()),
            ("weight", SPREAD.to_vec()),
            ("bias", BIAS_SPREAD.to_vec()),
        ] {
            values.tensors.insert(name.into(), of);
        }
        values
    }

    /// What a layer makes of rows by Gaussian weights that it draws for each of them; the bias is one as well, or a point.
    fn of_gaussians(graph: &Graph, rows: usize, with_bias: bool) -> Tensor<'_> {
        let x = graph.input("x", &[rows, 3]);
        let [weight, bias] =
            [("weight", &[2, 3][..]), ("bias", &[2])].map(|(name, shape)| graph.input(name, shape).id());
        graph.transform_parameters(
            move |name, mean| {
                let is_bias = name.ends_with("bias");
                if is_bias && !with_bias {
                    return mean;
                }
                let (graph, by) = (mean.graph(), mean.graph().tensor(if is_bias { bias } else { weight }));
                let draw = mean + by * 0.0;
                graph.is_around(draw, Around { mean, by, noise: AroundNoise::Gaussian });
                draw
            },
            || linear("layer", x, 2),
        )
    }

    /// y ~ N(x Mᵀ + μ_b, x² (S²)ᵀ + σ_b²), independently for every unit of every row.
    #[test]
    fn what_a_layer_gives_is_drawn_with_mean_and_variance_by_hand() {
        for with_bias in [true, false] {
            let graph = Graph::of_training();
            let made = of_gaussians(&graph, ROWS, with_bias);
            let found = evaluate(&gaussian_values(X.repeat(ROWS)), &[made]).remove(0);
            let mut off = vec![];
            for unit in 0..2 {
                let of = |per: &dyn Fn(usize) -> f64| (0..3).map(per).sum::<f64>();
                let mean = BIAS[unit] + of(&|i| X[i] * MEAN[3 * unit + i]);
                let own = if with_bias { BIAS_SPREAD[unit].powi(2) } else { 0.0 };
                let variance = own + of(&|i| (X[i] * SPREAD[3 * unit + i]).powi(2));
                let all: Vec<f64> = found.iter().skip(unit).step_by(2).map(|y| (y - mean) / variance.sqrt()).collect();
                let moment = |power: i32| all.iter().map(|e| e.powi(power)).sum::<f64>() / ROWS as f64;
                // Standard errors of 4000 draws: 0.016, 0.022, and 0.15 of a fourth moment of 3.
                assert!(moment(1).abs() < 0.06 && (moment(2) - 1.0).abs() < 0.08, "{} {}", moment(1), moment(2));
                assert!((moment(4) - 3.0).abs() < 0.6, "{}", moment(4));
                // Sums of deviations in place of the root of the sum of squares are another width.
                let wrong = of(&|i| (X[i] * SPREAD[3 * unit + i]).abs()).powi(2);
                assert!((wrong / variance - 1.0).abs() > 0.2);
                off.push(all);
            }
            let together = off[0].iter().zip(&off[1]).map(|(a, b)| a * b).sum::<f64>() / ROWS as f64;
            let next = off[0].windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / ROWS as f64;
            assert!(together.abs() < 0.07 && next.abs() < 0.07, "{together}, {next}");
        }
    }

    /// Also where a row is all zeros, and nothing but the least variance is left.
    #[test]
    fn what_a_layer_draws_has_the_gradients_of_differences() {
        let rows = vec![0.5, -1.0, 2.0, 0.0, 0.0, 0.0];
        let names = ["x", "layer.weight", "weight", "bias"];
        let loss = |graph: &Graph, with_bias: bool| {
            let made = of_gaussians(graph, 2, with_bias);
            (made.square() * 0.7 + made).sum(&[0, 1]).id()
        };
        for with_bias in [true, false] {
            let graph = Graph::of_training();
            let total = graph.tensor(loss(&graph, with_bias));
            let by: Vec<Tensor> = names
                .iter()
                .map(|name| match *name {
                    "layer.weight" => graph.parameter(name),
                    "x" => graph.input(name, &[2, 3]),
                    "weight" => graph.input(name, &[2, 3]),
                    _ => graph.input(name, &[2]),
                })
                .collect();
            let found = evaluate(&gaussian_values(rows.clone()), &total.gradients(&by));
            for (name, found) in names.iter().zip(found) {
                for (i, found) in found.into_iter().enumerate() {
                    let at = |h: f64| {
                        let graph = Graph::of_training();
                        let mut values = gaussian_values(rows.clone());
                        values.tensors.get_mut(*name).unwrap()[i] += h;
                        let total = graph.tensor(loss(&graph, with_bias));
                        evaluate(&values, &[total])[0][0]
                    };
                    assert!(found.is_finite(), "{name} {i}");
                    // Without the bias's variance, zeros stand at the corner of a root, where differences say nothing.
                    if with_bias || *name != "x" || i < 3 {
                        let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
                        assert!((found - slope).abs() < 1e-5 * (1.0 + slope.abs()), "{name} {i}: {found}, {slope}");
                    }
                }
            }
        }
    }
}
