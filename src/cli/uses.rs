//! What commands that use a trained model have in common.

use std::path::Path;

use serde::Serialize;

use super::args::UseArgs;
use super::weights::say_weights;
use crate::apps::{Saved, open_device};
use crate::error::{Error, Result};

/// Opens the model; says whose weights it has, unless a program listens.
pub(super) fn open(args: &UseArgs) -> Result<Saved> {
    let saved = Saved::load(&args.run, open_device(&args.device)?)?;
    if !args.json {
        say_weights(&saved);
    }
    Ok(saved)
}

/// What was found, and the file that was written, as JSON.
pub(super) fn print_json(found: &impl Serialize, out: &Path) -> Result<()> {
    let mut found = serde_json::to_value(found).map_err(Error::invalid)?;
    if let Some(entries) = found.as_object_mut() {
        entries.insert("out".to_string(), serde_json::json!(out));
    }
    println!("{found}");
    Ok(())
}

/// What a model is given with each row, of a label or numbers that somebody names; nothing where it is given nothing.
pub(super) fn condition(saved: &Saved, label: Option<&str>, numbers: Option<&[f32]>) -> Result<Vec<f32>> {
    let width = saved.form.condition;
    match (label, numbers) {
        (Some(label), _) => saved.form.label(label),
        (None, Some(numbers)) if numbers.len() == width => Ok(numbers.to_vec()),
        (None, Some(numbers)) => Err(Error::invalid(format!(
            "--condition has {} numbers, and the model is given {width} with every row",
            numbers.len()
        ))),
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
