//! A data set on a device, as programs read it: its values, and what is known of its rows besides.

use std::collections::HashMap;

use crate::data::{Dataset, PackingKind, Values};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::kernels::{Order, Packing};
use crate::models::Rows;
use crate::program::{DataSpec, Executor};

/// A data set under a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Resident {
    /// The name of its values, which their buffers are called by.
    pub name: String,
    /// Its values.
    pub values: DataSpec,
    /// What is known of its rows, where a model is given that.
    pub conditions: Option<DataSpec>,
    /// Which of its values were observed, where not all were.
    pub observed: Option<DataSpec>,
}

/// What was written into buffers of data, by their names: a number that tells it from anything else.
pub(super) type Written = HashMap<String, u128>;

impl Resident {
    /// A data set as a model with this many values of condition (0 for none) reads it, in buffers of so many bytes at most. Its name
    /// tells how it is stored, so that no program reads bits as bytes: another set under the same name is another buffer, unless it
    /// is stored likewise.
    ///
    /// # Errors
    /// If a single row is larger than a buffer.
    pub fn new(name: impl Into<String>, data: &Dataset, condition: usize, largest_buffer: u64) -> Result<Resident> {
        let spec = |width: usize, values: &Values| spec(data, width, values, largest_buffer);
        let features = data.shape().features();
        let values = spec(features, &data.values)?;
        let conditions = data.conditions.as_ref().filter(|_| condition > 0);
        let conditions = conditions.map(|found| spec(found.width, &found.values)).transpose()?;
        let observed = data.observed.as_ref().map(|found| spec(features, found)).transpose()?;
        let stored = |spec: DataSpec| format!("{}{:?}", spec.features, spec.packing).to_lowercase();
        let known = conditions.map_or(String::new(), |spec| format!("+{}", stored(spec)));
        let gaps = if observed.is_some() { "+gaps" } else { "" };
        let window = if values.window < values.count { format!("+by{}", values.window) } else { String::new() };
        Ok(Resident {
            name: format!("{}.{}{known}{gaps}{window}", name.into(), stored(values)),
            values,
            conditions,
            observed,
        })
    }

    /// Whether it comes window by window.
    pub fn streams(&self) -> bool {
        self.values.window < self.values.count
    }

    /// What is known of its rows, where a model is given that: the name, and how it lies.
    pub(super) fn conditions(&self) -> Option<(String, DataSpec)> {
        self.conditions.map(|spec| (format!("{}.conditions", self.name), spec))
    }

    /// What of it was observed, where not all was: the name, and how it lies.
    pub(super) fn observed(&self) -> Option<(String, DataSpec)> {
        self.observed.map(|spec| (format!("{}.observed", self.name), spec))
    }

    /// What programs that read it are told.
    pub fn specs(&self) -> impl Iterator<Item = (String, DataSpec)> {
        [(self.name.clone(), self.values)].into_iter().chain(self.conditions()).chain(self.observed())
    }

    /// So many rows of it; grey values are drawn as black or white if they are to be binarised.
    pub fn rows<'g>(&self, graph: &'g Graph, rows: usize, order: Order, binarise: bool) -> Rows<'g> {
        let binarise = binarise.then(|| graph.stream());
        let x = graph.batch(&self.name, rows, self.values.features, order, binarise);
        let beside = |(name, spec): (String, DataSpec)| graph.batch(&name, rows, spec.features, order, None);
        Rows { x, y: self.conditions().map(beside), observed: self.observed().map(beside) }
    }

    /// Writes what loaded programs read of it and is not there yet.
    pub(super) fn upload(&self, executor: &mut dyn Executor, data: &Dataset, written: &mut Written) -> Result<()> {
        let values = [Some(&data.values), data.conditions.as_ref().map(|found| &found.values), data.observed.as_ref()];
        let named = [Some((self.name.clone(), self.values)), self.conditions(), self.observed()];
        for ((name, spec), values) in named.into_iter().zip(values).filter_map(|(named, values)| named.zip(values)) {
            let print = values.fingerprint();
            for (buffer, rows) in spec.buffers(&name) {
                if executor.words(&buffer).is_some() && (print.is_none() || written.get(&buffer).copied() != print) {
                    executor.write(&buffer, &values.words(rows, spec.features)?)?;
                    match print {
                        Some(print) => written.insert(buffer, print),
                        None => written.remove(&buffer),
                    };
                }
            }
        }
        Ok(())
    }
}

fn spec(data: &Dataset, features: usize, values: &Values, largest_buffer: u64) -> Result<DataSpec> {
    let packing = match values.kind() {
        PackingKind::Bits => Packing::Bits,
        PackingKind::Bytes => Packing::Bytes,
        PackingKind::Floats => Packing::Floats,
    };
    let spec = DataSpec { window: data.window(), ..DataSpec::whole(data.rows, features, packing) };
    let fit = largest_buffer / (4 * spec.row_words().max(1) as u64);
    if fit == 0 {
        return Err(Error::Device(format!(
            "a row of the data {} takes {} bytes, and the device has buffers of at most {largest_buffer}: choose the `device` cpu",
            data.name,
            4 * spec.row_words()
        )));
    }
    Ok(DataSpec { buffer: spec.held().min(usize::try_from(fit).unwrap_or(usize::MAX)), ..spec })
}
