//! The pieces that models are put together from: every one of each list keeps the promises of its factor.

mod common;
#[path = "pieces/likelihoods.rs"]
mod likelihoods;
#[path = "pieces/networks.rs"]
mod networks;
#[path = "common/oracle.rs"]
mod oracle;
