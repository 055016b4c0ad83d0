//! Ends the training when it no longer helps rows that are held out, looks on meanwhile, and keeps the model in a file:
//! `cargo run --release --example stop_early`.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use elbo::catalogue::Spec;
use elbo::config::{DeviceChoice, Preset};
use elbo::data::{Dataset, Shape, Values};
use elbo::{Trained, Training};

pub fn main() -> elbo::Result<()> {
    let waves = |range: std::ops::Range<usize>| Values::Floats(range.map(|i| (i as f32 * 0.1).sin()).collect());
    let data = Dataset::new("waves", waves(0..16_000), Shape::vector(16))?;
    let held_out = Dataset::new("more waves", waves(16_000..19_200), Shape::vector(16))?;
    let mut config = Preset::Classic.config();
    config.model.encoder = "mlp:32".parse()?;
    config.model.latent = 2;
    config.model.likelihood = Spec::new("gaussian").with("sigma", 0.1);
    config.training.epochs = 500;
    config.training.learning_rate = 0.01;
    config.training.patience = Some(5);

    let started = Instant::now();
    let mut vae = Training::new(&data, &config)
        .validation(&held_out)
        .on_epoch(|epoch| {
            if let Some(validation) = epoch.validation.filter(|_| epoch.is_best) {
                println!("epoch {}: {:.2} nats per row", validation.epoch, validation.loss);
            }
            // And not longer than a minute.
            if started.elapsed() < Duration::from_secs(60) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .run()?;
    let epochs = vae.history().train.len();
    let best = vae.history().best.expect("some epoch was the best");
    println!("{epochs} epochs, of which {} was the best; its weights are kept", best.epoch);
    assert!(epochs < 500, "it ended early");
    assert!(vae.history().validation.iter().all(|record| record.loss >= best.loss));

    let file = std::env::temp_dir().join(format!("elbo-example-{}.safetensors", std::process::id()));
    vae.save(&file)?;
    let mut back = Trained::load(&file, &DeviceChoice::Auto)?;
    assert_eq!(back.sample(3, 7)?, vae.sample(3, 7)?);
    std::fs::remove_file(&file).map_err(elbo::Error::invalid)
}
