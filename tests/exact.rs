//! The exact mode of the CPU executor: the same bits at every level of the instruction set and with any number of threads, and
//! those that are recorded in `exact/recorded.txt`, which were computed elsewhere.
//!
//! Where bits change on purpose, `ELBO_WRITE_EXACT=1 cargo test --test exact` records the new ones.

#[path = "exact/functions.rs"]
mod functions;
#[path = "exact/kernels.rs"]
mod kernels;
#[path = "exact/products.rs"]
mod products;
#[path = "exact/recorded.rs"]
mod recorded;
#[path = "exact/training.rs"]
mod training;
#[path = "exact/ways.rs"]
mod ways;
