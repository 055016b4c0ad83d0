//! The list of models. A model is one file that ends in its entry, and one line here.

use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use super::entry::Architecture;
use crate::error::{Error, Result};
use crate::problems::nearest;

/// Every model that can be trained; the first is the usual one.
pub static ARCHITECTURES: &[Architecture] = &[
    Architecture(&super::vae::ENTRY),
    Architecture(&super::autoencoder::ENTRY),
    Architecture(&super::vae::CONDITIONAL),
    Architecture(&super::m2::ENTRY),
    Architecture(&super::m2::STACKED),
    Architecture(&super::classifier::ENTRY),
    Architecture(&super::hierarchical::HIERARCHICAL),
    Architecture(&super::hierarchical::LADDER),
    Architecture(&super::quantised::ENTRY),
];

impl Default for Architecture {
    fn default() -> Architecture {
        ARCHITECTURES[0]
    }
}

impl FromStr for Architecture {
    type Err = Error;

    fn from_str(name: &str) -> Result<Architecture> {
        let found = ARCHITECTURES.iter().find(|entry| entry.about.id == name || entry.about.aliases.contains(&name));
        found.copied().ok_or_else(|| {
            let all: Vec<&str> = ARCHITECTURES.iter().map(|entry| entry.about.id).collect();
            let meant =
                nearest(name, all.iter().copied()).map_or(String::new(), |near| format!("did you mean `{near}`? "));
            Error::invalid(format!("there is no model `{name}`: {meant}There are {}", all.join(", ")))
        })
    }
}

impl<'de> Deserialize<'de> for Architecture {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Architecture, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
