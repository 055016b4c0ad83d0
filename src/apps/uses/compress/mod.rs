//! Rows without loss in fewer bits: bits-back coding with a VAE (Townsend, Bird & Barber 2019), or indices and values with a model of
//! quantised codes.
//!
//! A row x costs −ln p(x | z) − ln p(z) for its code z. Where z is drawn from q(z | x), the choice gives ln q(z | x) back, as it is made by
//! popping bits that are there already: on average −ELBO ([`bits_back`]). Where z is certain, there is nothing to give back, and that is
//! −ELBO as well ([`indices`]). What is pushed and popped is in [`crate::coding`], the order of a row in [`steps`], that of rows in [`lanes`], the
//! file in [`packed`] and [`container`]. Networks are computed in the exact mode, since one bit that differs spoils all that follows.

mod bits_back;
mod container;
mod files;
mod indices;
mod lanes;
mod model;
mod packed;
mod rows;
mod steps;

use std::io::{Read, Write};

use serde::Serialize;

use super::parts::say;
use crate::apps::Saved;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::models::CodedAs;
use crate::training::Session;
pub use container::Reader;
use container::{Head, Writer};
pub use files::{Beside, beside, compress_to, decompress_to};
use model::{embedded, fingerprints};
use packed::Packed;
use rows::Levels;
pub use rows::Plain;
use steps::Plan;

/// Rows of a chunk, which is read alone; fewer where rows are large.
const CHUNK: usize = 8192;
/// Values of a chunk at most.
const CHUNK_VALUES: usize = 1 << 26;

/// What was compressed or decompressed.
#[derive(Clone, Debug, Serialize)]
pub struct Compressed {
    /// Rows.
    pub rows: usize,
    /// Values of a row.
    pub features: usize,
    /// Bytes of the file, without the model where that lies in it.
    pub bytes: u64,
    /// Bytes of the model in the file.
    pub model_bytes: u64,
    /// Bits of a value: 8·bytes/(rows·features).
    pub bits_per_dimension: f64,
    /// What it would have been without the bits that chunks begin with.
    pub initial_bits: u64,
}

impl Compressed {
    fn of(rows: usize, features: usize, [bytes, model_bytes]: [u64; 2], initial_bits: u64) -> Compressed {
        let bits_per_dimension = 8.0 * bytes as f64 / (rows * features).max(1) as f64;
        Compressed { rows, features, bytes, model_bytes, bits_per_dimension, initial_bits }
    }
}

/// How the rows of a model are coded.
enum Coding {
    /// With codes that are real numbers.
    Numbers(Plan),
    /// With codes that are indices.
    Indices,
}

impl Coding {
    /// That of a model.
    ///
    /// # Errors
    /// If the model cannot compress, or the device fails.
    fn of(session: &mut Session) -> Result<Coding> {
        match session.model.can().compress()?.coded_as() {
            CodedAs::Numbers(_) => Plan::of(session).map(Coding::Numbers),
            CodedAs::Indices(_) => Ok(Coding::Indices),
        }
    }

    /// Packs levels `[rows, features]`.
    ///
    /// # Errors
    /// If the device fails, or the model's numbers are none.
    fn pack(&self, session: &mut Session, levels: &[u16]) -> Result<Packed> {
        match self {
            Coding::Numbers(plan) => bits_back::pack(session, plan, levels),
            Coding::Indices => indices::pack(session, levels),
        }
    }

    /// The levels `[rows, features]` that were packed.
    ///
    /// # Errors
    /// If they were packed by another model or on other numbers, or the device fails.
    fn unpack(&self, session: &mut Session, packed: Packed, rows: usize) -> Result<Vec<u16>> {
        match self {
            Coding::Numbers(plan) => bits_back::unpack(session, plan, packed, rows),
            Coding::Indices => indices::unpack(session, packed, rows),
        }
    }
}

impl Saved {
    /// Writes rows so that [`Saved::decompress`] gives them back bit by bit, chunk by chunk. `with_model` puts the model into the file.
    ///
    /// # Errors
    /// If the model cannot compress, the rows do not fit it or hold a value that its likelihood knows no level for, or if it cannot be
    /// written.
    pub fn compress(&mut self, data: &Dataset, with_model: bool, to: &mut dyn Write) -> Result<Compressed> {
        self.session.model.can().compress()?;
        let levels = Levels::of(self, data)?;
        let model = if with_model { model::bytes(self)? } else { vec![] };
        let head = Head::new(fingerprints(self)?.swap_remove(0), data, self.form.shape(), levels.count, model.len());
        let mut writer = Writer::begin(to, &head, &model)?;
        let coding = Coding::of(&mut self.session)?;
        let chunk = CHUNK.min(CHUNK_VALUES / data.shape().features()).max(1);
        let mut initial = 0;
        for start in (0..data.rows).step_by(chunk) {
            say("compressing", start, data.rows);
            let rows = start..data.rows.min(start + chunk);
            let values = levels.read(data, rows.clone())?;
            let packed = coding.pack(&mut self.session, &values)?;
            initial += packed.lent_bits();
            writer.chunk(rows.len(), &packed.to_bytes())?;
        }
        say("compressing", data.rows, data.rows);
        let written = writer.finish()?;
        let sizes = [written - model.len() as u64, model.len() as u64];
        Ok(Compressed::of(data.rows, data.shape().features(), sizes, initial))
    }

    /// Gives the rows of what [`Saved::compress`] wrote to `to`, chunk by chunk, first what they look like.
    ///
    /// # Errors
    /// If it is another file, of another model or version, damaged or cut off; or what `to` says.
    pub fn decompress(
        &mut self,
        reader: Reader<impl Read>,
        mut to: impl FnMut(&Plain, &[u16]) -> Result<()>,
    ) -> Result<Compressed> {
        self.session.model.can().compress()?;
        let mut reader = reader;
        let own = fingerprints(self)?;
        if !own.contains(&reader.head.model) {
            return Err(Error::invalid(format!(
                "the rows were compressed with another model ({}…) than this one ({}…): give the run that they were compressed \
                 with",
                &reader.head.model[..12],
                &own[0][..12]
            )));
        }
        let plain = reader.head.plain()?;
        let features = plain.shape.features();
        let levels = self.session.model.can().compress()?.values().levels();
        if features != self.session.model.features() || plain.levels != levels {
            return Err(Error::invalid("the file is damaged: its rows are not those of the model that it names"));
        }
        let coding = Coding::of(&mut self.session)?;
        let (mut done, mut initial) = (0, 0);
        while let Some((rows, bytes)) = reader.chunk(features)? {
            say("decompressing", done, plain.rows);
            let packed = Packed::from_bytes(&bytes, rows)?;
            initial += packed.lent_bits();
            let values = coding.unpack(&mut self.session, packed, rows)?;
            to(&plain, &values)?;
            done += rows;
        }
        say("decompressing", plain.rows, plain.rows);
        if done != plain.rows {
            return Err(Error::invalid(format!("the file ends early: it has {done} of its {} rows", plain.rows)));
        }
        let sizes = [reader.bytes - reader.head.model_bytes as u64, reader.head.model_bytes as u64];
        Ok(Compressed::of(done, features, sizes, initial))
    }
}

#[cfg(test)]
mod tests;
