//! The list of models. A model is one file that ends in its entry, and one line here.

use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use super::entry::{Architecture, ModelEntry};
use crate::catalogue::Spec;
use crate::error::{Error, Result};
use crate::problems::nearest;

/// Every model that can be trained; the first is the usual one.
pub static ARCHITECTURES: &[&ModelEntry] = &[
    &super::vae::ENTRY,
    &super::autoencoder::ENTRY,
    &super::rae::ENTRY,
    &super::vae::CONDITIONAL,
    &super::hamiltonian::ENTRY,
    &super::adversarial::GAN,
    &super::adversarial::AAE,
    &super::adversarial::ALI,
    &super::adversarial::AVB,
    &super::adversarial::FACTOR_VAE,
    &super::adversarial::VAE_GAN,
    &super::m2::ENTRY,
    &super::m2::STACKED,
    &super::classifier::ENTRY,
    &super::hierarchical::HIERARCHICAL,
    &super::hierarchical::LADDER,
    &super::very_deep::ENTRY,
    &super::quantised::VQ_VAE,
    &super::quantised::FSQ,
];

impl Default for Architecture {
    fn default() -> Architecture {
        ARCHITECTURES[0].into()
    }
}

impl FromStr for Architecture {
    type Err = Error;

    fn from_str(text: &str) -> Result<Architecture> {
        let spec: Spec = text.parse()?;
        let name = spec.id.as_str();
        let found = ARCHITECTURES.iter().find(|entry| entry.about.id == name || entry.about.aliases.contains(&name));
        let entry = found.ok_or_else(|| {
            let all: Vec<&str> = ARCHITECTURES.iter().map(|entry| entry.about.id).collect();
            let all = all.join(", ");
            Error::invalid(match nearest(name, ARCHITECTURES.iter().map(|entry| entry.about.id)) {
                Some(near) => format!("there is no model `{name}`: did you mean `{near}`? There are {all}"),
                None => format!("there is no model `{name}`; there are {all}"),
            })
        })?;
        Architecture::new(entry, &spec)
    }
}

impl<'de> Deserialize<'de> for Architecture {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Architecture, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
