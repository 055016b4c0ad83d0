//! Formulas: held to values worked out by hand, to integrals, to gradients, and to PyTorch.

#[path = "../common/mod.rs"]
mod common;
mod evaluation;
mod gradients;
mod index_priors;
mod labels;
mod layers;
mod oracle;
mod pieces;
mod posteriors;
mod torch;
mod torch_conv;
mod values;
mod very_deep;
