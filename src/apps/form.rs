//! What the rows of a run look like, as its checkpoint keeps it.

use crate::catalogue::{Spec, build};
use crate::config::ModelConfig;
use crate::data::schema::Role;
use crate::data::{Dataset, Frame, Schema, Shape};
use crate::distributions::LIKELIHOODS;
use crate::error::{Error, Result};
use crate::models::{Model, ModelEntry, Normalised, RowForm};
use crate::training::checkpoint::Checkpoint;

/// What rows look like.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// What their values are.
    pub schema: Schema,
    /// Whether some of those may be missing.
    pub gaps: bool,
    /// Values that are known of each besides; 0 for none.
    pub condition: usize,
    /// What people call the classes that those stand for, `[condition]`; empty where they stand for no classes.
    pub classes: Vec<String>,
    /// The least and the largest of each value that was known of training rows `[condition]`; empty where that is not known, or the values
    /// stand for classes.
    pub ranges: Vec<[f32; 2]>,
}

/// The metadata's entry that holds the schema.
const SCHEMA: &str = "schema";
/// The entry of rows with gaps.
const GAPS: &str = "gaps";
/// The entry of what conditions lay between.
const RANGES: &str = "condition-ranges";

impl Form {
    /// That of rows of which nothing is known besides, and of which every value is there.
    pub fn plain(schema: impl Into<Schema>) -> Form {
        Form { schema: schema.into(), gaps: false, condition: 0, classes: vec![], ranges: vec![] }
    }

    /// That of a data set, as a kind of model is given it.
    pub fn of(kind: &ModelEntry, data: &Dataset) -> Form {
        let known = data.conditions.as_ref().filter(|_| kind.is_conditional());
        Form {
            schema: data.schema.clone(),
            // Later lines of a table may have blanks, whatever those have that are trained on.
            gaps: data.observed.is_some() || data.schema.is_table(),
            condition: known.map_or(0, |known| known.width),
            classes: known.map_or(vec![], |known| known.classes.clone()),
            ranges: known.filter(|known| known.classes.is_empty()).map_or(vec![], |known| ranges(data, known.width)),
        }
    }

    /// The shape of a row's values.
    pub fn shape(&self) -> Shape {
        self.schema.shape()
    }

    /// Writes it into a checkpoint's metadata.
    ///
    /// # Errors
    /// If it cannot be written as JSON, which no schema is known to be.
    pub fn write(&self, checkpoint: &mut Checkpoint) -> Result<()> {
        checkpoint.set_metadata(SCHEMA, serde_json::to_string(&self.schema).map_err(Error::invalid)?);
        checkpoint.set_metadata(GAPS, self.gaps);
        if self.condition > 0 {
            checkpoint.set_metadata("condition", self.condition);
            checkpoint.set_metadata("classes", serde_json::to_string(&self.classes).map_err(Error::invalid)?);
            checkpoint.set_metadata(RANGES, serde_json::to_string(&self.ranges).map_err(Error::invalid)?);
        }
        Ok(())
    }

    /// Reads it from a checkpoint's metadata.
    ///
    /// # Errors
    /// If it is missing, or no form of rows.
    pub fn read(checkpoint: &Checkpoint) -> Result<Form> {
        let size = |key: &str| -> Result<usize> { Ok(checkpoint.metadata_u64(key)? as usize) };
        let known = checkpoint.metadata.contains_key("condition");
        let condition = if known { size("condition")? } else { 0 };
        let names = checkpoint.metadata.get("classes").map(String::as_str).unwrap_or_default();
        // As runs wrote them whose rows had no schema: a line for each.
        let lines = || names.split('\n').filter(|name| !name.is_empty()).map(String::from).collect();
        let has_schema = checkpoint.metadata.contains_key(SCHEMA) && !names.is_empty();
        let classes: Vec<String> =
            if has_schema { serde_json::from_str(names).unwrap_or_else(|_| lines()) } else { lines() };
        let schema: Schema = match checkpoint.metadata.get(SCHEMA) {
            Some(text) => serde_json::from_str(text)
                .map_err(|error| Error::invalid(format!("its entry `{SCHEMA}` cannot be read: {error}")))?,
            // As runs wrote it whose rows were all pictures or vectors.
            None => Shape { height: size("height")?, width: size("width")?, channels: size("channels")? }.into(),
        };
        schema.check()?;
        if condition > 16_777_216 || ![0, condition].contains(&classes.len()) {
            return Err(Error::invalid("its entries `condition` and `classes` do not fit each other"));
        }
        let gaps = checkpoint.metadata.get(GAPS).is_some_and(|gaps| gaps == "true");
        let ranges: Vec<[f32; 2]> =
            checkpoint.metadata.get(RANGES).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let ranges = if ranges.len() == condition { ranges } else { vec![] };
        Ok(Form { schema, gaps, condition, classes, ranges })
    }

    /// Says so if data looks otherwise.
    ///
    /// # Errors
    /// If it does.
    pub fn check(&self, kind: &ModelEntry, data: &Dataset) -> Result<()> {
        self.check_shape(data)?;
        let found = Form::of(kind, data);
        if found.condition != self.condition {
            return Err(Error::invalid(format!(
                "the data {} comes with {} classes or numbers of condition, and the model was trained with {}: give data \
                 that has as many",
                data.name, found.condition, self.condition
            )));
        }
        Ok(())
    }

