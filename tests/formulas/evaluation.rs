//! Evaluation against what can be known exactly: the linear-Gaussian VAE, whose marginal likelihood is a Gaussian's.

use crate::common;

use std::ops::ControlFlow;
use std::sync::Arc;

use elbo::config::{Preset, TrainingConfig};
use elbo::data::{Dataset, Shape, Values};
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::Gaussian;
use elbo::engine::kernels::Step;
use elbo::engine::kernels::random::normal4;
use elbo::engine::models::{Parts, Vae};
use elbo::engine::nn::Activation;
use elbo::engine::program::Executor;
use elbo::engine::training::{Session, Trainer};

const FEATURES: usize = 6;
const LATENT: usize = 2;
const SIGMA: f64 = 0.4;
const ROWS: usize = 512;

/// Rows x = W z + 0.4 ε whose two principal directions stand apart.
fn data() -> Dataset {
    let step = Step { seed: [3, 1], ..Step::default() };
    let normal = |stream: u32, e: usize| f64::from(normal4(&step, stream, e as u32 / 4)[e % 4]);
    // Two directions of different length, at right angles.
    let w: Vec<[f64; LATENT]> = (0..FEATURES).map(|f| [2.0 * (f as f64 * 0.9).cos(), (f as f64 * 0.9).sin()]).collect();
    let rows = (0..ROWS).flat_map(|r| {
        let w = &w;
        (0..FEATURES).map(move |f| {
            let z = [normal(1, 2 * r), normal(1, 2 * r + 1)];
            (w[f][0] * z[0] + w[f][1] * z[1] + SIGMA * normal(2, r * FEATURES + f)) as f32
        })
    });
    Dataset::new("plane", Values::Floats(rows.collect()), Shape::vector(FEATURES)).unwrap()
}

/// A VAE without hidden layers: x = W z + b + σ ε exactly.
fn trained(executor: Box<dyn Executor>, data: &Dataset, epochs: usize) -> Session {
    let model = Vae::new(
        FEATURES,
        LATENT,
        (&[], &[]),
        Activation::Relu,
        Parts::new(Arc::new(Gaussian { sigma: SIGMA as f32 })),
    );
    let config = TrainingConfig {
        epochs,
        batch: 64,
        learning_rate: 0.02,
        schedule: elbo::config::Schedule::Cosine,
        ..Preset::Classic.config().training
    };
    let session = Session::new(Box::new(model), executor, 4);
    let mut trainer = Trainer::new(session, data, &config, 1.0, false).unwrap();
    for _ in 0..epochs {
        trainer.epoch(&mut |_| ControlFlow::Continue(())).unwrap();
    }
    trainer.session
}

/// The decoder's W, one row per feature, and b.
fn decoder(session: &mut Session) -> (Vec<Vec<f64>>, Vec<f64>) {
    let tensors = session.values().unwrap();
    let wide = |name: &str| -> Vec<f64> {
        tensors.iter().find(|t| t.0 == name).unwrap().2.iter().map(|&v| f64::from(v)).collect()
    };
    (wide("decoder.0.weight").chunks(LATENT).map(<[f64]>::to_vec).collect(), wide("decoder.0.bias"))
}

/// Solves a x = b for a symmetric positive matrix, and ln det a (Cholesky).
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> (Vec<f64>, f64) {
    let n = b.len();
    let mut log_det = 0.0;
    for i in 0..n {
        let pivot = a[i][i];
        log_det += pivot.ln();
        let (above, below) = a.split_at_mut(i + 1);
        for (r, row) in below.iter_mut().enumerate() {
            let factor = row[i] / pivot;
            row.iter_mut().zip(&above[i]).skip(i).for_each(|(x, p)| *x -= factor * p);
            b[i + 1 + r] -= factor * b[i];
        }
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|c| a[i][c] * b[c]).sum();
        b[i] = (b[i] - known) / a[i][i];
    }
    (b, log_det)
}

/// The mean of −ln N(x; b, W Wᵀ + σ² I) over the rows.
fn exact_nll(session: &mut Session, data: &Dataset) -> f64 {
    let (w, b) = decoder(session);
    let entry = |i: usize, j: usize| {
        let product: f64 = w[i].iter().zip(&w[j]).map(|(x, y)| x * y).sum();
        product + if i == j { SIGMA * SIGMA } else { 0.0 }
    };
    let covariance: Vec<Vec<f64>> = (0..FEATURES).map(|i| (0..FEATURES).map(|j| entry(i, j)).collect()).collect();
    let nll = |row: usize| {
        let d: Vec<f64> = data.row(row).iter().zip(&b).map(|(&x, b)| f64::from(x) - b).collect();
        let (solved, log_det) = solve(covariance.clone(), d.clone());
        let square: f64 = solved.iter().zip(&d).map(|(a, b)| a * b).sum();
        0.5 * (FEATURES as f64 * std::f64::consts::TAU.ln() + log_det + square)
    };
    (0..data.rows).map(nll).sum::<f64>() / data.rows as f64
}

