//! Walks from one row to another through the codes between theirs: `cargo run --release --example interpolate`.

use elbo::catalogue::Spec;
use elbo::config::Preset;
use elbo::data::{Dataset, Shape, Values};

/// A bump of 24 values, with its peak at `centre`.
fn bump(centre: f32) -> Vec<f32> {
    (0..24).map(|i| (-0.1 * (i as f32 - centre).powi(2)).exp()).collect()
}

/// A row of characters, the higher the value the darker.
fn drawn(row: &[f32]) -> String {
    let shades = [' ', '.', ':', '+', '#', '@'];
    row.iter().map(|value| shades[(value.clamp(0.0, 1.0) * 5.0).round() as usize]).collect()
}

pub fn main() -> elbo::Result<()> {
    let rows: Vec<f32> = (0..2000).flat_map(|i| bump(3.0 + 18.0 * (i % 500) as f32 / 500.0)).collect();
    let data = Dataset::new("bumps", Values::Floats(rows), Shape::vector(24))?;
    let mut config = Preset::Classic.config();
    config.model.encoder = "mlp:64".parse()?;
    config.model.latent = 1;
    config.model.likelihood = Spec::new("gaussian").with("sigma", 0.1);
    config.training.epochs = 40;
    config.training.learning_rate = 0.005;
    let mut vae = elbo::train(&data, &config)?;

    let ends = [bump(5.0), bump(19.0)].concat();
    let codes = vae.encode(&ends)?; // [2, 1]
    let path: Vec<f32> = (0..=10).map(|i| codes[0] + (codes[1] - codes[0]) * i as f32 / 10.0).collect();
    let decoded = vae.decode(&path)?; // [11, 24]
    decoded.chunks(24).for_each(|row| println!("|{}|", drawn(row)));

    let peak = |row: &[f32]| row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(i, _)| i);
    let [first, last] = [peak(&decoded[..24]), peak(&decoded[10 * 24..])];
    assert!(first.abs_diff(5) <= 2 && last.abs_diff(19) <= 2, "the ends are rebuilt: {first} and {last}");
    Ok(())
}
