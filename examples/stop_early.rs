//! Looks at every epoch, ends the training when it no longer helps, and keeps the model in a file:
//! `cargo run --release --example stop_early`.

use std::ops::ControlFlow;

use elbo::Trained;
use elbo::catalogue::Spec;
use elbo::config::{DeviceChoice, Preset};
use elbo::data::{Dataset, Shape, Values};

pub fn main() -> elbo::Result<()> {
    let rows: Vec<f32> = (0..16_000).map(|i| (i as f32 * 0.1).sin()).collect();
    let data = Dataset::new("waves", Values::Floats(rows), Shape::vector(16))?;
    let mut config = Preset::Classic.config();
    config.model.hidden = vec![32];
    config.model.latent = 2;
    config.model.likelihood = Spec::new("gaussian").with("sigma", 0.1);
    config.training.epochs = 500;
    config.training.learning_rate = 0.01;

    let (mut best, mut since) = (f64::INFINITY, 0);
    let mut vae = elbo::train_with(&data, &config, |epoch| {
        if epoch.loss < best - 0.05 {
            (best, since) = (epoch.loss, 0);
        } else {
            since += 1;
        }
        if since < 10 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    println!("{} epochs, the best loss {best:.2} nats per row", vae.history().len());
    assert!(vae.history().len() < 500, "it ended early");

    let file = std::env::temp_dir().join(format!("elbo-example-{}.safetensors", std::process::id()));
    vae.save(&file)?;
    let mut back = Trained::load(&file, &DeviceChoice::Auto)?;
    assert_eq!(back.sample(3, 7)?, vae.sample(3, 7)?);
    std::fs::remove_file(&file).map_err(elbo::Error::invalid)
}
