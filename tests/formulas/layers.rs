//! Models of several stochastic layers: against models of one layer, against densities by hand, against marginal likelihoods
//! that are known, and alike on all devices.
//!
//! What is compared is computed in f64 from the graph (`elbo::engine::graph::eval`), and each comparison is shown to fail on something
//! that is wrong.

mod by_hand;
mod frozen;
mod linear;
mod normalised;
mod refusals;
mod trained;

use crate::posteriors::bench;
