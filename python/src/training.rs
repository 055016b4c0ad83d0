//! Training a model on an array.

use std::ops::ControlFlow;
use std::sync::Mutex;

use elbo::data::{Labels, Weights};
use elbo::{Epoch, Settled, Training};
use numpy::PyReadonlyArrayDyn;
use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use serde_json::json;

use crate::arrays::{Given, conditions, in_order};
use crate::errors::exception;
use crate::model::Model;
use crate::settings::{Value, layer};

/// What is known of rows besides.
#[derive(FromPyObject)]
pub enum Known<'py> {
    /// The place of each row's class among the classes, and their names.
    Labels(Vec<u32>, Vec<String>),
    /// Numbers `[rows, width]`.
    Numbers(PyReadonlyArrayDyn<'py, f32>),
}

/// Trains a model on the rows of `x`, and gives it; with the exception that ended the training early, such as the `KeyboardInterrupt` of
/// Ctrl-C, where one did. `on_epoch` is given the record of each epoch as JSON, and ends the training with a truth.
#[pyfunction]
#[pyo3(signature = (x, settings, known=None, weights=None, on_epoch=None))]
pub fn train(
    py: Python<'_>,
    x: Given<'_>,
    settings: Vec<(String, Value)>,
    known: Option<Known<'_>>,
    weights: Option<PyReadonlyArrayDyn<'_, f64>>,
    on_epoch: Option<Py<PyAny>>,
) -> PyResult<(Model, Option<Py<PyBaseException>>)> {
    let given = layer(settings).map_err(exception)?;
    let mut array = x.array()?;
    match known {
        Some(Known::Labels(values, names)) => {
            array.labels = Some(Labels { values, classes: names.len(), names });
        }
        Some(Known::Numbers(values)) => array.conditions = Some(conditions(&values)?),
        None => {}
    }
    if let Some(weights) = weights {
        array.weights = Some(Weights::new(&in_order(&weights)?).map_err(exception)?);
    }
    let raised: Mutex<Option<PyErr>> = Mutex::new(None);
    // Ends the training where Python raises.
    let ends = |found: PyResult<bool>| {
        found.unwrap_or_else(|error| {
            raised.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(error);
            true
        })
    };
    let trained = py.detach(|| {
        let Settled { config, rows, notes, .. } = Settled::new(array, &given)?;
        let mut training = Training::new(&rows.train, &config);
        if let Some(held_out) = &rows.validation {
            training = training.validation(held_out);
        }
        let epochs = config.training.epochs;
        let told = |record: String, look: &Py<PyAny>| {
            let found = Python::attach(|py| look.bind(py).call1((record,))?.is_truthy());
            if ends(found) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let interrupted = || ends(Python::attach(|py| py.check_signals().map(|()| false)));
        let training = training.until(interrupted).on_epoch(|epoch| {
            let Epoch { train, validation, is_best, .. } = epoch;
            let record = json!({
                "epoch": train.epoch, "epochs": epochs, "is_best": is_best, "train": train, "validation": validation,
            });
            on_epoch.as_ref().map_or(ControlFlow::Continue(()), |look| told(record.to_string(), look))
        });
        let trained = training.run()?;
        let chosen = trained.config().device.device.clone();
        Model::new(trained, chosen, notes)
    });
    let raised = raised.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    match (trained, raised) {
        (Ok(model), raised) => Ok((model, raised.map(|error| error.into_value(py)))),
        // Whoever stops is told that, and not what came of it.
        (Err(_), Some(raised)) => Err(raised),
        (Err(error), None) => Err(exception(error)),
    }
}
