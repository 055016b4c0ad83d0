//! Arrays of NumPy to rows of the library, and back.

use elbo::apps::Form;
use elbo::data::{Array, Conditions, Numbers, Shape, Values};
use elbo::{Error, Result};
use numpy::{PyArray1, PyArray2, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;

/// An array of numbers, of any strides.
#[derive(FromPyObject)]
pub enum Given<'py> {
    /// Levels, such as those of pixels.
    Bytes(PyReadonlyArrayDyn<'py, u8>),
    /// Any numbers; NaN where one was not observed.
    Floats(PyReadonlyArrayDyn<'py, f32>),
}

impl Given<'_> {
    /// As the library takes it: row by row.
    pub fn array(&self) -> PyResult<Array> {
        Ok(match self {
            Given::Bytes(bytes) => Array::new("X", bytes.shape(), Numbers::Bytes(in_order(bytes)?)),
            Given::Floats(floats) => Array::new("X", floats.shape(), Numbers::Floats(in_order(floats)?)),
        })
    }
}

/// The values of an array, its last axis varying fastest.
///
/// # Errors
/// If there is no memory for them.
pub fn in_order<T: numpy::Element + Copy>(array: &PyReadonlyArrayDyn<'_, T>) -> PyResult<Vec<T>> {
    // What is contiguous may yet lie column by column, or where no number of its type may: parts of packed records and of files do.
    if array.is_c_contiguous() && array.getattr("flags")?.getattr("aligned")?.is_truthy()? {
        return Ok(array.as_slice()?.to_vec());
    }
    let copy = array.call_method1("copy", ("C",))?.cast_into::<PyArrayDyn<T>>()?;
    Ok(copy.to_vec()?)
}

/// Numbers `[rows, width]` that a model is told of rows.
///
/// # Errors
/// As for [`in_order`].
pub fn conditions(values: &PyReadonlyArrayDyn<'_, f32>) -> PyResult<Conditions> {
    let width = values.shape().iter().skip(1).product();
    Ok(Conditions { values: Values::Floats(in_order(values)?), width, classes: vec![] })
}

/// Rows in the units of the data as the model is given them `[rows, features]`.
///
/// # Errors
/// If they are rows of another shape than the model was trained on, or hold what such rows cannot.
pub fn seen(form: &Form, array: Array) -> Result<Vec<f32>> {
    let (numbers, found) = array.plain()?;
    let wanted = form.shape();
    // Pictures may come flat.
    if found != wanted && found != Shape::vector(wanted.features()) {
        return Err(Error::Invalid(format!("X has rows of {found}, and the model was trained on rows of {wanted}")));
    }
    form.schema.seen(&numbers)
}

/// Values `[rows, width]` as an array.
pub fn matrix<'py>(py: Python<'py>, values: Vec<f32>, width: usize) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let rows = values.len() / width.max(1);
    PyArray1::from_vec(py, values).reshape([rows, width])
}
