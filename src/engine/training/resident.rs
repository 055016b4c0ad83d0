//! A data set on a device, as programs read it: its values, and what is known of its rows besides.

use std::collections::HashMap;
use std::sync::Arc;

use crate::corruption::Corruption;
use crate::data::{Dataset, PackingKind, Values, Weights};
use crate::error::{Error, Result};
use crate::graph::{Graph, Tensor};
use crate::kernels::{Augment, Augmented, Order, Packing};
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
    /// What its rows weigh, where they do not all count alike.
    pub weights: Option<DataSpec>,
}

/// How rows are seen in training, perhaps otherwise than they are.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Whether grey values are drawn as black or white.
    pub binarise: bool,
    /// How pictures are changed, and their height, width and channels, if they are.
    pub augment: Option<(Augment, [usize; 3])>,
    /// How what encoders are shown is corrupted, if it is.
    pub corruption: Option<Arc<dyn Corruption>>,
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
        let weights = data.weights.as_ref().map(|found| spec(1, found.values())).transpose()?;
        let stored = |spec: DataSpec| format!("{}{:?}", spec.features, spec.packing).to_lowercase();
        let known = conditions.map_or(String::new(), |spec| format!("+{}", stored(spec)));
        let gaps = if observed.is_some() { "+gaps" } else { "" };
        let weighed = if weights.is_some() { "+weights" } else { "" };
        let window = if values.window < values.count { format!("+by{}", values.window) } else { String::new() };
        Ok(Resident {
            name: format!("{}.{}{known}{gaps}{weighed}{window}", name.into(), stored(values)),
            values,
            conditions,
            observed,
            weights,
        })
    }

    /// Whether it comes window by window.
    pub fn streams(&self) -> bool {
        self.values.window < self.values.count
    }

    /// What is known of its rows, where a model is given that: the name, and how it lies.
    fn conditions(&self) -> Option<(String, DataSpec)> {
        self.conditions.map(|spec| (format!("{}.conditions", self.name), spec))
    }

    /// What of it was observed, where not all was: the name, and how it lies.
    fn observed(&self) -> Option<(String, DataSpec)> {
        self.observed.map(|spec| (format!("{}.observed", self.name), spec))
    }

    /// What its rows weigh, where they do not all count alike: the name, and how it lies.
    fn weights(&self) -> Option<(String, DataSpec)> {
        self.weights.map(|spec| (format!("{}.weights", self.name), spec))
    }

    /// What programs that read it are told.
    pub fn specs(&self) -> impl Iterator<Item = (String, DataSpec)> {
        let values = [(self.name.clone(), self.values)].into_iter();
        values.chain(self.conditions()).chain(self.observed()).chain(self.weights())
    }

    /// All that is kept of its rows, with its values in a data set: those of [`Resident::specs`].
    pub(super) fn parts<'d>(&self, data: &'d Dataset) -> impl Iterator<Item = (String, DataSpec, &'d Values)> {
        let all = [
            (Some((self.name.clone(), self.values)), Some(&data.values)),
            (self.conditions(), data.conditions.as_ref().map(|found| &found.values)),
            (self.observed(), data.observed.as_ref()),
            (self.weights(), data.weights.as_ref().map(Weights::values)),
        ];
        all.into_iter()
            .filter_map(|(named, values)| named.zip(values))
            .map(|((name, spec), values)| (name, spec, values))
    }

    /// By how much each of so many rows counts in a mean over the live ones `[rows, 1]`: [`Graph::row_weights`], by its weight where
    /// rows are weighed. A batch is divided by its number of rows, and not by the sum of its weights, which are 1 on average over the
    /// data set: so a row counts the same in whatever batch it comes.
    pub fn row_weights<'g>(&self, graph: &'g Graph, rows: usize, order: Order) -> Tensor<'g> {
        let even = graph.row_weights(rows);
        self.weights().map_or(even, |(name, _)| even * graph.batch(&name, rows, 1, order, None))
    }

    /// So many rows of it, as they are to be seen; what was not observed stays 0 where rows are corrupted. Where pictures are changed, what says which of their values were observed is changed
    /// alike; what comes in from outside a picture counts as not observed then.
    pub fn rows<'g>(&self, graph: &'g Graph, rows: usize, order: Order, seen: &Seen) -> Rows<'g> {
        let augment = seen.augment.map(|(how, shape)| Augmented { shape, how, stream: graph.stream() });
        let binarise = seen.binarise.then(|| graph.stream());
        let pixels = |name: &str, features, binarise| match augment {
            Some(augment) => graph.batch_of_changed(name, rows, augment, order, binarise),
            None => graph.batch(name, rows, features, order, binarise),
        };
        let x = pixels(&self.name, self.values.features, binarise);
        let y = self.conditions().map(|(name, spec)| graph.batch(&name, rows, spec.features, order, None));
        let observed = self.observed().map(|(name, spec)| pixels(&name, spec.features, None));
        let shown = seen.corruption.as_ref().map(|way| {
            let shown = way.corrupt(x);
            observed.map_or(shown, |observed| shown * observed)
        });
        Rows { y, observed, shown, ..x.into() }
    }

    /// Writes what loaded programs read of it and is not there yet.
    pub(super) fn upload(&self, executor: &mut dyn Executor, data: &Dataset, written: &mut Written) -> Result<()> {
        for (name, spec, values) in self.parts(data) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corruption::corruption_of;
    use crate::data::{Schema, Shape};
    use crate::graph::eval::{Values, evaluate};

    #[test]
    fn what_was_not_observed_is_not_corrupted() {
        let spec = DataSpec::whole(50, 4, Packing::Floats);
        let data =
            Resident { name: "some".into(), values: spec, conditions: None, observed: Some(spec), weights: None };
        let schema: Schema = Shape::vector(4).into();
        let corruption = Some(corruption_of(&"gaussian:sigma=2".parse().unwrap(), &schema).unwrap());
        let graph = Graph::new();
        let rows = data.rows(&graph, 50, Order::Sequential, &Seen { corruption, ..Seen::default() });
        let mut values = Values::default();
        let observed: Vec<f64> = (0..200).map(|i| f64::from(i % 3 != 0)).collect();
        values.tensors.insert("some".into(), observed.iter().map(|seen| 7.0 * seen).collect());
        values.tensors.insert("some.observed".into(), observed.clone());
        let found = evaluate(&values, &[rows.x, rows.input()]);
        for (i, seen) in observed.iter().enumerate() {
            assert_eq!(found[0][i], 7.0 * seen, "what is compared with is as it was");
            assert_eq!(found[1][i] == found[0][i], *seen == 0.0, "{i}: {}", found[1][i]);
        }
    }
}
