//! Models from end to end: training, stages, checkpoints, and what every model must do.

#[path = "../common/mod.rs"]
mod common;
mod conformance;
mod data_mnist;
mod ensemble;
mod rae;
mod runs;
mod shared;
mod stages;
mod swag;
mod training;
mod tuning;
mod uncertain;
