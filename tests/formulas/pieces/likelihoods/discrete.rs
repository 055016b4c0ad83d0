//! Likelihoods of finitely many values on the host are those of the graph: what is coded costs what is measured.

use std::num::NonZeroU32;

use constriction::stream::model::EncoderModel;
use elbo::engine::coding::{Cumulative, Value};
use elbo::engine::distributions::Support;

use super::densities::look;
use super::{made, outputs, specs};
use crate::common::oracle::Numbers;

/// Parts of the whole that intervals have.
const WHOLE: f64 = (1 << 24) as f64;

/// Where the interval of a level begins, and how long it is.
fn interval(of: Value, level: u32) -> (u32, NonZeroU32) {
    of.left_cumulative_and_probability(level).unwrap()
}

#[test]
fn intervals_have_the_probabilities_of_the_graph() {
    let (mut numbers, mut seen) = (Numbers(23), 0);
    let mut of = Cumulative::default();
    for spec in specs() {
        let likelihood = made(&spec);
        let support = likelihood.support();
        let levels = match support {
            Support::Levels(levels) => Some(levels),
            Support::Binary => Some(2),
            _ => None,
        };
        let discrete = likelihood.discrete();
        assert_eq!(discrete.map(|discrete| discrete.levels()), levels, "{spec}");
        let Some(discrete) = discrete else { continue };
        for size in [0.0, 1.0, 4.0] {
            let outputs = outputs(&*likelihood, size, &mut numbers);
            let looked = look(&*likelihood, support, &outputs);
            let narrow: Vec<f32> = outputs.iter().map(|&output| output as f32).collect();
            discrete.distributions(&narrow, 1, &[], &mut of);
            let top = (discrete.levels() - 1) as f64;
            // Every level has two parts of the whole before it is given its share of the rest.
            let rest = WHOLE - 2.0 * (top + 1.0);
            for (point, exact) in looked.points.iter().zip(&looked.exact) {
                let found = f64::from(interval(of.at(0), (point * top).round() as u32).1.get());
                let wanted = 2.0 + rest * exact;
                assert!((found - wanted).abs() < 2.0 + 1e-6 * wanted, "{spec}, {point}: {found} and not {wanted}");
                seen += 1;
            }
            // The negative control: outputs of another feature are other probabilities.
            let turned: Vec<f32> = narrow.iter().rev().map(|output| 0.7 - 0.5 * output).collect();
            discrete.distributions(&turned, 1, &[], &mut of);
            let differs = |(point, exact): (&f64, &f64)| {
                (f64::from(interval(of.at(0), (point * top).round() as u32).1.get()) - rest * exact).abs() > 100.0
            };
            assert!(size == 0.0 || looked.points.iter().zip(&looked.exact).any(differs), "{spec}");
        }
    }
    assert!(seen > 1000, "{seen}");
}

#[test]
fn outputs_lie_feature_beside_feature() {
    // Of three features, the second is asked for: what it says by itself is what it says among the others.
    let mut numbers = Numbers(5);
    for spec in specs() {
        let likelihood = made(&spec);
        let Some(discrete) = likelihood.discrete() else { continue };
        let all: Vec<f32> = numbers.signed(likelihood.outputs(3)).iter().map(|&output| output as f32).collect();
        let own: Vec<f32> = all.iter().skip(1).step_by(3).copied().collect();
        let (mut among, mut alone) = (Cumulative::default(), Cumulative::default());
        discrete.distributions(&all, 3, &[], &mut among);
        discrete.distributions(&own, 1, &[], &mut alone);
        let levels = discrete.levels() as u32;
        let is_as_alone = |feature: usize| {
            (0..levels).all(|level| interval(among.at(feature), level) == interval(alone.at(0), level))
        };
        assert_eq!([0, 1, 2].map(is_as_alone), [false, true, false], "{spec}");
    }
}
