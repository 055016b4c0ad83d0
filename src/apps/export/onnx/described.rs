//! What a file of ONNX says of itself: how numbers of rows are to be read.

use serde_json::json;

use super::part::{KNOWN, Part, Port, ROWS};
use super::proto::Entry;
use crate::apps::{Form, Saved};
use crate::data::schema::{Field, FieldKind};
use crate::error::{Error, Result};

/// How the values of rows are to be read, in a sentence or two.
pub fn units(form: &Form) -> String {
    if form.schema.is_table() {
        let gaps = if form.gaps { "; NaN stands for what was not observed" } else { "; none of them is missing" };
        return format!("Columns as `elbo.columns` names them, scaled as `elbo.schema` says{gaps}");
    }
    let kind = form.schema.inputs().next().map(|Field { kind, .. }| kind);
    let layout = match form.shape().sides().len() {
        1 => "Values in a row",
        2 => "Pixels, row by row",
        _ => "Pixels, row by row, channels innermost (NHWC)",
    };
    let scale = match kind {
        Some(FieldKind::Levels { top, .. }) => format!("v/{top} of whole numbers v from 0 to {top}"),
        Some(FieldKind::Channels { of, .. }) => match &**of {
            FieldKind::Levels { top, .. } => {
                format!("v/{top} of whole numbers v from 0 to {top}, which the file scales channel by channel itself")
            }
            _ => "numbers as the data holds them, which the file scales channel by channel itself".to_string(),
        },
        _ => "numbers as the data holds them".to_string(),
    };
    format!("{layout}: {scale}")
}

/// What an input or an output is.
pub fn about(port: &Port, form: &Form) -> String {
    let more = match port.name {
        ROWS | "reconstruction" => Some(units(form)),
        KNOWN if form.classes.is_empty() => None,
        KNOWN | "probabilities" => Some(format!("one place for each of {}", form.classes.join(", "))),
        _ => None,
    };
    more.map_or(format!("{}.", port.about), |more| format!("{}. {more}.", port.about))
}

/// Entries for programs.
///
/// # Errors
/// If the settings cannot be written down.
pub fn entries(saved: &Saved, part: Part) -> Result<Vec<Entry>> {
    let schema = &saved.form.schema;
    let columns: Vec<String> = (0..schema.width()).map(|column| schema.column(column)).collect();
    let mut entries = vec![
        ("elbo.model", saved.config.model.kind.to_string()),
        ("elbo.part", part.to_string()),
        ("elbo.values", units(&saved.form)),
        ("elbo.schema", serde_json::to_string(schema).map_err(Error::invalid)?),
        ("elbo.config", saved.config.to_toml()?),
    ];
    if schema.is_table() {
        entries.push(("elbo.columns", json!(columns).to_string()));
    }
    if !saved.form.classes.is_empty() {
        entries.push(("elbo.classes", json!(saved.form.classes).to_string()));
    }
    Ok(entries.into_iter().map(|(key, value)| Entry { key: key.to_string(), value }).collect())
}
