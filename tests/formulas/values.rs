//! Values: objectives, schedules, flows and the figures of an evaluation, in numbers that are put together anew from their
//! papers' formulas.
//!
//! A gradient can be that of its value, and a program that of its graph, while all of them are of another formula. Here
//! encoder, codes, densities and objective are computed once more in plain loops over f64, at settings that differ from each
//! other and from 1, over a batch of which one row is not live. Every number is also held against that of a formula with one
//! thing wrong, which must be another.

mod beta_tcvae;
mod capacity;
mod dip_vae;
mod distances;
mod dreg;
#[path = "values/elbo.rs"]
mod elbo_value;
mod figures;
mod free_bits;
mod gaps;
mod groups;
mod hamiltonian;
mod hand;
mod importance_weighted;
mod judged;
mod likelihood_estimate;
mod missing;
mod mixture;
mod mmd;
mod orders;
mod report;
mod row_sums;
mod run;
mod schedules;
mod scores;
mod steps;
mod ties;
mod weights;

/// The objectives whose values are held here.
const HELD: [&str; 14] = [
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
    "multiply-iwae",
    "partially-iwae",
    "combination-iwae",
];

/// A new objective is to be held by its value too.
#[test]
fn every_objective_is_held() {
    let all: Vec<&str> = elbo::engine::objectives::OBJECTIVES.iter().map(|piece| piece.about.id).collect();
    assert_eq!(all, HELD);
}
