//! The exact mode of the CPU executor: the same bits at every level of the instruction set and with any number of threads, and
//! those that are recorded in `exact/recorded.txt`, which were computed elsewhere.
//!
//! Where bits change on purpose, `ELBO_WRITE_EXACT=1 cargo test --test exact` records the new ones.

mod compressed;
mod functions;
mod kernels;
mod products;
mod recorded;
mod training;
mod ways;