    /// Says so if rows have another shape.
    pub(super) fn check_shape(&self, data: &Dataset) -> Result<()> {
        if data.shape() != self.shape() {
            return Err(Error::invalid(format!(
                "the data {} has images of {}, and the model was trained on {}: give data of that size",
                data.name,
                data.shape(),
                self.shape()
            )));
        }
        if data.observed.is_some() && !self.gaps {
            return Err(Error::invalid(format!(
                "the data {} has missing values, and the model was trained on rows without: fill them in, or train on rows \
                 with gaps",
                data.name
            )));
        }
        Ok(())
    }

    /// One condition `[condition]`: a class by its name.
    ///
    /// # Errors
    /// If there is no such class, or there are none at all.
    pub fn label(&self, name: &str) -> Result<Vec<f32>> {
        let Some(class) = self.classes.iter().position(|class| class == name) else {
            return Err(Error::invalid(match self.condition {
                0 => format!("the model knows no labels, so none can be `{name}`: train one of the `kind` cvae"),
                _ if self.classes.is_empty() => {
                    format!("the model is given {} numbers, not a label: give those as its condition", self.condition)
                }
                _ => format!("there is no label `{name}`: the model was trained with {}", self.classes.join(", ")),
            }));
        };
        Ok(self.one_hot(class))
    }

    /// The condition `[condition]` that typed values stand for: numbers, or values of the columns of a table.
    ///
    /// # Errors
    /// If one is no number, or not what its column should hold.
    pub fn condition_of(&self, typed: &[String]) -> Result<Vec<f32>> {
        if self.schema.of_role(Role::Condition).next().is_some() {
            return self.schema.condition(typed);
        }
        let number = |text: &String| {
            text.trim()
                .parse()
                .map_err(|_| Error::invalid(format!("--condition holds {text}, and a number was expected")))
        };
        typed.iter().map(number).collect()
    }

    /// Looks at numbers that are to be a condition `[condition]`: a sentence on one that lies far from all that the model was told in
    /// training.
    ///
    /// # Errors
    /// If they are too many or too few, or one is not finite.
    pub fn check_condition(&self, y: &[f32]) -> Result<Option<String>> {
        if self.condition == 0 {
            return Err(Error::invalid(
                "the model is given no condition: leave --condition out, or train one with --model cvae",
            ));
        }
        if y.len() != self.condition {
            return Err(Error::invalid(format!(
                "--condition has {} numbers, and the model is given {} with every row",
                y.len(),
                self.condition
            )));
        }
        if let Some(value) = y.iter().find(|value| !value.is_finite()) {
            return Err(Error::invalid(format!("--condition holds {value}, and every number must be finite")));
        }
        let far = y.iter().zip(&self.ranges).find(|(value, [least, most])| {
            let room = most - least;
            **value < least - room || **value > most + room
        });
        Ok(far.map(|(value, [least, most])| {
            format!("the condition {value} lies far from what the model was trained with, {least} to {most}: it has learnt nothing of it")
        }))
    }

    /// `columns` conditions of each class, those of one behind each other `[classes·columns, condition]`.
    pub fn every_label(&self, columns: usize) -> Vec<f32> {
        (0..self.classes.len()).flat_map(|class| self.one_hot(class).repeat(columns)).collect()
    }

    /// The names of those, one for each.
    pub fn names_of_every_label(&self, columns: usize) -> Vec<String> {
        self.classes.iter().flat_map(|name| vec![name.clone(); columns]).collect()
    }

    /// New lines of a table `[rows, features]`, beside the label that each was drawn for, where they were drawn for any.
    pub fn drawn(&self, rows: &[f32], labels: &[String]) -> Frame {
        match self.schema.of_role(Role::Label).next().is_some() && !labels.is_empty() {
            true => Frame::of_labelled_rows(&self.schema, rows, labels),
            false => Frame::of_rows(&self.schema, rows),
        }
    }

    fn one_hot(&self, class: usize) -> Vec<f32> {
        (0..self.condition).map(|i| f32::from(u8::from(i == class))).collect()
    }
}

/// The model that a configuration describes, for rows of this form.
///
/// # Errors
/// If a piece does not exist, or is given what it does not take.
pub fn build_model(config: &ModelConfig, form: &Form) -> Result<Box<dyn Model>> {
    let plain = form.schema.plain();
    check_together(&config.likelihood, &plain)?;
    let model = (config.kind.build)(config, RowForm { schema: &plain, condition: form.condition })?;
    Ok(match form.schema.channels() {
        Some(scales) => Box::new(Normalised::new(model, scales.to_vec())),
        None => model,
    })
}

/// Says so if a likelihood chains the channels of pixels that rows do not have.
fn check_together(spec: &Spec, schema: &Schema) -> Result<()> {
    let (together, shape) = (build(LIKELIHOODS, spec).map_or(1, |likelihood| likelihood.together()), schema.shape());
    if together == 1 || (!schema.is_table() && shape.channels == together) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the likelihood {spec} chains {together} channels of each pixel, and these rows are {}: leave `channels` out",
        match schema.is_table() {
            true => "of a table".to_string(),
            false => format!("{shape}"),
        }
    )))
}

/// The least and the largest of each value that a model is told of rows.
fn ranges(data: &Dataset, width: usize) -> Vec<[f32; 2]> {
    let mut ranges = vec![[f32::INFINITY, f32::NEG_INFINITY]; width];
    for row in 0..data.rows {
        for (range, value) in ranges.iter_mut().zip(data.condition(row)) {
            *range = [range[0].min(value), range[1].max(value)];
        }
    }
    ranges
}
