//! What is drawn from a likelihood is distributed as it says.
//!
//! Draws are counted in cells of the support and held to the expected counts by Pearson's χ², brought to a standard normal
//! Z by the cube root of Wilson and Hilferty (1931) and held to Z < 5: by chance above that with a probability below 10⁻⁶.
//! The draws are a function of a fixed seed, so a test that passes once passes always.

use elbo::catalogue::Value;
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::Likelihood;

use super::densities::{Looked, look};
use super::{Sheet, made, outputs, specs};
use crate::common::oracle::{Device, Numbers};

const DRAWS: usize = 1 << 15;
const LIMIT: f64 = 5.0;

fn draw(likelihood: &dyn Likelihood, outputs: &[f64]) -> Vec<f64> {
    let mut sheet = Sheet::new();
    let o = sheet.input("outputs", &[1, outputs.len()], outputs);
    let o = o.expand(&[DRAWS, outputs.len()]);
    let x = likelihood.sample(o).expect("each of the list can be drawn from");
    sheet.on(&mut Device::new(Box::new(Cpu::new())), &[x]).remove(0)
}

/// χ² of draws against a density, as a standard normal. Neighbouring cells are joined until enough is expected of each.
fn chi_square(draws: &[f64], looked: &Looked) -> f64 {
    let n = draws.len() as f64;
    let mut counts = vec![0.0; looked.exact.len()];
    for &x in draws {
        let cell = looked.grid.cell(x).unwrap_or_else(|| panic!("{x} is none of the support"));
        counts[cell] += 1.0;
    }
    let enough = if counts.len() > 1024 { n / 64.0 } else { 25.0 };
    let (mut joined, mut open) = (Vec::new(), (0.0, 0.0));
    for (&count, &p) in counts.iter().zip(&looked.exact) {
        open = (open.0 + count, open.1 + n * p);
        if open.1 >= enough {
            joined.push(std::mem::take(&mut open));
        }
    }
    // What is left is too little for a cell of its own.
    if let Some(last) = joined.last_mut() {
        *last = (last.0 + open.0, last.1 + open.1);
    }
    if joined.len() < 2 {
        return 0.0;
    }
    let sum: f64 = joined.iter().map(|(count, expected)| (count - expected).powi(2) / expected).sum();
    let freedom = joined.len() as f64 - 1.0;
    let spread = 2.0 / (9.0 * freedom);
    ((sum / freedom).cbrt() - (1.0 - spread)) / spread.sqrt()
}

/// How far the mean of draws is from a number, in standard errors.
fn mean_apart(draws: &[f64], mean: f64) -> f64 {
    let n = draws.len() as f64;
    let found = draws.iter().sum::<f64>() / n;
    let variance = draws.iter().map(|x| (x - found).powi(2)).sum::<f64>() / n;
    // Half of a count, for what is nearly certain and came out the same each time.
    (found - mean) / (variance / n + (0.5 / n).powi(2)).sqrt()
}

#[test]
fn draws_are_distributed_as_the_likelihood_says() {
    let mut numbers = Numbers(21);
    for spec in specs() {
        let likelihood = made(&spec);
        for size in [1.0, 1.0, 4.0] {
            let outputs = outputs(&*likelihood, size, &mut numbers);
            let (draws, looked) = (draw(&*likelihood, &outputs), look(&*likelihood, likelihood.support(), &outputs));
            let z = chi_square(&draws, &looked);
            assert!(z.abs() < LIMIT || z < 0.0 && looked.exact.len() == 2, "{spec} at {outputs:?}: {z}");
            // Few draws of so heavy a tail say anything of its mean.
            if !matches!(spec.settings.get("nu"), Some(Value::Numbers(nu)) if nu[0] <= 2.0) {
                let apart = mean_apart(&draws, looked.mean);
                assert!(apart.abs() < LIMIT, "{spec} at {outputs:?}: the mean is {apart} standard errors away");
            }
        }
    }
}

#[test]
fn draws_of_another_distribution_are_refused() {
    let mut numbers = Numbers(22);
    for spec in specs() {
        let likelihood = made(&spec);
        // Outputs that differ may put all there is on one of few levels: of five pairs, one must be told apart.
        let mut differ = || {
            let [outputs, other] = [1.0, 4.0].map(|size| outputs(&*likelihood, size, &mut numbers));
            let (draws, looked) = (draw(&*likelihood, &outputs), look(&*likelihood, likelihood.support(), &other));
            chi_square(&draws, &looked) > LIMIT + 1.0
        };
        assert!((0..5).any(|_| differ()), "{spec}: draws of outputs that differ go unnoticed");
    }
}
