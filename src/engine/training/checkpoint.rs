//! Checkpoints: named `f32` tensors and a few words about them, in one safetensors file.
//!
//! ```text
//! [0, 8)        n, the length of the header in bytes, little-endian u64
//! [8, 8 + n)    the header: JSON, padded with spaces to a multiple of 8
//! [8 + n, end)  the values, little-endian, tensor after tensor without a gap
//! ```
//!
//! The format is that of <https://github.com/huggingface/safetensors>, so other tools can read a checkpoint too. A file is
//! replaced atomically, holds the same bytes for the same contents, and gives back every bit, those of NaNs included.
//!
//! A file on a disk may be anything. Nothing it claims is believed before it is held against the file's real length, so
//! no file makes [`Checkpoint::load`] take more memory than a small multiple of its own size.

mod header;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{Read, Write};
use std::path::Path;
use std::str::FromStr;

use safetensors::tensor::{Dtype, TensorInfo};

use crate::error::{Error, Result};
use crate::files::{open_own, write_own};
use crate::memory::asking;
use header::{Header, shown};

/// The most bytes a checkpoint may have; larger files are more likely a slip than a model of this crate.
pub const MAX_BYTES: u64 = 16 << 30;

/// A tensor's name, its shape and its values in row-major order.
pub type NamedTensor = (String, Vec<usize>, Vec<f32>);

/// Everything a checkpoint file holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checkpoint {
    /// The tensors, in the order of the file. Names are unique.
    pub tensors: Vec<NamedTensor>,
    /// What else must be known to go on: step, seed, version…
    pub metadata: BTreeMap<String, String>,
}

impl Checkpoint {
    /// Writes the file, or replaces it, all at once.
    ///
    /// # Errors
    /// When two tensors have one name or a name is reserved by the format, when a shape and the number of values differ,
    /// or when the file cannot be written; an older file is then left as it was.
    pub fn save(&self, path: &Path) -> Result<()> {
        let header = self.header(&format!("the checkpoint {}", path.display()))?;
        write_own(path, |out| self.write(&header, out))
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// As for [`Checkpoint::save`], but for writing.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let (mut bytes, header) = (Vec::new(), self.header("the checkpoint")?);
        self.write(&header, &mut bytes).map_err(Error::invalid)?;
        Ok(bytes)
    }

    /// The header, as it is written; `what` is the checkpoint, for messages.
    fn header(&self, what: &str) -> Result<Vec<u8>> {
        let mut tensors = Vec::with_capacity(self.tensors.len());
        let mut offset = 0;
        for (name, shape, values) in &self.tensors {
            if shape.iter().try_fold(1, |n: usize, &size| n.checked_mul(size)) != Some(values.len()) {
                return Err(Error::invalid(format!(
                    "{what} was not written: tensor {} has shape {shape:?} and {} values",
                    shown(name),
                    values.len()
                )));
            }
            let data_offsets = (offset, offset + size_of_val(values.as_slice()));
            offset = data_offsets.1;
            tensors.push((name.clone(), TensorInfo { dtype: Dtype::F32, shape: shape.clone(), data_offsets }));
        }
        let header = Header { metadata: self.metadata.clone(), tensors };
        header.to_bytes().map_err(|why| Error::invalid(format!("{what} was not written: {why}")))
    }

    fn write(&self, header: &[u8], out: &mut dyn Write) -> std::io::Result<()> {
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(header)?;
        self.tensors.iter().try_for_each(|(_, _, values)| write_values(out, values))
    }

