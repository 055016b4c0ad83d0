//! How pictures are read.

use std::path::PathBuf;

use super::size::PictureSize;

/// How pictures are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PictureOptions {
    /// The size they are brought to; chosen by what they are when not given.
    pub size: Option<PictureSize>,
    /// The folder for what is costly to read, as [`cache_folder`](crate::data::cache_folder); nothing is kept without.
    pub cache: Option<PathBuf>,
}
