//! Models of several stochastic layers: against models of one layer, against densities by hand, against marginal likelihoods
//! that are known, and alike on all devices.
//!
//! What is compared is computed in f64 from the graph (`elbo::engine::graph::eval`), and each comparison is shown to fail on something
//! that is wrong.

#[path = "posteriors/bench.rs"]
#[allow(dead_code, reason = "each test program uses its own part of this")]
mod bench;
#[path = "layers/by_hand.rs"]
mod by_hand;
mod common;
#[path = "layers/frozen.rs"]
mod frozen;
#[path = "layers/linear.rs"]
mod linear;
#[path = "common/oracle.rs"]
mod oracle;
#[path = "layers/refusals.rs"]
mod refusals;
#[path = "layers/trained.rs"]
mod trained;