    /// Reads a file whole.
    ///
    /// # Errors
    /// When there is no such file, when it is a folder or a device, when it is no safetensors file, is damaged or
    /// contradicts itself, holds other values than `f32`, or does not fit into memory.
    pub fn load(path: &Path) -> Result<Self> {
        let (mut file, length) = open_own(path, "a checkpoint", MAX_BYTES)?;
        let header = header::read(&mut file, length).map_err(|why| {
            Error::malformed(path, format!("this is not a usable checkpoint: {why}. Choose another checkpoint"))
        })?;
        Checkpoint::behind(header, &mut file).map_err(Error::io("read", path))
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// As for [`Checkpoint::load`].
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self> {
        let wrong = |why: String| Error::invalid(format!("these bytes are not a usable checkpoint: {why}"));
        let length = bytes.len() as u64;
        let header = header::read(&mut bytes, length).map_err(wrong)?;
        Checkpoint::behind(header, &mut bytes).map_err(|error| wrong(error.to_string()))
    }

    /// Reads the values behind a header.
    fn behind(Header { metadata, tensors }: Header, file: &mut impl Read) -> std::io::Result<Self> {
        let mut loaded = Vec::with_capacity(tensors.len());
        for (name, info) in tensors {
            let count = (info.data_offsets.1 - info.data_offsets.0) / size_of::<f32>();
            loaded.push((name, info.shape, read_values(file, count)?));
        }
        Ok(Self { tensors: loaded, metadata })
    }

    /// The shape and the values of a tensor.
    pub fn tensor(&self, name: &str) -> Option<(&[usize], &[f32])> {
        let found = self.tensors.iter().find(|(candidate, ..)| candidate == name);
        found.map(|(_, shape, values)| (shape.as_slice(), values.as_slice()))
    }

    /// The values of a tensor that must be there, in the given shape.
    ///
    /// # Errors
    /// When it is missing or has another shape: the checkpoint is of another model.
    pub fn values(&self, name: &str, shape: &[usize]) -> Result<&[f32]> {
        match self.tensor(name) {
            Some((found, values)) if found == shape => Ok(values),
            Some((found, _)) => Err(Error::invalid(format!(
                "the checkpoint is of another model: its tensor {} has shape {found:?}, and {shape:?} was expected. \
                 Use the settings it was trained with",
                shown(name)
            ))),
            None => Err(Error::invalid(format!(
                "the checkpoint is of another model: it has no tensor {} (shape {shape:?}). Use the settings it was \
                 trained with",
                shown(name)
            ))),
        }
    }

    /// A piece of metadata that must be there.
    ///
    /// # Errors
    /// When it is missing.
    pub fn metadata_str(&self, key: &str) -> Result<&str> {
        self.metadata.get(key).map(String::as_str).ok_or_else(|| {
            Error::invalid(format!("the checkpoint does not say its `{key}`: it was not written by elbo, or not whole"))
        })
    }

    /// A whole number from the metadata.
    ///
    /// # Errors
    /// When it is missing or not a whole number.
    pub fn metadata_u64(&self, key: &str) -> Result<u64> {
        self.metadata_number(key, "a whole number")
    }

    /// A number from the metadata. What `to_string` wrote comes back bit by bit, except for the bits of a NaN.
    ///
    /// # Errors
    /// When it is missing or not a number.
    pub fn metadata_f64(&self, key: &str) -> Result<f64> {
        self.metadata_number(key, "a number")
    }

    /// Puts a piece of metadata in, in place of an older one.
    pub fn set_metadata(&mut self, key: &str, value: impl Display) {
        self.metadata.insert(key.to_owned(), value.to_string());
    }

    fn metadata_number<T: FromStr>(&self, key: &str, expected: &str) -> Result<T> {
        let text = self.metadata_str(key)?;
        text.parse().map_err(|_| {
            Error::invalid(format!("the checkpoint says {} as its `{key}`, and {expected} was expected", shown(text)))
        })
    }
}

/// Values go through their bits: no float operation may touch a NaN.
fn write_values(out: &mut dyn Write, values: &[f32]) -> std::io::Result<()> {
    let mut bytes = Vec::with_capacity(4 << 14);
    for chunk in values.chunks(1 << 14) {
        bytes.clear();
        bytes.extend(chunk.iter().flat_map(|value| value.to_bits().to_le_bytes()));
        out.write_all(&bytes)?;
    }
    Ok(())
}

fn read_values(file: &mut impl Read, count: usize) -> std::io::Result<Vec<f32>> {
    let mut values: Vec<f32> = Vec::new();
    asking(|| values.try_reserve_exact(count))?;
    values.resize(count, 0.0);
    file.read_exact(bytemuck::cast_slice_mut(&mut values))?;
    for word in bytemuck::cast_slice_mut::<f32, u32>(&mut values) {
        *word = u32::from_le(*word);
    }
    Ok(values)
}
