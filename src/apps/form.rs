//! What the rows of a run look like, as its checkpoint keeps it.

use crate::data::{Dataset, Shape};
use crate::error::{Error, Result};
use crate::models::Architecture;
use crate::training::checkpoint::Checkpoint;

/// What rows look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Their shape.
    pub shape: Shape,
    /// Values that are known of each besides; 0 for none.
    pub condition: usize,
    /// What people call the classes that those stand for, `[condition]`; empty where they stand for no classes.
    pub classes: Vec<String>,
}

impl Form {
    /// That of a data set, as a kind of model is given it.
    pub fn of(kind: Architecture, data: &Dataset) -> Form {
        let known = data.conditions.as_ref().filter(|_| kind.is_conditional());
        Form {
            shape: data.shape,
            condition: known.map_or(0, |known| known.width),
            classes: known.map_or(vec![], |known| known.classes.clone()),
        }
    }

    /// Writes it into a checkpoint's metadata.
    pub fn write(&self, checkpoint: &mut Checkpoint) {
        let Shape { height, width, channels } = self.shape;
        for (key, size) in [("height", height), ("width", width), ("channels", channels)] {
            checkpoint.set_metadata(key, size);
        }
        if self.condition > 0 {
            checkpoint.set_metadata("condition", self.condition);
            checkpoint.set_metadata("classes", self.classes.join("\n"));
        }
    }

    /// Reads it from a checkpoint's metadata.
    ///
    /// # Errors
    /// If it is missing, or no size of rows.
    pub fn read(checkpoint: &Checkpoint) -> Result<Form> {
        let size = |key: &str| -> Result<usize> { Ok(checkpoint.metadata_u64(key)? as usize) };
        let shape = Shape { height: size("height")?, width: size("width")?, channels: size("channels")? };
        let known = checkpoint.metadata.contains_key("condition");
        let condition = if known { size("condition")? } else { 0 };
        let names = checkpoint.metadata.get("classes").map(String::as_str).unwrap_or_default();
        let classes: Vec<String> = names.split('\n').filter(|name| !name.is_empty()).map(String::from).collect();
        let features = shape.height.checked_mul(shape.width).and_then(|n| n.checked_mul(shape.channels));
        if !matches!(features, Some(1..=16_777_216)) {
            return Err(Error::invalid("its entries `height`, `width` and `channels` are no image size"));
        }
        if condition > 16_777_216 || ![0, condition].contains(&classes.len()) {
            return Err(Error::invalid("its entries `condition` and `classes` do not fit each other"));
        }
        Ok(Form { shape, condition, classes })
    }

    /// Says so if data looks otherwise.
    ///
    /// # Errors
    /// If it does.
    pub fn check(&self, kind: Architecture, data: &Dataset) -> Result<()> {
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
        if data.shape != self.shape {
            return Err(Error::invalid(format!(
                "the data {} has images of {}, and the model was trained on {}: give data of that size",
                data.name, data.shape, self.shape
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
                0 => format!("the model knows no labels, so none can be `{name}`: train one with --model cvae"),
                _ if self.classes.is_empty() => {
                    format!("the model is given {} numbers, not a label: give --condition X,X,...", self.condition)
                }
                _ => format!("there is no label `{name}`: the model was trained with {}", self.classes.join(", ")),
            }));
        };
        Ok(self.one_hot(class))
    }

    /// `columns` conditions of each class, those of one behind each other `[classes·columns, condition]`.
    pub fn every_label(&self, columns: usize) -> Vec<f32> {
        (0..self.classes.len()).flat_map(|class| self.one_hot(class).repeat(columns)).collect()
    }

    fn one_hot(&self, class: usize) -> Vec<f32> {
        (0..self.condition).map(|i| f32::from(u8::from(i == class))).collect()
    }
}
