//! The pieces that models are put together from: every one of each list keeps the promises of its factor.

mod likelihoods;
mod networks;