/// The sine of the largest angle between two planes, each of two orthonormal columns.
fn angle(a: &[Vec<f64>; 2], b: &[Vec<f64>; 2]) -> f64 {
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(a, b)| a * b).sum::<f64>();
    // How far a unit vector of the one plane is from the other, at most: over a fine circle.
    (0..360)
        .map(|t| {
            let (s, c) = (t as f64).to_radians().sin_cos();
            let v: Vec<f64> = a[0].iter().zip(&a[1]).map(|(x, y)| c * x + s * y).collect();
            let inside = dot(&v, &b[0]).powi(2) + dot(&v, &b[1]).powi(2);
            (1.0 - inside).max(0.0).sqrt()
        })
        .fold(0.0, f64::max)
}

/// Two vectors made orthonormal (Gram and Schmidt).
fn orthonormal(columns: [Vec<f64>; 2]) -> [Vec<f64>; 2] {
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(a, b)| a * b).sum::<f64>();
    let unit = |v: Vec<f64>| {
        let n = dot(&v, &v).sqrt();
        v.into_iter().map(|x| x / n).collect::<Vec<f64>>()
    };
    let [a, b] = columns;
    let a = unit(a);
    let along = dot(&a, &b);
    let b = unit(b.iter().zip(&a).map(|(b, a)| b - along * a).collect());
    [a, b]
}

/// The plane of the two first principal components, by subspace iteration.
fn principal_plane(data: &Dataset) -> [Vec<f64>; 2] {
    let rows: Vec<Vec<f64>> = (0..data.rows).map(|r| data.row(r).into_iter().map(f64::from).collect()).collect();
    let n = rows.len() as f64;
    let mean: Vec<f64> = (0..FEATURES).map(|f| rows.iter().map(|r| r[f]).sum::<f64>() / n).collect();
    let times = |v: &[f64]| {
        let mut out = vec![0.0; FEATURES];
        for row in &rows {
            let along: f64 = row.iter().zip(&mean).zip(v).map(|((x, m), v)| (x - m) * v).sum();
            for f in 0..FEATURES {
                out[f] += along * (row[f] - mean[f]) / n;
            }
        }
        out
    };
    let start = |k: usize| (0..FEATURES).map(|f| ((f + 1) * (k + 2)) as f64 % 5.0 + 0.1).collect::<Vec<f64>>();
    (0..200).fold(orthonormal([start(0), start(1)]), |[a, b], _| orthonormal([times(&a), times(&b)]))
}

fn check(make: &dyn Fn() -> Box<dyn Executor>) {
    let data = data();
    let mut session = trained(make(), &data, 250);
    let exact = exact_nll(&mut session, &data);
    let found = session.importance(&data, 1000).unwrap();
    eprintln!("exact {exact:.5}, {found:?}");
    assert!((found.nll - exact).abs() < 0.01, "{} is not {exact}", found.nll);
    // Within its own error too, and that is small.
    let (error, bias) = (found.monte_carlo_error.unwrap(), found.bias.unwrap());
    assert!((found.nll - exact).abs() < 6.0 * error + 1e-3, "{found:?}, exact {exact}");
    assert!(error < 0.01 && found.standard_error > 0.01 && (0.0..0.01).contains(&bias) && found.reliable, "{found:?}");
    // One sample is the ELBO, a worse bound; and another model's likelihood is not this one's.
    let mut other = trained(make(), &data, 1);
    assert!((other.importance(&data, 1000).unwrap().nll - exact).abs() > 0.1);
    let one = session.importance(&data, 1).unwrap();
    assert!(one.nll > found.nll - 0.05 && one.monte_carlo_error.is_none() && !one.reliable, "{one:?}");
    // Training finds the plane of the principal components (Tipping and Bishop 1999; Lucas et al. 2019).
    let (w, _) = decoder(&mut session);
    let plane = orthonormal([0, 1].map(|k| w.iter().map(|row| row[k]).collect()));
    let degrees = angle(&plane, &principal_plane(&data)).asin().to_degrees();
    assert!(degrees < 1.0, "{degrees} degrees from the plane of the principal components");
    let (w, _) = decoder(&mut other);
    let plane = orthonormal([0, 1].map(|k| w.iter().map(|row| row[k]).collect()));
    assert!(angle(&plane, &principal_plane(&data)).asin().to_degrees() > 2.0);
}

#[test]
fn a_linear_vae_on_the_cpu() {
    check(&|| Box::new(Cpu::new()));
}

#[test]
fn a_linear_vae_on_the_gpu() {
    if common::adapter().is_some() {
        check(&|| Box::new(common::gpu().unwrap()));
    }
}
