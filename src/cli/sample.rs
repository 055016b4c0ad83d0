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
    let (count, form) = (args.count as usize, &saved.form);
    let square = (count as f64).sqrt().ceil() as usize;
    let (count, y, columns, what) = match (&args.label, &args.condition) {
        (Some(label), _) => (count, form.label(label)?.repeat(count), square, format!("of the label {label} ")),
        (None, Some(y)) if y.len() != form.condition => {
            return Err(Error::invalid(match form.condition {
                0 => {
                    "the model is given no condition: leave --condition out, or train one with --model cvae".to_string()
                }
                wanted => {
                    format!("--condition has {} numbers, and the model is given {wanted} with every row", y.len())
                }
            }));
        }
        (None, Some(y)) => (count, y.repeat(count), square, String::new()),
        (None, None) if form.condition == 0 => (count, vec![], square, String::new()),
        (None, None) if form.classes.is_empty() => {
            return Err(Error::invalid(format!(
                "the model is given {} numbers with every row: say which with --condition X,X,...",
                form.condition
            )));
        }
        (None, None) => {
            let (classes, columns) = (form.classes.len(), count.div_ceil(form.classes.len()));
            (classes * columns, form.every_label(columns), columns, format!("({columns} of each label) "))
        }
    };
    let shape = form.shape;
    let images = saved.session.sample(count, &y, args.seed)?;
    let shape = ImageShape { height: shape.height, width: shape.width, channels: shape.channels };
    let out = args.out.clone().unwrap_or_else(|| args.run.join("samples.png"));
    save_grid(&out, &images, shape, columns)?;
    println!("{count} new rows {what}in {}", out.display());
    Ok(())
}
