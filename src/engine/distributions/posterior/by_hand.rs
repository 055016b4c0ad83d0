//! Draws and their densities at numbers worked out from the formulas of the papers.

use super::*;
use crate::catalogue::{Spec, build};
use crate::graph::eval::{Values, evaluate};

/// The draw of one row and ln of its density, of what the encoder says and of noise.
fn drawn(spec: Spec, outputs: &[f64], noise: &[f64]) -> (Vec<f64>, f64) {
    let posterior = build(POSTERIORS, &spec).expect("the posterior is in the list");
    let (graph, mut values) = (Graph::new(), Values::default());
    let mut input = |name: &str, numbers: &[f64]| {
        values.tensors.insert(name.to_string(), numbers.to_vec());
        graph.input(name, &[1, numbers.len()])
    };
    let (outputs, noise) = (input("outputs", outputs), input("noise", noise));
    let draw = posterior.sample(outputs, noise);
    let found = evaluate(&values, &[draw.z, draw.log_prob]);
    (found[0].clone(), found[1][0])
}

/// The variances of the dimensions of one row, of what the encoder says, where there is a closed form.
fn variances(spec: &str, outputs: &[f64]) -> Option<Vec<f64>> {
    let posterior = build(POSTERIORS, &spec.parse().unwrap()).expect("the posterior is in the list");
    let (graph, mut values) = (Graph::new(), Values::default());
    values.tensors.insert("outputs".to_string(), outputs.to_vec());
    let variance = posterior.marginal_variance(graph.input("outputs", &[1, outputs.len()]))?;
    assert_eq!(variance.shape(), [1, 2]);
    Some(evaluate(&values, &[variance]).remove(0))
}

#[test]
fn variances_are_those_of_the_formulas() {
    let ln = f64::ln;
    let close = |spec: &str, outputs: &[f64], by_hand: [f64; 2]| {
        let found = variances(spec, outputs).unwrap();
        let is_close = found.iter().zip(by_hand).all(|(a, b)| (a - b).abs() < 1e-6 * b);
        assert!(is_close, "{spec}: {found:?} is not {by_hand:?}");
    };
    // σ² itself; 2b²; π²s²/3; s²ν/(ν − 2).
    close("diagonal-gaussian", &[3.0, -1.0, ln(4.0), ln(0.25)], [4.0, 0.25]);
    close("laplace", &[3.0, -1.0, ln(2.0), ln(0.5)], [8.0, 0.5]);
    close("logistic", &[3.0, -1.0, ln(2.0), ln(0.5)], [13.159_472_535, 0.822_467_033]);
    close("student-t:nu=6", &[3.0, -1.0, ln(2.0), ln(0.5)], [6.0, 0.375]);
    // L = (2 0; 0.5 3), whose part below the diagonal is given times √2: LLᵀ has 4 and 0.25 + 9 on its diagonal.
    let lower = [ln(2.0), 77.0, 0.5 * 2f64.sqrt(), ln(3.0)];
    close("full-covariance", &[&[3.0, -1.0], &lower[..]].concat(), [4.0, 9.25]);
    // I − 2vvᵀ/25 is (7 −24; −24 −7)/25: (49·4 + 576/4)/625 and (576·4 + 49/4)/625. A second reflection
    // turns the sign of the first dimension, which leaves variances as they are.
    let turned = [0.544, 3.706];
    close("householder:length=1", &[3.0, -1.0, ln(4.0), ln(0.25), 3.0, 4.0], turned);
    close("householder:length=2", &[3.0, -1.0, ln(4.0), ln(0.25), 3.0, 4.0, 5.0, 0.0], turned);
    // Of (5, 5) the reflection swaps the two and turns their signs.
    close("householder:length=2", &[3.0, -1.0, ln(4.0), ln(0.25), 3.0, 4.0, 5.0, 5.0], [3.706, 0.544]);
    assert_eq!(variances("planar:length=1", &[0.5; 9]), None);
}

/// ln of the standard normal density in two dimensions.
fn log_normal(e: [f64; 2]) -> f64 {
    -std::f64::consts::TAU.ln() - 0.5 * (e[0] * e[0] + e[1] * e[1])
}

fn assert_drawn(found: (Vec<f64>, f64), z: &[f64], log_prob: f64) {
    assert_eq!(found.0.len(), z.len());
    let close = |a: f64, b: f64| (a - b).abs() < 2e-6 * b.abs().max(1.0);
    assert!(found.0.iter().zip(z).all(|(a, b)| close(*a, *b)), "{:?} is not {z:?}", found.0);
    assert!(close(found.1, log_prob), "{} is not {log_prob}", found.1);
}

