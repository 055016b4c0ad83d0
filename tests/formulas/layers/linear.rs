//! Layers that are all linear and Gaussian: x is Gaussian, its density known, and importance sampling must find it.
//!
//! With z₂ ~ N(0, I), z₁ = A z₂ + a + D^½ ε and x = B z₁ + b + σ ε, x ~ N(B a + b, B (A Aᵀ + D) Bᵀ + σ² I).

use std::f64::consts::TAU;

use elbo::catalogue::build;
use elbo::engine::distributions::LIKELIHOODS;
use elbo::engine::models::{Density, Generate, Hierarchical, Layer, Parts, Recognition, parameters};
use elbo::engine::nn::Activation;

use super::bench::{Bench, log_det, mean};

const FEATURES: usize = 3;
const LATENT: usize = 2;
const UPPER: usize = 2;
const SIGMA: f64 = 0.75;
const SAMPLES: usize = 120_000;

type Matrix = Vec<Vec<f64>>;

fn model(recognition: Recognition) -> Hierarchical {
    let likelihood = build(LIKELIHOODS, &format!("gaussian:sigma={SIGMA}").parse().unwrap()).unwrap();
    let upper = [Layer { latent: UPPER, hidden: vec![] }];
    Hierarchical::new(recognition, (FEATURES, LATENT), (&[], &[]), &upper, Activation::Tanh, Parts::new(likelihood))
}

/// A bench with parameters whose variances are constant, and wide where codes are inferred, so that no weight is far above the
/// others.
fn bench(recognition: Recognition) -> Bench {
    let mut bench = Bench::new();
    let (up, down): (Vec<_>, Vec<_>) =
        parameters(&model(recognition)).into_iter().partition(|p| p.name.contains("head"));
    bench.fill(&down, 0.8);
    bench.fill(&up, 0.2);
    let mut set = |name: &str, means: usize, value: f64| {
        bench.values.tensors.get_mut(name).expect("the model has it")[means..].fill(value);
    };
    set("layer2.output.weight", LATENT * UPPER, 0.0);
    set("head.weight", LATENT * FEATURES, 0.0);
    set("head.bias", LATENT, 0.9);
    let inputs = if recognition == Recognition::BottomUp { LATENT } else { FEATURES };
    set("layer2.head.weight", UPPER * inputs, 0.0);
    set("layer2.head.bias", UPPER, 0.9);
    bench
}

fn rows(values: &[f64], width: usize) -> Matrix {
    values.chunks(width).map(<[f64]>::to_vec).collect()
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let column = |row: &Vec<f64>, j: usize| row.iter().zip(b).map(|(x, other)| x * other[j]).sum();
    a.iter().map(|row| (0..b[0].len()).map(|j| column(row, j)).collect()).collect()
}

fn transposed(a: &Matrix) -> Matrix {
    (0..a[0].len()).map(|j| a.iter().map(|row| row[j]).collect()).collect()
}

fn add_diagonal(a: &mut Matrix, diagonal: impl Fn(usize) -> f64) {
    a.iter_mut().enumerate().for_each(|(i, row)| row[i] += diagonal(i));
}

/// ln N(x; m, S), the quadratic form as the ratio of two determinants.
fn log_normal(x: &[f64], m: &[f64], s: &Matrix) -> f64 {
    let d: Vec<f64> = x.iter().zip(m).map(|(x, m)| x - m).collect();
    let mut bordered: Matrix = s.iter().zip(&d).map(|(row, d)| row.iter().copied().chain([*d]).collect()).collect();
    bordered.push(d.iter().map(|d| -d).chain([0.0]).collect());
    let log_s = log_det(s.clone());
    -0.5 * (x.len() as f64 * TAU.ln() + log_s + (log_det(bordered) - log_s).exp())
}

/// ln p(x) of a model's parameters; with or without what the upper layer adds to the covariance.
fn exact(bench: &Bench, x: &[f64], with_upper: bool) -> f64 {
    let get = |name: &str| &bench.values.tensors[name];
    let (a, outputs) = (rows(&get("layer2.output.weight")[..LATENT * UPPER], UPPER), get("layer2.output.bias"));
    let (b, bias) = (rows(get("decoder.0.weight"), LATENT), get("decoder.0.bias"));
    let mut inner = product(&a, &transposed(&a));
    if !with_upper {
        inner.iter_mut().flatten().for_each(|v| *v = 0.0);
    }
    add_diagonal(&mut inner, |i| outputs[LATENT + i].exp());
    let mut covariance = product(&product(&b, &inner), &transposed(&b));
    add_diagonal(&mut covariance, |_| SIGMA * SIGMA);
    let a_mean: Matrix = outputs[..LATENT].iter().map(|v| vec![*v]).collect();
    let m: Vec<f64> = product(&b, &a_mean).iter().zip(bias).map(|(v, bias)| v[0] + bias).collect();
    log_normal(x, &m, &covariance)
}

#[test]
fn importance_sampling_finds_the_marginal_likelihood() {
    for recognition in [Recognition::BottomUp, Recognition::Ladder] {
        for x in [[0.3, -0.5, 0.9], [1.5, 1.0, -1.0]] {
            let mut bench = bench(recognition);
            let input = bench.input("x", &[x.to_vec()]);
            let weights = model(recognition).log_weights(input.into(), SAMPLES);
            let logs = bench.value(weights);
            let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let (average, error) = mean(&logs.iter().map(|l| (l - largest).exp()).collect::<Vec<_>>());
            let (found, error) = (largest + average.ln(), error / average);
            let known = exact(&bench, &x, true);
            assert!(error < 0.02, "{recognition:?}, {x:?}: too few samples count (± {error})");
            assert!(
                (found - known).abs() < 5.0 * error + 1e-6,
                "{recognition:?}, {x:?}: {found} ± {error}, not {known}"
            );
            let wrong = exact(&bench, &x, false);
            assert!(
                (found - wrong).abs() > 5.0 * error,
                "{recognition:?}: an upper layer that is left out is not seen"
            );
        }
    }
}

/// Codes of the first layer, from above: z₁ ~ N(a, A Aᵀ + D).
#[test]
fn draws_from_the_prior_come_down_all_layers() {
    const DRAWS: usize = 20_000;
    let bench = bench(Recognition::BottomUp);
    let z = model(Recognition::BottomUp).codes(bench.graph, DRAWS);
    let z = bench.value(z);
    let (weight, outputs) =
        (&bench.values.tensors["layer2.output.weight"], &bench.values.tensors["layer2.output.bias"]);
    for d in 0..LATENT {
        let row = &weight[d * UPPER..][..UPPER];
        let variance = row.iter().map(|w| w * w).sum::<f64>() + outputs[LATENT + d].exp();
        let (found, error) = mean(&z.chunks(LATENT).map(|z| z[d]).collect::<Vec<_>>());
        assert!((found - outputs[d]).abs() < 5.0 * error, "{d}: a mean of {found} ± {error}, not {}", outputs[d]);
        let squares: Vec<f64> = z.chunks(LATENT).map(|z| (z[d] - outputs[d]).powi(2)).collect();
        let (found, error) = mean(&squares);
        assert!((found - variance).abs() < 5.0 * error, "{d}: a variance of {found} ± {error}, not {variance}");
        assert!((found - outputs[LATENT + d].exp()).abs() > 5.0 * error, "{d}: the upper layer is not seen");
    }
}
