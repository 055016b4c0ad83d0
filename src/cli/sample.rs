//! `elbo sample`.

use super::args::SampleArgs;
use crate::apps::pictures::{ImageShape, save_grid};
use crate::apps::{Saved, open_device};
use crate::error::{Error, Result};

/// Draws new rows from a trained model.
pub fn run(args: &SampleArgs) -> Result<()> {
    let mut saved = Saved::open(&args.run, open_device(&args.device)?)?;
    if !saved.session.model.is_generative() {
        return Err(Error::invalid(format!(
            "{} holds a plain autoencoder, which has no distribution to draw from: train with --model vae, or look at \
             `elbo reconstruct`",
            args.run.display()
        )));
    }
    let count = args.count as usize;
    let images = saved.session.sample(count, args.seed)?;
    let shape = ImageShape { height: saved.shape.height, width: saved.shape.width, channels: saved.shape.channels };
    let out = args.out.clone().unwrap_or_else(|| args.run.join("samples.png"));
    save_grid(&out, &images, shape, (count as f64).sqrt().ceil() as usize)?;
    println!("{count} new rows in {}", out.display());
    Ok(())
}
