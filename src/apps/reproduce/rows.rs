//! The rows, one file per paper.

mod beta_tcvae;
mod classic;
mod frey;
mod iwae;
mod mmd_vae;

use super::Row;

/// Every row; of those that take long, a shortened one stands beside the whole.
pub static ROWS: &[&Row] = &[
    &classic::ROW,
    &iwae::SHORT,
    &iwae::FULL,
    &beta_tcvae::SHORT,
    &beta_tcvae::FULL,
    &mmd_vae::ROW,
    &frey::SHORT,
    &frey::FULL,
];
