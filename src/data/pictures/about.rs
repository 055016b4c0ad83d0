//! What is known of pictures besides their pixels.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::size::PictureSize;
use crate::data::origin::Skipped;

/// How the size came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Chosen {
    /// It was given.
    Given,
    /// All pictures have it.
    Common,
    /// It is the usual one.
    Usual,
}

/// What is known of an album besides its pixels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    /// The size of a row.
    pub(super) size: PictureSize,
    /// How it came about.
    pub(super) chosen: Chosen,
    /// 1 where no pixel of any picture has a colour, else 3.
    pub(super) channels: usize,
    /// The names of the rows.
    pub(super) names: Vec<String>,
    /// How many there are of each format.
    pub(super) formats: BTreeMap<String, usize>,
    /// What was left out.
    pub(super) skipped: Vec<Skipped>,
}
