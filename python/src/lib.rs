//! The module `elbo._elbo`: what the Python package takes from the library.
//!
//! It holds no decision of its own: arrays become rows, keywords become settings, errors become exceptions, and all else is the library's.

mod about;
mod arrays;
mod errors;
mod model;
mod settings;
mod training;

/// What the package takes from the library.
#[pyo3::pymodule]
mod _elbo {
    #[pymodule_export]
    use super::model::Model;
    #[pymodule_export]
    use super::settings::{keywords, label_use, pieces};
    #[pymodule_export]
    use super::training::train;
}
