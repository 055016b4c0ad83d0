//! What an embedder sees: the features of the crate and its examples.

mod examples;
mod features;
