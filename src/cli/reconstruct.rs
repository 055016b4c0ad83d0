//! `elbo reconstruct`.

use super::args::ReconstructArgs;
use super::weights::say_weights;
use crate::apps::pictures::{ImageShape, save_reconstructions};
use crate::apps::{Saved, open_device, save_rows};
use crate::error::Result;
use crate::training::Given;

/// Shows rows above what a trained model makes of them.
pub fn run(args: &ReconstructArgs) -> Result<()> {
    let mut saved = Saved::open(&args.run, open_device(&args.device)?)?;
    say_weights(&saved);
    let (_, data) = saved.shown(args.data.as_deref())?;
    let count = (args.count as usize).min(data.rows);
    let (originals, known) = data.gather(0..count);
    let reconstructions = saved.session.reconstruct(Given::new(&originals, &known))?;
    if saved.form.schema.is_table() {
        let out = args.out.clone().unwrap_or_else(|| args.run.join("reconstructions.csv"));
        save_rows(&out, &saved.form.schema, &reconstructions)?;
        println!("What the model makes of {count} rows: {}", out.display());
        return Ok(());
    }
    let shape = saved.form.shape();
    let shape = ImageShape { height: shape.height, width: shape.width, channels: shape.channels };
    let out = args.out.clone().unwrap_or_else(|| args.run.join("reconstructions.png"));
    save_reconstructions(&out, &originals, &reconstructions, shape, 10.min(count))?;
    println!("{count} rows above their reconstructions in {}", out.display());
    Ok(())
}
