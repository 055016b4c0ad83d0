//! What commands that use a trained model have in common.

use std::path::Path;

use serde::Serialize;

use super::args::UseArgs;
use super::weights::say_weights;
use crate::apps::{Saved, open_device};
use crate::data::Source;
use crate::error::{Error, Result};

/// Opens the model, of an ensemble the first; says whose weights it has, unless a program listens.
pub(super) fn open(args: &UseArgs) -> Result<Saved> {
    opened(args, |_| Ok(()))
}

/// Opens the model, of an ensemble all of its members; says whose weights it has, unless a program listens.
pub(super) fn open_all(args: &UseArgs) -> Result<Saved> {
    opened(args, Saved::join_members)
}

fn opened(args: &UseArgs, join: impl FnOnce(&mut Saved) -> Result<()>) -> Result<Saved> {
    let mut saved = Saved::load(&args.run, open_device(&args.device)?)?;
    join(&mut saved)?;
    if !args.json {
        say_weights(&saved);
    }
    Ok(saved)
}

/// What was found, and the file that was written, as JSON.
pub(super) fn print_json(found: &impl Serialize, out: &impl Serialize) -> Result<()> {
    let mut found = serde_json::to_value(found).map_err(Error::invalid)?;
    if let Some(entries) = found.as_object_mut() {
        entries.insert("out".to_string(), serde_json::json!(out));
    }
    println!("{found}");
    Ok(())
}

/// Says so if a file that is to be written is one of the run, or of what is read: the model, the run's data, and these sources.
pub(super) fn check_out<'a>(
    saved: &Saved,
    (run, force): (&Path, bool),
    out: &Path,
    read: impl IntoIterator<Item = &'a str>,
) -> Result<()> {
    let mut keep = saved.keep(None, force);
    keep.inputs.extend(run.is_file().then(|| run.to_owned()));
    let path = |source| if let Source::Path(path) = source { Some(path) } else { None };
    keep.inputs.extend(read.into_iter().map(Source::parse).filter_map(path));
    keep.check(out)
}

/// What a model is given with each row, of a label or values that somebody types; nothing where it is given nothing.
pub(super) fn condition(saved: &Saved, label: Option<&str>, values: Option<&[String]>) -> Result<Vec<f32>> {
    let width = saved.form.condition;
    match (label, values) {
        (Some(label), _) => saved.form.label(label),
        (None, Some(values)) => {
            let y = saved.form.condition_of(values)?;
            if let Some(warning) = saved.form.check_condition(&y)? {
                eprintln!("Warning: {warning}");
            }
            Ok(y)
        }
        (None, None) if width == 0 => Ok(vec![]),
        (None, None) => Err(Error::invalid(match saved.form.classes.is_empty() {
            true => format!("the model is given {width} numbers with every row: say which with --condition X,X,..."),
            false => format!(
                "the model is given a label with every row: say which with --label, one of {}",
                saved.form.classes.join(", ")
            ),
        })),
    }
}
