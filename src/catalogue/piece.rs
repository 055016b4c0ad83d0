//! A piece: what it is, for people, and how it is built.

use std::sync::Arc;

use serde::Serialize;

use super::{Setting, Settings, Spec};
use crate::error::{Error, Result};

/// Which factor of a model a piece is a form of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The whole: which networks there are, and what they say.
    Model,
    /// p(x | z).
    Likelihood,
    /// q(z | x).
    Posterior,
    /// p(z).
    Prior,
    /// What is minimised.
    Objective,
    /// How the weight of the KL term grows.
    KlSchedule,
    /// How parameters are moved along their gradients.
    Optimiser,
}

impl Kind {
    /// All of them, in the order of a model's description.
    pub const ALL: [Kind; 7] = [
        Kind::Model,
        Kind::Objective,
        Kind::KlSchedule,
        Kind::Likelihood,
        Kind::Posterior,
        Kind::Prior,
        Kind::Optimiser,
    ];

    /// The option of `elbo train` that chooses it.
    pub fn key(self) -> &'static str {
        match self {
            Kind::Model => "model",
            Kind::Likelihood => "likelihood",
            Kind::Posterior => "posterior",
            Kind::Prior => "prior",
            Kind::Objective => "objective",
            Kind::KlSchedule => "kl-warmup-epochs",
            Kind::Optimiser => "optimiser",
        }
    }
}

/// What a piece is, for people.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct About {
    /// Which factor it is a form of.
    pub kind: Kind,
    /// The name by which a user asks for it.
    pub id: &'static str,
    /// Other names that are understood.
    pub aliases: &'static [&'static str],
    /// What it is, in one line.
    pub name: &'static str,
    /// Its formula.
    pub formula: &'static str,
    /// The paper it comes from, with equation or section.
    pub source: &'static str,
    /// The numbers it takes.
    pub settings: &'static [Setting],
    /// A command that uses it.
    pub example: &'static str,
}

/// One form of the factor `T`.
pub struct Piece<T: ?Sized + 'static> {
    /// What it is.
    pub about: About,
    /// Makes it of settings that are within their bounds.
    pub build: fn(&Settings) -> Arc<T>,
}

/// The piece that a [`Spec`] names, its settings checked.
///
/// # Errors
/// If there is no such piece, or a setting is not one of its own or out of its bounds: what there is.
pub fn find<T: ?Sized>(list: &'static [&'static Piece<T>], spec: &Spec) -> Result<&'static Piece<T>> {
    let is_meant = |piece: &&&Piece<T>| piece.about.id == spec.id || piece.about.aliases.contains(&spec.id.as_str());
    let Some(piece) = list.iter().find(is_meant) else {
        let ids: Vec<&str> = list.iter().map(|p| p.about.id).collect();
        let kind = list.first().map_or("piece", |p| p.about.kind.key());
        return Err(Error::invalid(format!(
            "there is no {kind} `{}`; there are {} (`elbo models` explains them)",
            spec.id,
            ids.join(", ")
        )));
    };
    let about = &piece.about;
    let (kind, id) = (about.kind.key(), about.id);
    for (name, &value) in &spec.settings {
        let Some(setting) = about.settings.iter().find(|s| s.name == name) else {
            let known: Vec<&str> = about.settings.iter().map(|s| s.name).collect();
            let known = if known.is_empty() { "no settings".to_string() } else { known.join(", ") };
            return Err(Error::invalid(format!("the {kind} `{id}` has no setting `{name}`: it takes {known}")));
        };
        if !setting.bounds.allow(value) {
            return Err(Error::invalid(format!(
                "`{name}` of the {kind} `{id}` is {value}: give {}, such as {}",
                setting.bounds, setting.default
            )));
        }
    }
    Ok(*piece)
}

/// Calls a piece by its own name where it is known by another, so that equal settings are equal.
pub fn rename<T: ?Sized>(list: &'static [&'static Piece<T>], spec: &mut Spec) {
    if let Ok(piece) = find(list, &Spec::new(&spec.id)) {
        spec.id = piece.about.id.to_string();
    }
}

/// Builds what a [`Spec`] names.
///
/// # Errors
/// As for [`find`].
pub fn build<T: ?Sized>(list: &'static [&'static Piece<T>], spec: &Spec) -> Result<Arc<T>> {
    let piece = find(list, spec)?;
    Ok((piece.build)(&Settings { about: &piece.about, spec }))
}
