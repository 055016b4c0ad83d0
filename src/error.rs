//! What can go wrong, said for people: what was found, what was expected, what to do.

use std::fmt::Display;
use std::path::{Path, PathBuf};

/// The one error type of the crate. Every message is a full sentence for the person at the keyboard.
///
/// There may be more kinds in later versions.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried: `read`, `write`, `create`…
        action: &'static str,
        /// The file or folder it was tried on.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file was read, and is not what it should be.
    #[error("{}: {message}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What was found, what was expected, what to do.
        message: String,
    },
    /// An option, a shape or a combination that makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// No adapter, a lost device, too little memory.
    #[error("{0}")]
    Device(String),
    /// Another process writes the same folder.
    #[error("{0}")]
    Busy(String),
    /// Training produced numbers that are not finite.
    #[error("{0}")]
    Diverged(String),
    /// The user asked to stop; everything worth keeping has been saved.
    #[error("{0}")]
    Interrupted(String),
    /// Another process that trains the same model has failed: the rank that says why.
    #[error("rank {0} has failed")]
    Elsewhere(usize),
}

/// Shorthand for results with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Wraps an I/O error with what was tried on which path; for `map_err`.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::Io { action, path, source }
    }

    /// A file that is not what it should be.
    pub fn malformed(path: &Path, message: impl Display) -> Error {
        Error::Malformed { path: path.to_owned(), message: message.to_string() }
    }

    /// An option, a shape or a combination that makes no sense.
    pub fn invalid(message: impl Display) -> Error {
        Error::Invalid(message.to_string())
    }
}
