//! Runs that learn a diffusion beside the model: the same bits when they are gone on with, alike on every device.

use elbo::apps::Outcome;
use elbo::config::{Config, TrainingConfig};

use crate::runs::{Run, StopAt, devices, small};

fn with_prior(prior: &str) -> Config {
    let mut config = small();
    config.model.prior = prior.parse().unwrap();
    config.training.epochs = 2;
    config
}

#[test]
fn a_resumed_run_with_a_diffusion_is_a_continuous_one() {
    let mut losses = vec![];
    for device in devices() {
        let (whole, broken, other) = (Run::new(), Run::new(), Run::new());
        let config = with_prior("diffusion:steps=3,hidden=8,layers=1");
        assert_eq!(whole.start(&config, &device, &mut StopAt::never()).unwrap(), Outcome::Finished);
        assert_eq!(broken.start(&config, &device, &mut StopAt::step(4)).unwrap(), Outcome::Stopped);
        assert_eq!(broken.resume(&config, &device, &mut StopAt::never()).unwrap(), Outcome::Finished);
        assert!(broken.kept() == whole.kept(), "{}", device.name);
        let seed_1 = Config { training: TrainingConfig { seed: 1, ..config.training.clone() }, ..config };
        assert_eq!(other.start(&seed_1, &device, &mut StopAt::never()).unwrap(), Outcome::Finished);
        assert!(other.kept() != whole.kept(), "{}", device.name);
        losses.push([whole, other].map(|run| run.steps().iter().map(|step| step.loss).collect::<Vec<_>>()));
    }
    let [cpu, gpu] = &losses[..] else { return };
    let far = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f64::max);
    for (cpu, gpu) in cpu.iter().zip(gpu) {
        assert!(cpu.len() == gpu.len() && far(cpu, gpu) < 1e-3, "{:e}", far(cpu, gpu));
    }
    let others = far(&cpu[0], &gpu[1]);
    assert!(others > 1e-3, "runs of other seeds are told apart: {others:e}");
}
