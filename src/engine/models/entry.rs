//! What a model says of itself to those who choose one.

use std::fmt;
use std::ops::Deref;

use serde::{Serialize, Serializer};

use super::{Model, ModelConfig, StochasticLayers};
use crate::catalogue::{About, Settings, Spec};
use crate::data::{Schema, Shape};
use crate::error::Result;
use crate::problems::Problems;

/// What the list says of a model.
pub struct ModelEntry {
    /// What it is, for people.
    pub about: About,
    /// What becomes of the labels of rows.
    pub labels: LabelUse,
    /// Whether its loss has a KL, which β weighs: it is minus an ELBO.
    pub is_variational: bool,
    /// How its stochastic layers are made, if it has several.
    pub layers: Option<StochasticLayers>,
    /// Whether it is one over the codes of a VAE that is trained first.
    pub stands_on_vae: bool,
    /// Whether it learns why values are missing, where that is asked for.
    pub explains_gaps: bool,
    /// Whether its codes are indices of finitely many vectors, which priors over indices are for.
    pub quantises: bool,
    /// How it is trained where nobody says, if that is not as the preset has it.
    pub training: Option<OwnTraining>,
    /// Makes it for rows of this form.
    pub build: fn(&ModelConfig, RowForm) -> Result<Box<dyn Model>>,
    /// Notes settings that do not go with it, or with each other; the second is the rows of a batch.
    pub check: fn(&ModelConfig, usize, &mut Problems),
}

/// How a model is trained that plays a game with itself, and so does not do well as others are. Its loss is one side's, which falls where
/// that is winning: no epoch of it is the best.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OwnTraining {
    /// The optimiser, as it is chosen.
    pub optimiser: &'static str,
    /// The learning rate.
    pub learning_rate: f64,
    /// The nonlinearity of its networks, if it wants another than networks usually have.
    pub activation: Option<&'static str>,
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

impl ModelEntry {
    /// Whether it has an ELBO: one that it maximises, or that of codes which are indices.
    pub fn has_elbo(&self) -> bool {
        self.is_variational || self.quantises
    }

    /// Whether it is told something of every row, or of some.
    pub fn is_conditional(&self) -> bool {
        self.labels != LabelUse::Ignored
    }

    /// Whether it learns labels from some rows and the rest from all.
    pub fn is_semi_supervised(&self) -> bool {
        self.labels == LabelUse::Learnt
    }
}

impl fmt::Display for ModelEntry {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.about.id)
    }
}

impl fmt::Debug for ModelEntry {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A model of the list, chosen by its name, with settings of its own where it has some.
#[derive(Clone)]
pub struct Architecture {
    entry: &'static ModelEntry,
    /// Its own name, and every setting by its name, within its bounds.
    spec: Spec,
}

impl Architecture {
    /// A model, with these settings.
    ///
    /// # Errors
    /// If one is none of its own, or out of its bounds.
    pub fn new(entry: &'static ModelEntry, spec: &Spec) -> Result<Architecture> {
        Ok(Architecture { entry, spec: entry.about.checked(spec)? })
    }

    /// Its settings.
    pub fn settings(&self) -> Settings<'_> {
        Settings::new(&self.entry.about, &self.spec)
    }
}

impl From<&'static ModelEntry> for Architecture {
    /// The model as it usually is.
    fn from(entry: &'static ModelEntry) -> Architecture {
        Architecture { entry, spec: Spec::new(entry.about.id) }
    }
}

impl Deref for Architecture {
    type Target = ModelEntry;

    fn deref(&self) -> &ModelEntry {
        self.entry
    }
}

impl PartialEq for Architecture {
    fn eq(&self, other: &Architecture) -> bool {
        self.spec == other.spec
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.spec)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Bounds, Kind, Setting, Usual};
    use crate::models::ARCHITECTURES;

    static ENTRY: ModelEntry = ModelEntry {
        about: About {
            kind: Kind::Model,
            id: "some",
            aliases: &["another"],
            name: "",
            formula: "",
            source: "",
            settings: &[
                Setting { name: "codes", default: Usual::Number(8.0), bounds: Bounds::Whole(1, 9), meaning: "" },
                Setting { name: "weight", default: Usual::Number(0.25), bounds: Bounds::Positive, meaning: "" },
            ],
            example: "",
        },
        labels: LabelUse::Ignored,
        is_variational: true,
        layers: None,
        stands_on_vae: false,
        explains_gaps: false,
        quantises: false,
        training: None,
        build: |_, _| unreachable!(),
        check: |_, _, _| (),
    };

    #[test]
    fn settings_reach_the_model() {
        let settings = |text: &str| {
            let chosen = Architecture::new(&ENTRY, &text.parse().unwrap()).unwrap();
            (chosen.settings().whole("codes"), chosen.settings().get("weight"), chosen.to_string())
        };
        assert_eq!(settings("some"), (8, 0.25, "some".into()));
        assert_eq!(settings("another:3"), (3, 0.25, "some:codes=3".into()));
        assert_eq!(settings("some:weight=2,codes=5"), (5, 2.0, "some:codes=5,weight=2".into()));
        let usual: Architecture = (&ENTRY).into();
        assert_eq!(usual, Architecture::new(&ENTRY, &Spec::new("another")).unwrap());
        assert_ne!(usual, Architecture::new(&ENTRY, &Spec::new("some").with("codes", 3.0)).unwrap());
    }

    #[test]
    fn what_a_model_does_not_take_is_refused() {
        for (text, expected) in [
            ("vae:codes=3", "the model `vae` has no setting `codes`: it takes no settings"),
            ("clasifier", "there is no model `clasifier`: did you mean `classifier`? There are vae, ae"),
            ("zzz", "there is no model `zzz`; there are vae, ae, rae"),
            ("vae:3", "the model `vae` takes no settings, and `3` is given: leave it out"),
        ] {
            let found = text.parse::<Architecture>().unwrap_err().to_string();
            assert!(found.contains(expected), "{text}: {found}");
        }
        for (text, expected) in [
            ("some:codes=10", "`codes` of the model `some` is 10: give a whole number from 1 to 9, such as 8"),
            ("some:code=3", "the model `some` has no setting `code`: it takes codes, weight"),
        ] {
            let found = Architecture::new(&ENTRY, &text.parse().unwrap()).unwrap_err().to_string();
            assert!(found.contains(expected), "{text}: {found}");
        }
        assert_eq!("vae".parse::<Architecture>().unwrap(), ARCHITECTURES[0].into());
    }
}
