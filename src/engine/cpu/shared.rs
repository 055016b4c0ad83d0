//! Steps of training whose kernels share what they write between threads, on small shapes: `tests/miri.sh` looks at how they do it, where
//! little work is shared already.

use std::sync::Arc;

use super::Cpu;
use crate::catalogue::build;
use crate::config::{Preset, TrainingConfig};
use crate::data::{Dataset, Shape, Values};
use crate::distributions::Bernoulli;
use crate::models::{NetworkPair, Parts, Sizes, Vae};
use crate::nn::NETWORKS;
use crate::training::{Session, Trainer};

/// Takes a step of a VAE of these networks on a batch of rows, after which it has other weights than before.
fn step(rows: usize, shape: Shape, encoder: &str) {
    let values = (0..rows * shape.features()).map(|i| f32::from(u8::from(i % 3 == 0))).collect();
    let data = Dataset::new("rows", Values::Floats(values), shape).unwrap();
    let encoder = build(NETWORKS, &encoder.parse().unwrap()).unwrap();
    let networks = NetworkPair { decoder: encoder.mirror(), encoder };
    let vae = Vae::with_networks(Sizes { shape, condition: 0 }, 2, networks, Parts::new(Arc::new(Bernoulli)));
    let config = TrainingConfig { batch: rows, ..Preset::Classic.config().training };
    let session = Session::new(Box::new(vae), Box::new(Cpu::exact()), 1);
    let mut trainer = Trainer::new(session, &data, &config, 1.0, false).unwrap();
    let before = trainer.session.values().unwrap();
    trainer.steps(1).unwrap();
    let after = trainer.session.values().unwrap();
    assert!(before != after && after.iter().all(|(_, _, values)| values.iter().all(|value| value.is_finite())));
}

#[test]
fn miri_a_step_of_dense_layers() {
    step(40, Shape::vector(24), "mlp:8");
}

#[test]
fn miri_a_step_of_convolutions() {
    step(4, Shape { height: 4, width: 4, channels: 1 }, "conv:channels=4,hidden=6,norm=group,groups=2");
}
