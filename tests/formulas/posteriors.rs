//! Posteriors and priors against what they say of themselves: every density is that of its draws, every closed form what it
//! stands for, every Jacobian the numerical one; and they train alike on all devices.
//!
//! What is compared is computed in f64 from the graph (`elbo::engine::graph::eval`), and each comparison is shown to fail on something
//! that is wrong.

pub mod bench;
mod combinations;
mod determinants;
mod divergences;
mod priors;
mod refusals;
mod samplers;
mod sphere;
mod trained;
