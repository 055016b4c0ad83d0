//! Weights of another program as a run: read from a safetensors file ([`foreign`]), taken by a map of names ([`map`], [`take`]), which can be
//! suggested ([`suggest`]).

mod foreign;
#[cfg(test)]
mod fuzz;
mod map;
mod suggest;
mod take;

use std::path::Path;

use serde::Serialize;

use super::setup::{as_given, open_data};
use super::stages::build_whole;
use super::torch::networks;
use super::{Form, Prepared};
use crate::config::Config;
use crate::data::Splits;
use crate::error::{Error, Result};
use crate::program::{Executor, ParameterSet};
use crate::training::Layout;
use map::Made;
use take::{Taken, Wanted};

/// What was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Tensors that were taken.
    pub taken: usize,
    /// Tensors of the model that stay as they start.
    pub started: Vec<String>,
    /// Tensors of the file that nothing was made of.
    pub left_over: Vec<String>,
    /// Tensors of the file that were read transposed.
    pub transposed: Vec<String>,
}

/// Both sides of an import, and a map that may be meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suggested {
    /// Tensors of the model: names and shapes.
    pub model: Vec<(String, Vec<usize>)>,
    /// Tensors of the file: names and shapes.
    pub file: Vec<(String, Vec<usize>)>,
    /// The map, as a TOML file holds it.
    pub map: String,
    /// Whether it says something of every tensor of the model.
    pub is_whole: bool,
}

/// The tensors of the model that settings describe, for data.
fn wanted(config: &Config, data: &Splits) -> Result<Vec<Wanted>> {
    let form = Form::of(&config.model.kind, &data.train);
    let model = build_whole(config, &form)?;
    let layout = Layout::new(&*model);
    let found = networks(&*model, &form);
    let of = |set: &ParameterSet| -> Vec<Wanted> {
        let one = |name: &String, shape: &Vec<usize>| Wanted {
            name: name.clone(),
            shape: shape.clone(),
            arranged: found.parameters.iter().find(|arranged| arranged.name == *name).cloned(),
        };
        set.parameters.iter().map(|parameter| one(&parameter.name, &parameter.shape)).collect()
    };
    Ok(layout.groups.iter().chain([&layout.assigned]).flat_map(of).collect())
}

/// The data of a configuration, as its model is given it.
fn data_of(config: &Config, data: Option<Splits>) -> Result<Splits> {
    match data {
        Some(data) => as_given(config, data),
        None => open_data(config, None),
    }
}

/// Lists what a file and the model that settings describe have, and suggests a map between them.
///
/// # Errors
/// If the file or the data cannot be read, or there is no such model.
pub fn suggest_map(mut config: Config, data: Option<Splits>, weights: &Path) -> Result<Suggested> {
    let foreign = foreign::read(weights)?;
    config.name_pieces();
    let wanted = wanted(&config, &data_of(&config, data)?)?;
    let suggested = suggest::suggest(&wanted, &foreign);
    let is_whole = suggested.iter().all(|(_, made)| made.is_some());
    let lines: Vec<(String, Option<Made>, String)> = suggested
        .into_iter()
        .zip(&wanted)
        .map(|((name, made), one)| (name, made, format!("{:?}", one.shape())))
        .collect();
    Ok(Suggested {
        model: wanted.iter().map(|one| (one.mapped().to_string(), one.shape().to_vec())).collect(),
        file: foreign.into_iter().map(|tensor| (tensor.name, tensor.shape)).collect(),
        map: map::written(&lines),
        is_whole,
    })
}

/// Begins a run in a folder with the weights of a file, which a map says how to take.
///
/// # Errors
/// If a file cannot be read, they do not fit each other or the model, or the run cannot be begun; nothing is left then.
pub fn import(
    (mut config, data): (Config, Option<Splits>),
    (weights, map): (&Path, &Path),
    folder: &Path,
    executor: Box<dyn Executor>,
) -> Result<Imported> {
    if config.training.models() > 1 {
        return Err(Error::invalid(format!(
            "`members` is {}, and the weights are those of one model: leave it out",
            config.training.members
        )));
    }
    let (map, foreign) = (map::read(map)?, foreign::read(weights)?);
    config.name_pieces();
    let data = match data {
        Some(data) => data,
        None => open_data(&config, None)?,
    };
    let wanted = wanted(&config, &as_given(&config, data.clone())?)?;
    let Taken { tensors, started, left_over, transposed } = take::take(&wanted, &foreign, &map)?;
    let imported = Imported { taken: tensors.len(), started, left_over, transposed };
    let mut run = Prepared::new(Some(data), config, folder, executor.into())?;
    run.take_weights(tensors)?;
    run.kept()?;
    Ok(imported)
}
