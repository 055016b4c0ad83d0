//! The numbers that a piece can be given.

use std::fmt;

use serde::Serialize;

use super::{About, Spec};

/// A number that a piece takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// Its name behind the colon of a [`Spec`].
    pub name: &'static str,
    /// What it is where it is not given.
    pub default: f64,
    /// What it may be.
    pub bounds: Bounds,
    /// What it means, in the words of the paper.
    pub meaning: &'static str,
}

/// What a setting may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bounds {
    /// A number above 0.
    Positive,
    /// 0 or more.
    NotNegative,
    /// Any finite number.
    Any,
    /// From one number to another, both included.
    Within(f64, f64),
    /// 0 or more, and less than a number.
    Below(f64),
    /// A whole number from one to another.
    Whole(u64, u64),
}

impl Bounds {
    /// Whether a number is allowed, also when rounded to 32 bits, in which everything is computed.
    pub fn allow(self, value: f64) -> bool {
        let rounded = value as f32;
        rounded.is_finite()
            && match self {
                Bounds::Positive => rounded > 0.0,
                Bounds::NotNegative => value >= 0.0,
                Bounds::Any => true,
                Bounds::Within(low, high) => (low..=high).contains(&value),
                Bounds::Below(end) => value >= 0.0 && rounded < end as f32,
                Bounds::Whole(low, high) => value.fract() == 0.0 && (low as f64..=high as f64).contains(&value),
            }
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Bounds::Positive => write!(f, "a positive number"),
            Bounds::NotNegative => write!(f, "0 or a positive number"),
            Bounds::Any => write!(f, "a finite number"),
            Bounds::Within(low, high) => write!(f, "a number from {low} to {high}"),
            Bounds::Below(end) => write!(f, "a number from 0 to below {end}"),
            Bounds::Whole(low, high) => write!(f, "a whole number from {low} to {high}"),
        }
    }
}

/// The numbers a piece is built with: those of a [`Spec`], and its defaults.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    pub(super) about: &'a About,
    pub(super) spec: &'a Spec,
}

impl Settings<'_> {
    /// A setting by its name.
    ///
    /// # Panics
    /// If the piece declares no such setting: an error in the piece.
    pub fn get(&self, name: &str) -> f64 {
        let declared = self.about.settings.iter().find(|s| s.name == name);
        let declared = declared.unwrap_or_else(|| panic!("{} declares no setting {name}", self.about.id));
        self.spec.settings.get(name).copied().unwrap_or(declared.default)
    }

    /// A whole number by its name.
    pub fn whole(&self, name: &str) -> usize {
        self.get(name) as usize
    }
}
