//! What posteriors and priors must agree on: the codes they are about; and how a prior gets at the encoder.

use std::fmt;

use super::Posterior;
use crate::graph::Tensor;

/// The codes that a density is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeSpace {
    /// Any numbers.
    Real,
    /// Variables of so many categories each, one behind the other, each a point of the simplex: a relaxed one-hot vector.
    Simplex(usize),
    /// Points of the unit sphere.
    Sphere,
}

impl fmt::Display for CodeSpace {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            CodeSpace::Real => write!(f, "real numbers"),
            CodeSpace::Simplex(categories) => write!(f, "variables of {categories} categories"),
            CodeSpace::Sphere => write!(f, "points of the unit sphere"),
        }
    }
}

/// A code, as priors tell its density.
#[derive(Clone, Copy, Debug)]
pub struct Code<'g> {
    /// The code `[n, latent]`.
    pub z: Tensor<'g>,
    /// ln z, where it is known more exactly than from z: a part of a relaxed one-hot vector may be 0 in 32 bits, and its
    /// logarithm is still a number.
    pub log_z: Option<Tensor<'g>>,
}

impl<'g> From<Tensor<'g>> for Code<'g> {
    fn from(z: Tensor<'g>) -> Code<'g> {
        Code { z, log_z: None }
    }
}

/// The network that says which posterior an example has.
pub trait PosteriorNetwork: fmt::Debug {
    /// Values per example.
    fn features(&self) -> usize;

    /// What it gives for `x` `[rows, features]`, `[rows, outputs]`.
    fn outputs<'g>(&self, x: Tensor<'g>) -> Tensor<'g>;
}

/// The encoder of a model, for priors that are made of it.
#[derive(Clone, Copy, Debug)]
pub struct Encoder<'a> {
    /// The network.
    pub network: &'a dyn PosteriorNetwork,
    /// What its outputs mean.
    pub posterior: &'a dyn Posterior,
}
