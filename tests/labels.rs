//! Models that are told labels, or find them out: the bounds by hand, the devices, and what labels are for.

mod common;
#[path = "labels/devices.rs"]
mod devices;
#[path = "labels/hand.rs"]
mod hand;
#[path = "common/oracle.rs"]
mod oracle;
#[path = "labels/told.rs"]
mod told;
