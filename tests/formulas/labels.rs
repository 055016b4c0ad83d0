//! Models that are told labels, or find them out: the bounds by hand, the devices, and what labels are for.

mod devices;
mod hand;
mod told;
