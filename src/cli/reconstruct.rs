//! `elbo reconstruct`.

use super::args::ReconstructArgs;
use crate::apps::pictures::{ImageShape, save_reconstructions};
use crate::apps::{Saved, open_device};
use crate::error::Result;
use crate::training::Given;

/// Shows rows above what a trained model makes of them.
pub fn run(args: &ReconstructArgs) -> Result<()> {
    let mut saved = Saved::open(&args.run, open_device(&args.device)?)?;
    let splits = saved.data(args.data.as_deref())?;
    let data = splits.test.or(splits.validation).unwrap_or(splits.train);
    let count = (args.count as usize).min(data.rows);
    let (originals, known) = data.gather(0..count);
    let reconstructions = saved.session.reconstruct(Given { x: &originals, y: &known })?;
    let shape = saved.form.shape();
    let shape = ImageShape { height: shape.height, width: shape.width, channels: shape.channels };
    let out = args.out.clone().unwrap_or_else(|| args.run.join("reconstructions.png"));
    save_reconstructions(&out, &originals, &reconstructions, shape, 10.min(count))?;
    println!("{count} rows above their reconstructions in {}", out.display());
    Ok(())
}
