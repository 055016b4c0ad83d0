//! A trained model.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use elbo::config::DeviceChoice;
use elbo::{Given as Rows, Result, Trained};
use numpy::{PyArray1, PyArray2, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::about::About;
use crate::arrays::{Given, in_order, matrix, seen};
use crate::errors::exception;

/// A trained model on its device.
///
/// Rows are arrays `[rows, features]`, or of pictures `[rows, height, width, channels]`, in the units of the rows that it was trained on;
/// codes are `[rows, latent]`. `y` holds what a conditional model is told of each row, `[rows, condition]`.
#[pyclass(module = "elbo._elbo", frozen)]
pub struct Model {
    /// What computes: only ever waited for while other threads of Python run.
    trained: Mutex<Trained>,
    about: About,
    /// The device, as it was chosen.
    chosen: DeviceChoice,
    notes: Vec<String>,
}

/// An array `[rows, width]`.
type Matrix<'py> = PyResult<Bound<'py, PyArray2<f32>>>;
/// Numbers that are known of rows.
type Y<'py> = Option<PyReadonlyArrayDyn<'py, f32>>;

impl Model {
    /// A model that was trained or opened on the device that was chosen.
    ///
    /// # Errors
    /// If its settings cannot be told.
    pub fn new(trained: Trained, chosen: DeviceChoice, notes: Vec<String>) -> Result<Model> {
        let about = About::of(&trained)?;
        Ok(Model { trained: Mutex::new(trained), about, chosen, notes })
    }

    /// Something of the model, while other threads of Python run.
    fn ask<T: Send>(&self, py: Python<'_>, what: impl FnOnce(&mut Trained) -> Result<T> + Send) -> PyResult<T> {
        py.detach(|| what(&mut self.trained.lock().unwrap_or_else(PoisonError::into_inner))).map_err(exception)
    }

    /// Something of rows.
    fn of_rows<T: Send>(
        &self,
        py: Python<'_>,
        (x, y): (&Given<'_>, &Y<'_>),
        what: impl FnOnce(&mut Trained, Rows<'_>) -> Result<T> + Send,
    ) -> PyResult<T> {
        let (array, y) = (x.array()?, told(y)?);
        self.ask(py, |trained| {
            let x = seen(&self.about.form, array)?;
            what(trained, Rows::new(&x, &y))
        })
    }

    /// Rows that the model makes, in the units of its data.
    fn rows<'py>(&self, py: Python<'py>, made: impl FnOnce(&mut Trained) -> Result<Vec<f32>> + Send) -> Matrix<'py> {
        let rows = self.ask(py, |trained| self.about.form.schema.in_units(&made(trained)?))?;
        matrix(py, rows, self.about.features())
    }
}

fn told(y: &Y<'_>) -> PyResult<Vec<f32>> {
    y.as_ref().map_or_else(|| Ok(vec![]), in_order)
}

fn device(name: &str) -> PyResult<DeviceChoice> {
    name.parse().map_err(PyValueError::new_err)
}

