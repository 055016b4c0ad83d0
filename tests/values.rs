//! Values: objectives, schedules, flows and the figures of an evaluation, in numbers that are put together anew from their
//! papers' formulas.
//!
//! A gradient can be that of its value, and a program that of its graph, while all of them are of another formula. Here
//! encoder, codes, densities and objective are computed once more in plain loops over f64, at settings that differ from each
//! other and from 1, over a batch of which one row is not live. Every number is also held against that of a formula with one
//! thing wrong, which must be another.

#[path = "values/beta_tcvae.rs"]
mod beta_tcvae;
#[path = "values/capacity.rs"]
mod capacity;
mod common;
#[path = "values/dip_vae.rs"]
mod dip_vae;
#[path = "values/distances.rs"]
mod distances;
#[path = "values/dreg.rs"]
mod dreg;
#[path = "values/elbo.rs"]
mod elbo_value;
#[path = "values/figures.rs"]
mod figures;
#[path = "values/free_bits.rs"]
mod free_bits;
#[path = "values/gaps.rs"]
mod gaps;
#[path = "values/hand.rs"]
mod hand;
#[path = "values/importance_weighted.rs"]
mod importance_weighted;
#[path = "values/judged.rs"]
mod judged;
#[path = "values/likelihood_estimate.rs"]
mod likelihood_estimate;
#[path = "values/mixture.rs"]
mod mixture;
#[path = "values/mmd.rs"]
mod mmd;
#[path = "common/oracle.rs"]
mod oracle;
#[path = "values/orders.rs"]
mod orders;
#[path = "values/report.rs"]
mod report;
#[path = "values/row_sums.rs"]
mod row_sums;
#[path = "values/run.rs"]
mod run;
#[path = "values/schedules.rs"]
mod schedules;
#[path = "values/scores.rs"]
mod scores;
#[path = "values/steps.rs"]
mod steps;
#[path = "values/ties.rs"]
mod ties;
#[path = "values/weights.rs"]
mod weights;

/// The objectives whose values are held here.
const HELD: [&str; 11] = [
    "elbo",
    "beta-vae",
    "free-bits",
    "capacity",
    "beta-tcvae",
    "dip-vae-i",
    "dip-vae-ii",
    "info-vae",
    "wae",
    "iwae",
    "dreg",
];

/// A new objective is to be held by its value too.
#[test]
fn every_objective_is_held() {
    let all: Vec<&str> = elbo::engine::objectives::OBJECTIVES.iter().map(|piece| piece.about.id).collect();
    assert_eq!(all, HELD);
}
