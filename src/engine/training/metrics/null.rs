//! Numbers that JSON has no word for.
//!
//! `NaN` and the infinities are written as `null` (which is what `serde_json` does by itself) and come back as `NaN`. A
//! field that is absent stays `None`, so "was not measured" and "was not finite" remain two different things.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// For a field that must be there: `null` becomes `NaN`.
pub fn number<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::NAN))
}

/// For a field that may be absent (with `#[serde(default)]`): `null` becomes `Some(NaN)`.
pub fn optional<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    number(from).map(Some)
}

/// For a list of numbers: each `null` becomes `NaN`.
pub fn list<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
    let found = Vec::<Option<f64>>::deserialize(from)?;
    Ok(found.into_iter().map(|x| x.unwrap_or(f64::NAN)).collect())
}

/// For numbers by name: each `null` becomes `NaN`.
pub fn map<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, f64>, D::Error> {
    let found = BTreeMap::<String, Option<f64>>::deserialize(from)?;
    Ok(found.into_iter().map(|(name, x)| (name, x.unwrap_or(f64::NAN))).collect())
}
