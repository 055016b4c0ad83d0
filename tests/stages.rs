//! Models that stand on a trained, frozen one: what they report against densities put together by hand, and what training
//! them does.

mod common;

#[path = "stages/fit.rs"]
mod fit;
#[path = "stages/labelled.rs"]
mod labelled;
#[path = "common/oracle.rs"]
mod oracle;
#[path = "stages/second.rs"]
mod second;
#[path = "stages/training.rs"]
mod training;
