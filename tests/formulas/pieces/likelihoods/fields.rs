//! Likelihoods of the fields of a table: counts, classes, and all of them beside each other.

use std::sync::Arc;

use elbo::data::Schema;
use elbo::data::schema::{Field, FieldKind, Role, Scaling};
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::{Gaussian, Heads, Likelihood, NegativeBinomial, OneHot};

use super::formulas::{binned, ln_gamma, normal};
use super::{Sheet, Tensor};
use crate::common::oracle::{Device, Numbers};

const COUNTS: NegativeBinomial = NegativeBinomial { shift: 1.25, scale: 0.8 };

/// ln P(k) of a mean and a shape (Lawless 1987, section 1).
fn negative_binomial(k: f64, mean: f64, r: f64) -> f64 {
    let ways = ln_gamma(k + r) - ln_gamma(r) - ln_gamma(k + 1.0);
    ways + r * (r / (r + mean)).ln() + k * (mean / (r + mean)).ln()
}

fn scaled(k: f64) -> f64 {
    (k.ln_1p() - 1.25) / 0.8
}

/// ln p of these numbers and E[x], on the CPU.
fn found(likelihood: &dyn Likelihood, outputs: &[f64], x: &[f64]) -> [Vec<f64>; 2] {
    let mut sheet = Sheet::new();
    let o = sheet.input("outputs", &[1, outputs.len()], outputs);
    let x = sheet.input("x", &[1, x.len()], x);
    let wanted = [likelihood.log_prob(o, x), likelihood.mean(o)];
    sheet.on(&mut Device::new(Box::new(Cpu::new())), &wanted).try_into().unwrap()
}

#[test]
fn counts_have_the_probabilities_of_a_negative_binomial() {
    for (log_mean, log_shape) in [(0.3, -0.7), (1.9, 1.2), (-1.0, 3.0)] {
        let (mean, r) = ((0.8f64 * log_mean + 1.25).exp(), f64::exp(log_shape));
        for k in [0.0, 1.0, 2.0, 17.0, 150.0] {
            let [log_prob, mean_found] = found(&COUNTS, &[log_mean, log_shape], &[scaled(k)]);
            let expected = negative_binomial(k, mean, r);
            assert!((log_prob[0] - expected).abs() < 2e-4 * (1.0 + expected.abs()), "{k}: {log_prob:?}, {expected}");
            assert!((negative_binomial(k, r, mean) - expected).abs() > 1e-3, "which is which is seen");
            assert!((mean_found[0] - scaled(mean)).abs() < 1e-5);
        }
        let total: f64 = (0..20_000).map(|k| negative_binomial(f64::from(k), mean, r).exp()).sum();
        assert!((total - 1.0).abs() < 1e-6, "{total}");
    }
}

/// Draws `[count]` of a likelihood of one number, as its numbers are scaled.
fn draws(likelihood: &dyn Likelihood, outputs: &[f64], count: usize, width: usize) -> Vec<f64> {
    let mut sheet = Sheet::new();
    let o = sheet.input("outputs", &[count, outputs.len()], &outputs.repeat(count));
    let drawn = likelihood.sample(o).unwrap();
    assert_eq!(drawn.shape(), [count, width]);
    sheet.on(&mut Device::new(Box::new(Cpu::new())), &[drawn]).remove(0)
}

#[test]
fn drawn_counts_have_the_mean_and_the_variance() {
    const MANY: usize = 40_000;
    for (mean, r) in [(0.4, 0.5), (3.0, 2.0), (25.0, 300.0), (60.0, 300.0), (120.0, 8.0)] {
        let outputs = [(f64::ln(mean) - 1.25) / 0.8, f64::ln(r)];
        let counts: Vec<f64> = draws(&COUNTS, &outputs, MANY, 1).iter().map(|x| (0.8 * x + 1.25).exp() - 1.0).collect();
        assert!(counts.iter().all(|k| (k - k.round()).abs() < 1e-3 * (1.0 + k) && *k > -1e-3), "counts are whole");
        let n = MANY as f64;
        let found = counts.iter().sum::<f64>() / n;
        let variance = counts.iter().map(|k| (k - found).powi(2)).sum::<f64>() / n;
        let expected = mean + mean * mean / r;
        // Five standard errors, and what Wilson and Hilferty's cube is off.
        assert!((found - mean).abs() < 5.0 * (expected / n).sqrt() + 0.004 * mean, "{mean}, {r}: {found}");
        assert!((variance / expected - 1.0).abs() < 0.08, "{mean}, {r}: {variance} is not {expected}");
    }
}

#[test]
fn a_class_has_its_softmax() {
    let outputs: [f64; 3] = [0.4, -1.1, 0.9];
    let total: f64 = outputs.iter().map(|o| o.exp()).sum();
    let [log_prob, mean] = found(&OneHot, &outputs, &[0.0, 1.0, 0.0]);
    for (class, output) in outputs.iter().enumerate() {
        let p = output.exp() / total;
        assert!((mean[class] - p).abs() < 1e-6);
        let expected = if class == 1 { p.ln() } else { 0.0 };
        assert!((log_prob[class] - expected).abs() < 1e-5, "{log_prob:?}");
    }
    let drawn = draws(&OneHot, &outputs, 30_000, 3);
    assert!(drawn.chunks(3).all(|row| row.iter().sum::<f64>() == 1.0), "a one among zeros");
    for (class, output) in outputs.iter().enumerate() {
        let share = drawn.iter().skip(class).step_by(3).sum::<f64>() / 30_000.0;
        assert!((share - output.exp() / total).abs() < 0.015, "{class}: {share}");
    }
}

