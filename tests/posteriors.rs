//! Posteriors and priors against what they say of themselves: every density is that of its draws, every closed form what it
//! stands for, every Jacobian the numerical one; and they train alike on all devices.
//!
//! What is compared is computed in f64 from the graph (`elbo::engine::graph::eval`), and each comparison is shown to fail on something
//! that is wrong.

#[path = "posteriors/bench.rs"]
mod bench;
#[path = "posteriors/combinations.rs"]
mod combinations;
mod common;
#[path = "posteriors/determinants.rs"]
mod determinants;
#[path = "posteriors/divergences.rs"]
mod divergences;
#[path = "common/oracle.rs"]
mod oracle;
#[path = "common/pieces.rs"]
mod pieces;
#[path = "posteriors/priors.rs"]
mod priors;
#[path = "posteriors/refusals.rs"]
mod refusals;
#[path = "posteriors/samplers.rs"]
mod samplers;
#[path = "posteriors/trained.rs"]
mod trained;
