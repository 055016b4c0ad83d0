//! Keywords as settings, and what there is to choose from.

use elbo::Result;
use elbo::apps::all_pieces;
use elbo::config::{Layer, Takes};
use elbo::engine::models::LabelUse;
use pyo3::prelude::*;
use serde::Serialize;

use crate::errors::exception;

/// The value of a keyword.
#[derive(FromPyObject, Serialize)]
#[serde(untagged)]
pub enum Value {
    Truth(bool),
    Whole(i64),
    Number(f64),
    Word(String),
    Wholes(Vec<i64>),
    Words(Vec<String>),
}

/// The settings that keywords are.
pub fn layer(given: Vec<(String, Value)>) -> Result<Layer> {
    Layer::of_keywords(given)
}

/// The settings that there are: of each its name, its table, what its value is (`bool`, `int`, `float`, `ints`, `strs` or `str`), and its help.
#[pyfunction]
pub fn keywords() -> Vec<(String, &'static str, &'static str, String)> {
    let takes = |takes: Takes| match takes {
        Takes::Truth => "bool",
        Takes::Whole => "int",
        Takes::Number => "float",
        Takes::Wholes => "ints",
        Takes::Words => "strs",
        Takes::Word => "str",
    };
    let all = elbo::config::keywords().into_iter();
    all.map(|keyword| (keyword.name, keyword.table, takes(keyword.takes), keyword.help)).collect()
}

/// What a model of these settings does with what is known of rows: nothing at all, or it takes `labels` or `numbers`.
#[pyfunction]
pub fn label_use(settings: Vec<(String, Value)>) -> PyResult<Option<&'static str>> {
    let layer = layer(settings).map_err(exception)?;
    let mut config = layer.preset.unwrap_or_default().config();
    layer.lay_over(&mut config).map_err(exception)?;
    let is_told = config.model.kind.labels != LabelUse::Ignored;
    Ok(match config.data.told() {
        elbo::data::Condition::Vectors if is_told => Some("numbers"),
        _ if is_told || config.training.class_balance => Some("labels"),
        _ => None,
    })
}

/// All that models can be made of: of each the keyword that chooses it, its name, what it is, its formula and its source.
#[pyfunction]
pub fn pieces() -> Vec<(String, &'static str, &'static str, &'static str, &'static str)> {
    let all = all_pieces().into_iter();
    all.map(|about| (about.kind.key().replace('-', "_"), about.id, about.name, about.formula, about.source)).collect()
}
