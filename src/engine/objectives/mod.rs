//! Objectives: what is minimised, given what a model says of a batch.
//!
//! Each takes an [`Inference`] and gives a [`Loss`], in nats per example. The weight of the KL term, which `--beta` and the
//! warm-up decide, is the scalar [`BETA`]; every weight means what its paper says, and nothing is divided by the number of
//! pixels, rows or dimensions.

mod beta_tcvae;
mod beta_vae;
mod capacity;
mod combination_iwae;
mod dip_vae;
mod dreg;
mod elbo;
mod free_bits;
mod inference;
mod info_vae;
mod iwae;
pub mod mmd;
mod multiply_iwae;
mod partially_iwae;
mod wae;

pub use elbo::Elbo;
pub use inference::Inference;

use crate::catalogue::Piece;
use crate::graph::Tensor;

/// The scalar by which the KL divergence is weighted: β, which warm-up schedules vary.
pub const BETA: &str = "beta";

/// Every objective.
pub static OBJECTIVES: &[&Piece<dyn Objective>] = &[
    &elbo::PIECE,
    &beta_vae::PIECE,
    &free_bits::PIECE,
    &capacity::PIECE,
    &beta_tcvae::PIECE,
    &dip_vae::DIP_VAE_I,
    &dip_vae::DIP_VAE_II,
    &info_vae::PIECE,
    &wae::PIECE,
    &iwae::PIECE,
    &dreg::PIECE,
    &multiply_iwae::PIECE,
    &partially_iwae::PIECE,
    &combination_iwae::PIECE,
];

/// What an objective makes of a batch.
#[derive(Clone, Debug)]
pub struct Loss<'g> {
    /// What is minimised `[rows, 1]`, in nats per example. What belongs to the batch as a whole stands in every row.
    pub rows: Tensor<'g>,
    /// What else is worth a look, by name, each `[rows, 1]`.
    pub parts: Vec<(&'static str, Tensor<'g>)>,
    /// A tensor, and what the gradient that comes back through it is multiplied by.
    pub gradient_scale: Option<(Tensor<'g>, Tensor<'g>)>,
}

impl<'g> Loss<'g> {
    /// A loss without more to it.
    pub fn new(rows: Tensor<'g>) -> Loss<'g> {
        Loss { rows, parts: vec![], gradient_scale: None }
    }
}

/// What an objective asks of the rest of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A posterior that is a product over dimensions, whose density can be told at any code.
    FactorisedPosterior,
    /// A KL divergence in closed form, dimension by dimension.
    ClosedFormKl,
    /// At least two rows in a batch.
    Pairs,
    /// A code of one stochastic layer: that posterior and prior are densities of all that is drawn.
    OneLayer,
}

/// What is minimised.
pub trait Objective: std::fmt::Debug + Send + Sync {
    /// Codes drawn per example.
    fn samples(&self) -> usize {
        1
    }

    /// What it asks of the rest of the model.
    fn needs(&self) -> &'static [Need] {
        &[]
    }

    /// Whether what it makes of a row depends on the other rows of its batch, so that a row cannot weigh more or less by itself: a
    /// function of a mean over a batch, or of pairs of its rows, is no sum over rows.
    fn couples_rows(&self) -> bool {
        false
    }

    /// Whether `--beta` and the KL warm-up have a say in it.
    fn uses_beta(&self) -> bool {
        true
    }

    /// What is minimised.
    fn loss<'g>(&self, inference: &Inference<'_, 'g>) -> Loss<'g>;

    /// The scalars of its own that vary in training: their value after so many epochs; infinitely many stand for the end.
    fn scalar(&self, name: &str, epochs: f64) -> Option<f64> {
        let _ = (name, epochs);
        None
    }
}