/// One map of a flow, from a standard normal around 0: the draw before it is the noise.
fn mapped(name: &str, noise: [f64; 2], h: &[f64]) -> (Vec<f64>, f64) {
    let outputs = [&[0.0; 4], h].concat();
    let (z, log_prob) = drawn(Spec::new(name).with("length", 1.0), &outputs, &noise);
    (z, log_normal(noise) - log_prob)
}

#[test]
fn planar() {
    // u = (1, 1), w = (2, 1), b = -3/2; wᵀu = 3, which m takes to ln(1 + (e - 1) e³) - 1 = 2.569888.
    // wᵀz + b = 1/4, of which the hyperbolic tangent is 0.244919.
    let found = mapped("planar", [1.0, -0.25], &[1.0, 1.0, 2.0, 1.0, -1.5]);
    assert_drawn(found, &[1.202_781_673, -0.026_149_832], 1.228_392_057);
    // wᵀu = 0 stays what it is.
    let found = mapped("planar", [1.0, -0.25], &[0.5, -1.0, 2.0, 1.0, -1.5]);
    assert_drawn(found, &[1.122_459_331, -0.494_918_662], 0.0);
}

#[test]
fn radial() {
    // c = (1, 1), 5 away; α = ln(1 + e⁻¹) + 10⁻⁴ and β̂ = -α + ln(1 + e^½).
    let found = mapped("radial", [4.0, 5.0], &[1.0, 1.0, -1.0, 0.5]);
    assert_drawn(found, &[4.373_049_306, 5.497_399_075], 0.124_511_797);
}

#[test]
fn householder() {
    // z - 2 v vᵀz/‖v‖² with vᵀz = 11 and ‖v‖² = 25.
    assert_drawn(mapped("householder", [1.0, 2.0], &[3.0, 4.0]), &[1.0 - 66.0 / 25.0, 2.0 - 88.0 / 25.0], 0.0);
}

#[test]
fn sylvester() {
    // z + R tanh(R̃z + b): R has tanh(½), 2 and tanh(-1), R̃ tanh(¼), 3 and tanh(-½), both above the diagonal.
    let found = mapped("sylvester", [1.0, -0.5], &[0.5, 2.0, 3.0, -1.0, 0.25, -0.5, 0.1, -0.2]);
    assert_drawn(found, &[0.683_424_329, -0.523_646_429], 0.337_803_017);
}

#[test]
fn full_covariance() {
    // L has 2 and 3 on the diagonal, 3/√2 below it, and nothing above.
    let outputs = [0.5, -1.0, 2.0_f64.ln(), 9.0, 3.0, 3.0_f64.ln()];
    let z = [2.5, 3.0 / 2.0_f64.sqrt() - 4.0];
    assert_drawn(
        drawn(Spec::new("full-covariance"), &outputs, &[1.0, -1.0]),
        &z,
        log_normal([1.0, -1.0]) - 6.0_f64.ln(),
    );
}

#[test]
fn location_and_scale() {
    // Around 1, twice as wide; a quarter of the draws lie below that of u = 1/4.
    let (outputs, ln_2) = ([1.0, 2.0_f64.ln()], std::f64::consts::LN_2);
    assert_drawn(drawn(Spec::new("laplace"), &outputs, &[0.25]), &[1.0 - 2.0 * ln_2], -3.0 * ln_2);
    assert_drawn(drawn(Spec::new("laplace"), &outputs, &[0.75]), &[1.0 + 2.0 * ln_2], -3.0 * ln_2);
    let logistic = drawn(Spec::new("logistic"), &outputs, &[0.25]);
    assert_drawn(logistic, &[1.0 - 2.0 * 3.0_f64.ln()], (3.0_f64 / 16.0).ln() - ln_2);
    // ν = 4: n₁ √(4 (e^{r²/4} - 1))/r, and the density Γ(5/2)/(Γ(2) √(4π)) (1 + t²/4)^{-5/2}; far out and near 0.
    let student = |noise: [f64; 2]| drawn(Spec::new("student-t").with("nu", 4.0), &outputs, &noise);
    assert_drawn(student([1.0, 2.0]), &[1.0 + 2.0 * 1.411_479_495], -1.991_270_935 - ln_2);
    assert_drawn(student([0.1, -0.1]), &[1.0 + 2.0 * 0.100_125_130], -0.987_087_066 - ln_2);
}
