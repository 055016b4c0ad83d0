//! Training plans: several groups of parameters, phases that take turns, state that is assigned; optimisers, gradients that are
//! gathered or shared, and running means of parameters. Each against the same done by hand in f64, on every device.

mod common;
#[path = "common/oracle.rs"]
mod oracle;

#[path = "plans/batch_norm.rs"]
mod batch_norm;
#[path = "plans/by_hand.rs"]
mod by_hand;
#[path = "plans/course.rs"]
mod course;
#[path = "plans/gan.rs"]
mod gan;
#[path = "plans/options.rs"]
mod options;
#[path = "plans/shared.rs"]
mod shared;
#[path = "plans/vq.rs"]
mod vq;
