//! Log-probabilities and gradients by programs, on the CPU and on the GPU, against the graph in f64: at outputs of any
//! size, and data far from what they say.

use elbo::catalogue::Spec;
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::Support;

use super::densities::inside;
use super::{Sheet, Tensor, made, outputs, specs};
use crate::common::oracle::{Device, Numbers};

const FEATURES: usize = 3;
/// Rows by the size of their outputs.
const SIZES: [f64; 8] = [0.0, 1.0, 1.0, 4.0, 4.0, 30.0, 30.0, 1000.0];
/// How far f32 may be from f64, in proportion to 1 and each number itself.
const LIMIT: f64 = 1e-4;

/// Log-probabilities and the gradients of a weighted sum of them; `nudge` goes into the outputs of one feature.
fn sheet(spec: &Spec, nudge: f64) -> (Sheet, [Tensor; 2]) {
    let (likelihood, mut numbers) = (made(spec), Numbers(31));
    let (n, rows) = (likelihood.outputs(1), SIZES.len());
    let row = |&size: &f64| (0..FEATURES).flat_map(|_| outputs(&*likelihood, size, &mut numbers)).collect::<Vec<_>>();
    let mut given: Vec<f64> = SIZES.iter().flat_map(row).collect();
    for k in 0..n {
        given[(n + k) * FEATURES] += nudge * (1 + k % 3) as f64;
    }
    let mut data: Vec<f64> = (0..rows * FEATURES).map(|_| inside(likelihood.support(), &mut numbers)).collect();
    // The ends of the support, or what no output says.
    let ends = if likelihood.support() == Support::Real { [-100.0, 100.0] } else { [0.0, 1.0] };
    for row in data.chunks_mut(FEATURES) {
        row[..2].copy_from_slice(&ends);
    }
    let mut sheet = Sheet::new();
    sheet.tag = spec.to_string();
    let o = sheet.input("outputs", &[rows, n * FEATURES], &given);
    let x = sheet.input("x", &[rows, FEATURES], &data);
    let w = sheet.input("w", &[rows, FEATURES], &numbers.signed(rows * FEATURES));
    let log_prob = likelihood.log_prob(o, x);
    let loss = log_prob * w;
    let gradient = loss.gradients(&[o])[0];
    (sheet, [log_prob, gradient])
}

/// The largest difference of what a device finds from what is exact, in units of the limit.
fn worst(found: &[Vec<f64>], exact: &[Vec<f64>]) -> f64 {
    let worse = |a: f64, b: f64| if b.is_finite() { a.max(b) } else { f64::INFINITY };
    let pairs = found.iter().flatten().zip(exact.iter().flatten());
    pairs.map(|(f, e)| (f - e).abs() / (LIMIT * (1.0 + e.abs()))).fold(0.0, worse)
}

fn check(device: &mut Device) {
    for spec in specs() {
        let (right, wanted) = sheet(&spec, 0.0);
        let (exact, found) = (right.exact(&wanted), right.on(device, &wanted));
        assert!(exact.iter().flatten().all(|x| x.is_finite()), "{spec}: the graph overflows");
        let far = worst(&found, &exact);
        eprintln!("{spec}: {far:.3} of the limit");
        assert!(far < 1.0, "{spec}: {far} times the limit apart");
        let (other, wanted) = sheet(&spec, 0.2);
        let far = worst(&found, &other.exact(&wanted));
        assert!(far > 1.0, "{spec}: outputs that differ are not seen ({far})");
    }
}

#[test]
fn the_cpu_computes_what_the_graph_says() {
    check(&mut Device::new(Box::new(Cpu::new())));
}

#[test]
fn the_gpu_computes_what_the_graph_says() {
    let Some(gpu) = crate::common::open(elbo::engine::gpu::Options::default()) else { return };
    check(&mut Device::new(Box::new(gpu)));
}
