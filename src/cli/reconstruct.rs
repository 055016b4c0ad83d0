//! `elbo reconstruct`.

use super::args::ReconstructArgs;
use super::weights::say_weights;
use crate::apps::pictures::{ImageShape, save_reconstructions};
use crate::apps::{Saved, open_device};
use crate::data::{Frame, Output, PICTURES_OR_ROWS, ROWS};
use crate::error::{Error, Result};
use crate::training::Given;

/// Rows in a picture, where nobody says how many.
const SHOWN: u64 = 16;
/// The most of them.
const MOST_SHOWN: u64 = 10_000;
/// Rows that a device is given at once.
const PART: usize = 1024;

/// Shows rows above what a trained model makes of them.
pub fn run(args: &ReconstructArgs) -> Result<()> {
    let mut saved = Saved::load(&args.run, open_device(&args.device)?)?;
    say_weights(&saved);
    let is_table = saved.form.schema.is_table();
    let (usual, takes) =
        if is_table { ("reconstructions.csv", ROWS) } else { ("reconstructions.png", PICTURES_OR_ROWS) };
    let keep = saved.keep(args.data.as_deref(), args.force);
    let out = Output::given_or(args.out.as_deref(), &saved.folder.join(usual), takes, &keep)?;
    let is_picture = out.kind().is_picture();
    if let Some(count) = args.count.filter(|&count| is_picture && count > MOST_SHOWN) {
        return Err(Error::invalid(format!(
            "--count is {count}, and a picture shows at most {MOST_SHOWN} rows: give fewer, or a file of rows as --out"
        )));
    }
    let (_, data) = saved.shown(args.data.as_deref())?;
    let count = args.count.unwrap_or(if is_picture { SHOWN } else { u64::MAX });
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(data.rows);
    let (mut originals, mut made) = (vec![], vec![]);
    for start in (0..count).step_by(PART) {
        let (rows, known) = data.gather(start..count.min(start + PART));
        made.extend(saved.session.reconstruct(Given::new(&rows, &known))?);
        if is_picture {
            originals.extend(rows);
        }
    }
    if !is_picture {
        out.write_rows(&Frame::of_rows(&saved.form.schema, &made))?;
        println!("What the model makes of {count} rows: {}", out.path().display());
        return Ok(());
    }
    let shape = saved.form.shape();
    let shape = ImageShape { height: shape.height, width: shape.width, channels: shape.channels };
    save_reconstructions(out.path(), &originals, &made, shape, 10.min(count))?;
    println!("{count} rows above their reconstructions in {}", out.path().display());
    Ok(())
}
