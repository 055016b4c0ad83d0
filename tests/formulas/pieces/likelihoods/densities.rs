//! Each likelihood is a probability: it sums to 1 over its support, and its mean is what that sum says.

use elbo::catalogue::Value;
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::{Bernoulli, DiscretizedLogistic, Likelihood, Support};

use super::grid::Grid;
use super::{Sheet, made, outputs, specs};
use crate::common::oracle::{Device, Numbers};

/// How far from 1 a sum may be.
const LIMIT: f64 = 1e-4;

/// A likelihood of one feature under some outputs, looked at in every cell of a support.
pub struct Looked {
    /// The cells.
    pub grid: Grid,
    /// E[x | z], as the likelihood has it.
    pub mean: f64,
    /// What each cell weighs, in f64.
    pub exact: Vec<f64>,
    /// The same by a program on the CPU.
    pub found: Vec<f64>,
    /// The numbers the cells are looked at.
    pub points: Vec<f64>,
}

/// Looks at a likelihood as if its support were this one.
pub fn look(likelihood: &dyn Likelihood, support: Support, outputs: &[f64]) -> Looked {
    let mut sheet = Sheet::new();
    let o = sheet.input("outputs", &[1, outputs.len()], outputs);
    let mean = likelihood.mean(o);
    let mean = sheet.exact(&[mean])[0][0];
    // The peak of a density and its width are about each other's inverse.
    let at_mean = sheet.input("mean", &[1, 1], &[mean]);
    let peak = likelihood.log_prob(o, at_mean);
    let grid = Grid::new(support, mean, 0.5 * (-sheet.exact(&[peak])[0][0]).exp());
    let (points, weights) = grid.points();
    let x = sheet.input("x", &[points.len(), 1], &points);
    let log_prob = likelihood.log_prob(o, x);
    assert_eq!(log_prob.shape(), [points.len(), 1]);
    let weigh = |list: &Vec<f64>| list.iter().zip(&weights).map(|(l, w)| l.exp() * w).collect();
    let exact = weigh(&sheet.exact(&[log_prob])[0]);
    let found = weigh(&sheet.on(&mut Device::new(Box::new(Cpu::new())), &[log_prob])[0]);
    Looked { grid, mean, exact, found, points }
}

/// How far the sums are from 1, in f64 and by a program.
fn excess(likelihood: &dyn Likelihood, support: Support, outputs: &[f64]) -> [f64; 2] {
    let looked = look(likelihood, support, outputs);
    [looked.exact, looked.found].map(|cells| (cells.iter().sum::<f64>() - 1.0).abs())
}

#[test]
fn each_sums_to_one() {
    let mut numbers = Numbers(11);
    for spec in specs() {
        let likelihood = made(&spec);
        for size in [0.0, 1.0, 1.0, 4.0, 4.0, 30.0, 30.0, 30.0] {
            let outputs = outputs(&*likelihood, size, &mut numbers);
            let [exact, found] = excess(&*likelihood, likelihood.support(), &outputs);
            assert!(exact < LIMIT, "{spec} at {outputs:?}: the graph sums to 1 ± {exact:e}");
            assert!(found < LIMIT, "{spec} at {outputs:?}: the program sums to 1 ± {found:e}");
        }
    }
}

/// Outputs far beyond what a decoder should give: nothing overflows, and what is clamped stays a probability.
#[test]
fn each_sums_to_one_far_out() {
    for spec in specs() {
        let likelihood = made(&spec);
        let n = likelihood.outputs(1);
        let values: &[f64] = match likelihood.support() {
            Support::Unit => &[1e3, -1e3], // narrower ones have no room between two neighbours in f32
            _ => &[1e3, -1e3, 1e6],
        };
        for &value in values {
            let mut outputs = vec![value; n];
            if likelihood.support() == Support::Real {
                // Where f32 has room for a narrow density.
                outputs[0] = 1.0;
            }
            let [exact, found] = excess(&*likelihood, likelihood.support(), &outputs);
            assert!(exact < LIMIT && found < LIMIT, "{spec} with {value}: 1 ± {exact:e}, {found:e}");
        }
    }
}