#[pymethods]
impl Model {
    /// Opens what `save` or the program wrote: a file, or the folder of a run.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf, device: &str) -> PyResult<Model> {
        let choice = self::device(device)?;
        py.detach(|| Model::new(Trained::load(path, &choice)?, choice, vec![])).map_err(exception)
    }

    /// Opens what `to_bytes` gave.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: &[u8], device: &str) -> PyResult<Model> {
        let choice = self::device(device)?;
        py.detach(|| Model::new(Trained::from_bytes(bytes, &choice)?, choice, vec![])).map_err(exception)
    }

    /// Writes the weights and the settings to one file.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        self.ask(py, |trained| trained.save(path))
    }

    /// The bytes of that file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.ask(py, Trained::to_bytes)?))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>, String))> {
        let made = py.get_type::<Model>().getattr("from_bytes")?;
        Ok((made, (self.to_bytes(py)?, self.chosen.to_string())))
    }

    /// Means of the posterior q(z | x) `[rows, latent]`.
    #[pyo3(signature = (x, y=None))]
    fn encode<'py>(&self, py: Python<'py>, x: Given<'py>, y: Y<'py>) -> Matrix<'py> {
        let codes = self.of_rows(py, (&x, &y), |trained, rows| trained.encode(rows))?;
        matrix(py, codes, self.about.latent)
    }

    /// Means and variances of the posterior `[rows, latent]`, and from how many draws they were estimated, where they have no closed form.
    #[pyo3(signature = (x, y, seed))]
    fn code_moments<'py>(
        &self,
        py: Python<'py>,
        x: Given<'py>,
        y: Y<'py>,
        seed: u64,
    ) -> PyResult<(Bound<'py, PyArray2<f32>>, Bound<'py, PyArray2<f32>>, Option<usize>)> {
        let moments = self.of_rows(py, (&x, &y), |trained, rows| trained.code_moments(rows, seed))?;
        let width = self.about.latent;
        Ok((matrix(py, moments.mean, width)?, matrix(py, moments.variance, width)?, moments.draws))
    }

    /// Codes drawn from the posterior `[rows, latent]`.
    #[pyo3(signature = (x, y, seed))]
    fn draw_codes<'py>(&self, py: Python<'py>, x: Given<'py>, y: Y<'py>, seed: u64) -> Matrix<'py> {
        let codes = self.of_rows(py, (&x, &y), |trained, rows| trained.draw_codes(rows, seed))?;
        matrix(py, codes, self.about.latent)
    }

    /// E[x | z] `[rows, features]`.
    #[pyo3(signature = (z, y=None))]
    fn decode<'py>(&self, py: Python<'py>, z: PyReadonlyArrayDyn<'py, f32>, y: Y<'py>) -> Matrix<'py> {
        let (z, y) = (in_order(&z)?, told(&y)?);
        self.rows(py, |trained| trained.decode(Rows::new(&z, &y)))
    }

    /// E[x | z] at the means of the posterior `[rows, features]`.
    #[pyo3(signature = (x, y=None))]
    fn reconstruct<'py>(&self, py: Python<'py>, x: Given<'py>, y: Y<'py>) -> Matrix<'py> {
        let rows = self.of_rows(py, (&x, &y), |trained, rows| trained.reconstruct(rows))?;
        self.rows(py, |_| Ok(rows))
    }

    /// Rows whose NaN are filled in with what is expected of them `[rows, features]`.
    #[pyo3(signature = (x, y, samples, seed))]
    fn impute<'py>(&self, py: Python<'py>, x: Given<'py>, y: Y<'py>, samples: usize, seed: u64) -> Matrix<'py> {
        let rows = self.of_rows(py, (&x, &y), |trained, rows| trained.impute(rows, samples, seed))?;
        self.rows(py, |_| Ok(rows))
    }

    /// q(y | x) `[rows, classes]`.
    fn classify<'py>(&self, py: Python<'py>, x: Given<'py>) -> Matrix<'py> {
        let found = self.of_rows(py, (&x, &None), |trained, rows| trained.classify(rows.x))?;
        matrix(py, found, self.about.form.condition)
    }

    /// The negative ELBO of each row in nats `[rows]`.
    #[pyo3(signature = (x, y, seed))]
    fn score<'py>(&self, py: Python<'py>, x: Given<'py>, y: Y<'py>, seed: u64) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let found = self.of_rows(py, (&x, &y), |trained, rows| trained.score(rows, seed))?;
        Ok(PyArray1::from_vec(py, found))
    }

    /// −ln p(x_j | z) of each value in nats `[rows, features]`.
    #[pyo3(signature = (x, y, seed))]
    fn score_features<'py>(&self, py: Python<'py>, x: Given<'py>, y: Y<'py>, seed: u64) -> Matrix<'py> {
        let found = self.of_rows(py, (&x, &y), |trained, rows| trained.score_features(rows, seed))?;
        matrix(py, found, self.about.features())
    }

    /// ln p(x) of each row by importance sampling, and its standard error `[rows, 2]`.
    #[pyo3(signature = (x, y, samples, seed))]
    fn log_likelihood<'py>(
        &self,
        py: Python<'py>,
        x: Given<'py>,
        y: Y<'py>,
        samples: usize,
        seed: u64,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let found = self.of_rows(py, (&x, &y), |trained, rows| trained.log_likelihood(rows, samples, seed))?;
        let each = found.iter().flat_map(|row| [row.log_likelihood, row.standard_error.unwrap_or(f64::NAN)]);
        PyArray1::from_iter(py, each).reshape([found.len(), 2])
    }

    /// New rows `[count, features]`: E[x | z] for codes drawn from the prior.
    #[pyo3(signature = (count, y, seed))]
    fn sample<'py>(&self, py: Python<'py>, count: usize, y: Y<'py>, seed: u64) -> Matrix<'py> {
        let y = y.map(|y| in_order(&y)).transpose()?;
        self.rows(py, |trained| match y {
            Some(y) => trained.sample_given(&y, seed),
            None => trained.sample(count, seed),
        })
    }

    /// All parameters by name.
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Vec<(String, Bound<'py, PyArrayDyn<f32>>)>> {
        let found = self.ask(py, Trained::weights)?.into_iter();
        found.map(|(name, shape, values)| Ok((name, PyArray1::from_vec(py, values).reshape(shape)?))).collect()
    }

    /// Numbers of a code.
    #[getter]
    fn latent(&self) -> usize {
        self.about.latent
    }

    /// The sides of a row: its width, or height, width and channels.
    #[getter]
    fn sides(&self) -> Vec<usize> {
        self.about.form.shape().sides()
    }

    /// Numbers that were trained.
    #[getter]
    fn parameters(&self) -> usize {
        self.about.parameters
    }

    /// The device, for people.
    #[getter]
    fn device(&self) -> &str {
        &self.about.device
    }

    /// Numbers that the model is told of every row.
    #[getter]
    fn condition(&self) -> usize {
        self.about.form.condition
    }

    /// The names of the classes that they stand for; none where they stand for no classes.
    #[getter]
    fn classes(&self) -> Vec<String> {
        self.about.form.classes.clone()
    }

    /// The names of columns, where rows are lines of a table.
    #[getter]
    fn columns(&self) -> Option<Vec<String>> {
        let schema = &self.about.form.schema;
        schema.is_table().then(|| schema.inputs().map(|field| field.name.clone()).collect())
    }

    /// Whether a NaN stands for a value that was not observed.
    #[getter]
    fn takes_gaps(&self) -> bool {
        self.about.takes_gaps
    }

    /// The settings that are not as the preset has them, as JSON.
    #[getter]
    fn settings(&self) -> &str {
        &self.about.settings
    }

    /// What was decided of the rows because nobody had, a sentence each.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }
}
