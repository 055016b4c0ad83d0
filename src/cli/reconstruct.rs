//! `elbo reconstruct`.

use super::args::ReconstructArgs;
use super::weights::say_weights;
use crate::apps::pictures::{ImageShape, save_reconstructions};
use crate::apps::{Saved, open_device};
use crate::data::{Frame, Output, PICTURES_OR_ROWS, ROWS};
use crate::error::Result;
use crate::training::Given;

/// Shows rows above what a trained model makes of them.
pub fn run(args: &ReconstructArgs) -> Result<()> {
    let mut saved = Saved::load(&args.run, open_device(&args.device)?)?;
    say_weights(&saved);
    let is_table = saved.form.schema.is_table();
    let (usual, takes) =
        if is_table { ("reconstructions.csv", ROWS) } else { ("reconstructions.png", PICTURES_OR_ROWS) };
    let keep = saved.keep(args.data.as_deref(), args.force);
    let out = Output::given_or(args.out.as_deref(), &saved.folder.join(usual), takes, &keep)?;
    let (_, data) = saved.shown(args.data.as_deref())?;
    let count = (args.count as usize).min(data.rows);
    let (originals, known) = data.gather(0..count);
    let reconstructions = saved.session.reconstruct(Given::new(&originals, &known))?;
    if !out.kind().is_picture() {
        out.write_rows(&Frame::of_rows(&saved.form.schema, &reconstructions))?;
        println!("What the model makes of {count} rows: {}", out.path().display());
        return Ok(());
    }
    let shape = saved.form.shape();
    let shape = ImageShape { height: shape.height, width: shape.width, channels: shape.channels };
    save_reconstructions(out.path(), &originals, &reconstructions, shape, 10.min(count))?;
    println!("{count} rows above their reconstructions in {}", out.path().display());
    Ok(())
}
