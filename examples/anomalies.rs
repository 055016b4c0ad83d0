//! Finds the rows of a table that are unlike the others: `cargo run --release --example anomalies`.

use elbo::catalogue::Spec;
use elbo::config::Preset;
use elbo::data::{Dataset, Shape, Values};

/// A wave of 16 values, which starts where `phase` says.
fn wave(phase: usize) -> Vec<f32> {
    (0..16).map(|i| (i as f32 * 0.4 + phase as f32).sin()).collect()
}

/// The same values in another order, so that only how they follow one another is wrong.
fn shuffled(phase: usize) -> Vec<f32> {
    let wave = wave(phase);
    (0..16).map(|i| wave[i * 7 % 16]).collect()
}

pub fn main() -> elbo::Result<()> {
    let usual: Vec<f32> = (0..2000).flat_map(wave).collect();
    let data = Dataset::new("waves", Values::Floats(usual), Shape::vector(16))?;
    let mut config = Preset::Classic.config();
    config.model.encoder = "mlp:32".parse()?;
    config.model.latent = 2;
    config.model.likelihood = Spec::new("gaussian").with("sigma", 0.1);
    config.training.epochs = 20;
    config.training.learning_rate = 0.005;
    let mut vae = elbo::train(&data, &config)?;

    // A hundred rows that it has not seen, every twentieth of which is no wave.
    let is_odd = |row: usize| row % 20 == 7;
    let rows: Vec<f32> =
        (0..100).flat_map(|row| if is_odd(row) { shuffled(row + 5000) } else { wave(row + 5000) }).collect();
    let scores = vae.score(&rows, 0)?;

    let mut order: Vec<usize> = (0..100).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    println!("The strangest rows, by their negative ELBO in nats:");
    for &row in &order[..8] {
        println!("{row:4} {:9.1} {}", scores[row], if is_odd(row) { "no wave" } else { "" });
    }
    assert!(order[..5].iter().all(|&row| is_odd(row)), "the five that are no waves come first");
    Ok(())
}
