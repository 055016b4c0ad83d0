//! Training plans: several groups of parameters, phases that take turns, state that is assigned; optimisers, gradients that are
//! gathered or shared, and running means of parameters. Each against the same done by hand in f64, on every device.

mod batch_norm;
mod by_hand;
mod course;
mod gan;
mod options;
mod shared;
mod vq;
