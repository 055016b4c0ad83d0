//! The rows, one file per paper.

mod adversarial;
mod beta_tcvae;
mod classic;
mod cvae;
mod flows;
mod frey;
mod gan;
mod iwae;
mod layers;
mod m2;
mod mmd_vae;
mod second_stage;
mod uses;
mod vampprior;

use super::{JUDGE, Planned, Row};

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
    &m2::ROW,
    &m2::STACKED,
    &cvae::ROW,
    &second_stage::ROW,
    &flows::SHORT,
    &flows::FULL,
    &vampprior::SHORT,
    &vampprior::FULL,
    &layers::SHORT,
    &layers::FULL,
    &gan::ROW,
    &adversarial::ROW,
    &uses::COMPRESS,
    &uses::DENOISE,
];

/// A classifier of MNIST, which judges what other runs draw.
const JUDGE_OF_MNIST: Planned = Planned {
    id: JUDGE,
    options: "--data {data}/mnist --preset classic --model classifier --hidden 256,64 --epochs 8 --schedule cosine",
    seeds: &[1],
    samples: 0,
};
