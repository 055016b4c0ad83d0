//! Models that stand on a trained, frozen one: what they report against densities put together by hand, and what training
//! them does.

mod fit;
mod indices;
mod labelled;
mod second;
mod training;