fn schema() -> Schema {
    let field = |name: &str, kind| Field { name: name.to_string(), kind, role: Role::Input, whole: false };
    let classes = ["a", "b", "c"].map(String::from).to_vec();
    let scaling = Scaling { shift: 1.25, scale: 0.8 };
    let mut fields = vec![
        field("height", FieldKind::Real(Scaling::NONE)),
        field("weight", FieldKind::Positive(Scaling::NONE)),
        field("colour", FieldKind::Category(classes)),
        field("visits", FieldKind::Count(scaling)),
        field("mark", FieldKind::Ordinal(vec![1.0, 2.0, 3.0, 5.0])),
        field("age", FieldKind::Real(Scaling::NONE)),
    ];
    fields.insert(0, Field { name: "id".into(), kind: FieldKind::Text, role: Role::Identity, whole: false });
    Schema { fields }
}

/// Two rows of the decoder's outputs and of numbers, in the order of the fields.
const OUTPUTS: [f64; 20] = [
    0.4, -0.3, /**/ 0.4, -1.1, 0.9, /**/ 0.3, -0.7, /**/ 0.5, -0.9, /**/ 0.6, //
    -0.2, 0.8, /**/ 1.3, 0.2, -0.5, /**/ 1.1, 0.4, /**/ 0.2, -0.4, /**/ -1.2,
];

fn numbers() -> Vec<f64> {
    let first = [0.7, -0.1, 0.0, 1.0, 0.0, scaled(3.0), 1.0 / 3.0, 0.2];
    let second = [-0.6, 1.4, 0.0, 0.0, 1.0, scaled(0.0), 1.0, 0.9];
    [first, second].concat()
}

fn heads() -> Arc<dyn Likelihood> {
    Heads::of(&schema(), &(Arc::new(Gaussian { sigma: 0.6 }) as Arc<dyn Likelihood>))
}

fn log_probs() -> (Sheet, [Tensor; 2]) {
    let (likelihood, mut sheet) = (heads(), Sheet::new());
    let o = sheet.input("outputs", &[2, 10], &OUTPUTS);
    let x = sheet.input("x", &[2, 8], &numbers());
    let w = sheet.input("w", &[2, 8], &Numbers(3).signed(16));
    let log_prob = likelihood.log_prob(o, x);
    let gradient = (log_prob * w).gradients(&[o])[0];
    (sheet, [log_prob, gradient])
}

#[test]
fn each_field_has_the_likelihood_of_its_kind() {
    assert_eq!(heads().outputs(0), 10);
    let (sheet, wanted) = log_probs();
    let exact = sheet.exact(&wanted);
    let x = numbers();
    for (row, o) in OUTPUTS.chunks(10).enumerate() {
        let x = &x[row * 8..][..8];
        let of_class = |class: usize| o[2 + class] - o[2..5].iter().map(|o| o.exp()).sum::<f64>().ln();
        let count = ((0.8 * x[5] + 1.25).exp() - 1.0).round();
        let expected = [
            normal(x[0], o[0], 0.6),
            normal(x[1], o[1], 0.6),
            x[2] * of_class(0),
            x[3] * of_class(1),
            x[4] * of_class(2),
            negative_binomial(count, (0.8 * o[5] + 1.25).exp(), o[6].exp()),
            binned(x[6], o[7], o[8].exp(), 4).ln(),
            normal(x[7], o[9], 0.6),
        ];
        for (column, expected) in expected.iter().enumerate() {
            let found = exact[0][row * 8 + column];
            assert!((found - expected).abs() < 1e-5, "row {row}, column {column}: {found} is not {expected}");
        }
    }
}

fn check(device: &mut Device) {
    let (sheet, wanted) = log_probs();
    let (exact, found) = (sheet.exact(&wanted), sheet.on(device, &wanted));
    let far = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs() / (1.0 + b.abs())).fold(0.0, f64::max);
    for (found, exact) in found.iter().zip(&exact) {
        assert!(far(found, exact) < 1e-4, "{}", far(found, exact));
        assert!(far(&found[1..], &exact[..exact.len() - 1]) > 1e-2, "columns that change places are seen");
    }
}

#[test]
fn the_cpu_computes_the_heads() {
    check(&mut Device::new(Box::new(Cpu::new())));
}

#[test]
fn the_gpu_computes_the_heads() {
    let Some(gpu) = crate::common::open(elbo::engine::gpu::Options::default()) else { return };
    check(&mut Device::new(Box::new(gpu)));
}

/// Rows that are one kind of number have the likelihood of that, and nothing around it.
#[test]
fn numbers_alone_have_the_usual_likelihood() {
    let usual: Arc<dyn Likelihood> = Arc::new(Gaussian { sigma: 0.6 });
    let mut schema = schema();
    schema.fields.retain(|field| matches!(field.kind, FieldKind::Real(_) | FieldKind::Positive(_)));
    assert!(Arc::ptr_eq(&Heads::of(&schema, &usual), &usual));
    assert!(!Arc::ptr_eq(&heads(), &usual));
}