#[test]
fn what_is_no_density_is_seen() {
    // What the continuous Bernoulli was made for: the cross-entropy does not integrate to 1 over [0, 1].
    let off = excess(&Bernoulli, Support::Unit, &[0.0]);
    assert!(off.iter().all(|off| *off > 0.4), "{off:?}");
    let off = excess(&DiscretizedLogistic { levels: 16 }, Support::Levels(15), &[0.4, -1.0]);
    assert!(off.iter().all(|off| *off > 10.0 * LIMIT), "{off:?}");
}

#[test]
fn each_mean_is_the_densitys() {
    let mut numbers = Numbers(12);
    for spec in specs() {
        if matches!(spec.settings.get("nu"), Some(Value::Numbers(nu)) if nu[0] <= 1.0) {
            continue; // a Cauchy distribution has no mean
        }
        let likelihood = made(&spec);
        for size in [0.0, 1.0, 4.0, 30.0] {
            let outputs = outputs(&*likelihood, size, &mut numbers);
            let looked = look(&*likelihood, likelihood.support(), &outputs);
            let sum =
                |shift: f64| looked.points.iter().zip(&looked.exact).map(|(x, p)| (x - looked.mean - shift) * p).sum();
            let off: f64 = sum(0.0);
            assert!(off.abs() < LIMIT, "{spec} at {outputs:?}: the mean is off by {off:e}");
            let control: f64 = sum(0.01);
            assert!(control.abs() > LIMIT, "{spec}: a mean that is off is not seen");
        }
    }
}

/// Several features and samples: the last axis is the one that is split, and leading axes of size 1 are broadcast.
#[test]
fn features_and_samples_have_their_places() {
    const ROWS: usize = 3;
    const SAMPLES: usize = 2;
    const FEATURES: usize = 4;
    let mut numbers = Numbers(13);
    for spec in specs() {
        let likelihood = made(&spec);
        let n = likelihood.outputs(1);
        let single: Vec<Vec<f64>> =
            (0..ROWS * SAMPLES * FEATURES).map(|_| outputs(&*likelihood, 2.0, &mut numbers)).collect();
        // The first outputs of all features, then the second ones.
        let row = |r: usize| (0..n).flat_map(move |k| (0..FEATURES).map(move |f| (r * FEATURES + f, k)));
        let joined: Vec<f64> = (0..ROWS * SAMPLES).flat_map(row).map(|(i, k)| single[i][k]).collect();
        let data: Vec<f64> = (0..ROWS * FEATURES).map(|_| inside(likelihood.support(), &mut numbers)).collect();

        let mut sheet = Sheet::new();
        let o = sheet.input("outputs", &[ROWS, SAMPLES, n * FEATURES], &joined);
        let x = sheet.input("x", &[ROWS, 1, FEATURES], &data);
        let draws = likelihood.sample(o).expect("each of the list can be drawn from");
        let together = [likelihood.log_prob(o, x), likelihood.mean(o)];
        for t in together.into_iter().chain([draws]) {
            assert_eq!(t.shape(), [ROWS, SAMPLES, FEATURES], "{spec}");
        }
        let (exact, found) = (sheet.exact(&together), sheet.on(&mut Device::new(Box::new(Cpu::new())), &together));
        for (i, outputs) in single.iter().enumerate() {
            let mut alone = Sheet::new();
            let o = alone.input("outputs", &[1, n], outputs);
            let row = i / (SAMPLES * FEATURES);
            let x = alone.input("x", &[1, 1], &[data[row * FEATURES + i % FEATURES]]);
            let wanted = [likelihood.log_prob(o, x), likelihood.mean(o)];
            for (part, wanted) in alone.exact(&wanted).iter().enumerate() {
                let apart = |list: &[Vec<f64>]| (list[part][i] - wanted[0]).abs() / (1.0 + wanted[0].abs());
                assert!(apart(&exact) < 1e-12 && apart(&found) < LIMIT, "{spec}, element {i}");
                let other = (exact[part][(i + 1) % exact[part].len()] - wanted[0]).abs();
                assert!(other > 0.0 || matches!(likelihood.support(), Support::Levels(_)), "{spec}: all are the same");
            }
        }
    }
}

/// A number of a support.
pub fn inside(support: Support, numbers: &mut Numbers) -> f64 {
    match support {
        Support::Real | Support::Fields | Support::Loss => 2.0 * numbers.signed(1)[0],
        Support::Unit => 0.5 + 0.5 * numbers.signed(1)[0],
        Support::Binary => numbers.below(2) as f64,
        Support::Levels(n) => numbers.below(n) as f64 / (n - 1) as f64,
    }
}
