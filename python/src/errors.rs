//! Errors of the library as exceptions.

use std::io::ErrorKind;

use elbo::Error;
use pyo3::PyErr;
use pyo3::exceptions::{PyFileNotFoundError, PyFloatingPointError, PyOSError, PyRuntimeError, PyValueError};

/// The exception of an error: what was given wrongly is a `ValueError`, a file an `OSError`, numbers that ran away a `FloatingPointError`,
/// and a device or another process a `RuntimeError`.
pub fn exception(error: Error) -> PyErr {
    let message = error.to_string();
    match error {
        Error::Io { source, .. } if source.kind() == ErrorKind::NotFound => PyFileNotFoundError::new_err(message),
        Error::Io { .. } => PyOSError::new_err(message),
        Error::Malformed { .. } | Error::Invalid(_) => PyValueError::new_err(message),
        Error::Diverged(_) => PyFloatingPointError::new_err(message),
        _ => PyRuntimeError::new_err(message),
    }
}
