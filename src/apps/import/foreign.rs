//! Tensors of another program, in a safetensors file.

use std::path::Path;

use half::{bf16, f16};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use crate::error::{Error, Result};
use crate::files::read_own;
use crate::training::checkpoint::MAX_BYTES;

/// A tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Foreign {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its numbers; nothing where these are no floats.
    pub numbers: Option<Vec<f32>>,
}

/// Reads all tensors of a file, by name.
///
/// # Errors
/// If it cannot be read, or is no safetensors file.
pub fn read(path: &Path) -> Result<Vec<Foreign>> {
    let bytes = read_own(path, "a file of weights", MAX_BYTES)?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| {
        Error::malformed(
            path,
            format!("this is no safetensors file ({error}): write one with safetensors.torch.save_file"),
        )
    })?;
    let mut all: Vec<Foreign> = tensors
        .iter()
        .map(|(name, view)| Foreign { name: name.to_string(), shape: view.shape().to_vec(), numbers: numbers(&view) })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// Numbers as 32-bit floats.
fn numbers(view: &TensorView) -> Option<Vec<f32>> {
    fn each<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        bytes.as_chunks::<N>().0.iter().map(|chunk| number(*chunk)).collect()
    }
    let bytes = view.data();
    match view.dtype() {
        Dtype::F32 => Some(each(bytes, f32::from_le_bytes)),
        Dtype::F64 => Some(each(bytes, |chunk| f64::from_le_bytes(chunk) as f32)),
        Dtype::F16 => Some(each(bytes, |chunk| f16::from_le_bytes(chunk).to_f32())),
        Dtype::BF16 => Some(each(bytes, |chunk| bf16::from_le_bytes(chunk).to_f32())),
        _ => None,
    }
}
