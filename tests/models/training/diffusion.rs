//! Runs that learn a diffusion beside the model: the same bits when they are gone on with, alike on every device.

use elbo::config::{Config, TrainingConfig};

use crate::runs::{devices_train_alike, resumed_is_continuous, small};

#[test]
fn a_resumed_run_with_a_diffusion_is_a_continuous_one() {
    let mut config = small();
    config.model.prior = "diffusion:steps=3,hidden=8,layers=1".parse().unwrap();
    config.training.epochs = 2;
    let seed_1 = Config { training: TrainingConfig { seed: 1, ..config.training.clone() }, ..config.clone() };
    devices_train_alike(&resumed_is_continuous(&config, 4, &[seed_1]), 1e-3);
}
