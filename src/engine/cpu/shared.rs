//! A step of training whose kernels share what they write between threads, on shapes that are just large enough for that: `tests/miri.sh` looks
//! at how they do it.

use super::Cpu;
use crate::config::{Preset, TrainingConfig};
use crate::data::{Dataset, Shape, Values};
use crate::distributions::Bernoulli;
use crate::models::{Parts, Vae};
use crate::nn::Activation;
use crate::training::{Session, Trainer};
use std::sync::Arc;

/// Rows of a batch, and values of a row: 70,400 in all, which maps share between two threads, and products with 8 units among more.
const ROWS: usize = 1100;
const FEATURES: usize = 64;

#[test]
fn miri_a_step_that_threads_share() {
    let values = (0..ROWS * FEATURES).map(|i| f32::from(u8::from(i % 3 == 0))).collect();
    let data = Dataset::new("rows", Values::Floats(values), Shape::vector(FEATURES)).unwrap();
    let vae = Vae::new(FEATURES, 2, (&[8], &[8]), Activation::Relu, Parts::new(Arc::new(Bernoulli)));
    let config = TrainingConfig { batch: ROWS, ..Preset::Classic.config().training };
    let session = Session::new(Box::new(vae), Box::new(Cpu::exact()), 1);
    let mut trainer = Trainer::new(session, &data, &config, 1.0, false).unwrap();
    let before = trainer.session.values().unwrap();
    trainer.steps(1).unwrap();
    let after = trainer.session.values().unwrap();
    assert!(before != after && after.iter().all(|(_, _, values)| values.iter().all(|value| value.is_finite())));
}
