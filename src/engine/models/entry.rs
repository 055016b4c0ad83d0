//! What a model says of itself to those who choose one.

use std::fmt;
use std::ops::Deref;

use serde::{Serialize, Serializer};

use super::{Model, ModelConfig, Recognition};
use crate::catalogue::About;
use crate::data::{Schema, Shape};
use crate::error::Result;
use crate::problems::Problems;

/// What the list says of a model.
pub struct ModelEntry {
    /// What it is, for people.
    pub about: About,
    /// What becomes of the labels of rows.
    pub labels: LabelUse,
    /// Whether it has codes with a prior, and so an ELBO.
    pub is_variational: bool,
    /// How the codes of its stochastic layers are inferred, if it has several.
    pub layers: Option<Recognition>,
    /// Whether it is one over the codes of a VAE that is trained first.
    pub stands_on_vae: bool,
    /// Makes it for rows of this form.
    pub build: fn(&ModelConfig, RowForm) -> Result<Box<dyn Model>>,
    /// Notes settings that do not go with it, or with each other; the second is the rows of a batch.
    pub check: fn(&ModelConfig, usize, &mut Problems),
}

/// What becomes of the labels, or of other values that are known of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelUse {
    /// They are left aside.
    Ignored,
    /// They are told with every row.
    Told,
    /// They are learnt from some rows, and inferred of others.
    Learnt,
}

/// What rows consist of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowForm<'a> {
    /// The fields of their values.
    pub schema: &'a Schema,
    /// Values that are known of each besides; 0 for none.
    pub condition: usize,
}

impl RowForm<'_> {
    /// The sizes of such rows.
    pub fn sizes(self) -> Sizes {
        Sizes { shape: self.schema.shape(), condition: self.condition }
    }
}

/// The sizes of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// How the values of a row lie.
    pub shape: Shape,
    /// Values that are known of each besides; 0 for none.
    pub condition: usize,
}

impl Sizes {
    /// Rows that are no images: so many values each, and so many that are known besides.
    pub fn vector(features: usize, condition: usize) -> Sizes {
        Sizes { shape: Shape::vector(features), condition }
    }

    /// Values per row.
    pub fn features(self) -> usize {
        self.shape.features()
    }
}

/// A model of the list, chosen by its name.
#[derive(Clone, Copy)]
pub struct Architecture(pub(super) &'static ModelEntry);

impl Architecture {
    /// What it is, for people.
    pub fn about(self) -> &'static About {
        &self.0.about
    }

    /// Whether it is told something of every row, or of some.
    pub fn is_conditional(self) -> bool {
        self.labels != LabelUse::Ignored
    }

    /// Whether it learns labels from some rows and the rest from all.
    pub fn is_semi_supervised(self) -> bool {
        self.labels == LabelUse::Learnt
    }
}

impl Deref for Architecture {
    type Target = ModelEntry;

    fn deref(&self) -> &ModelEntry {
        self.0
    }
}

impl PartialEq for Architecture {
    fn eq(&self, other: &Architecture) -> bool {
        self.about.id == other.about.id
    }
}

impl Eq for Architecture {}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.about.id)
    }
}

impl fmt::Debug for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Architecture {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
