//! A data set on a device, as programs read it: its values, and what is known of its rows besides.

use crate::data::{Dataset, PackingKind, Values};
use crate::error::Result;
use crate::graph::Graph;
use crate::kernels::{Order, Packing};
use crate::models::Rows;
use crate::program::{DataSpec, Executor};

/// A data set under a name.
#[derive(Clone, Debug)]
pub struct Resident {
    /// The name of the buffer of its values.
    pub name: String,
    /// Its values.
    pub values: DataSpec,
    /// What is known of its rows, where a model is given that.
    pub conditions: Option<DataSpec>,
    /// Which of its values were observed, where not all were.
    pub observed: Option<DataSpec>,
}

impl Resident {
    /// A data set as a model with this many values of condition (0 for none) reads it. Its name tells how it is stored, so that
    /// no program reads bits as bytes: another set under the same name is another buffer, unless it is stored likewise.
    pub fn new(name: impl Into<String>, data: &Dataset, condition: usize) -> Resident {
        let values = spec(data.rows, data.shape().features(), &data.values);
        let conditions = data.conditions.as_ref().filter(|_| condition > 0);
        let conditions = conditions.map(|found| spec(data.rows, found.width, &found.values));
        let stored = |spec: DataSpec| format!("{}{:?}", spec.features, spec.packing).to_lowercase();
        let observed = data.observed.as_ref().map(|found| spec(data.rows, data.shape().features(), found));
        let known = conditions.map_or(String::new(), |spec| format!("+{}", stored(spec)));
        let gaps = if observed.is_some() { "+gaps" } else { "" };
        Resident { name: format!("{}.{}{known}{gaps}", name.into(), stored(values)), values, conditions, observed }
    }

    /// The name of the buffer of what was observed.
    fn mask(&self) -> String {
        format!("{}.observed", self.name)
    }

    /// The name of the buffer of what is known.
    fn known(&self) -> String {
        format!("{}.conditions", self.name)
    }

    /// What programs that read it are told.
    pub fn specs(&self) -> impl Iterator<Item = (String, DataSpec)> {
        let known = self.conditions.map(|spec| (self.known(), spec));
        let observed = self.observed.map(|spec| (self.mask(), spec));
        [(self.name.clone(), self.values)].into_iter().chain(known).chain(observed)
    }

    /// So many rows of it; grey values are drawn as black or white if they are to be binarised.
    pub fn rows<'g>(&self, graph: &'g Graph, rows: usize, order: Order, binarise: bool) -> Rows<'g> {
        let binarise = binarise.then(|| graph.stream());
        let x = graph.batch(&self.name, rows, self.values.features, order, binarise);
        let beside = |name: &str, spec: DataSpec| graph.batch(name, rows, spec.features, order, None);
        let y = self.conditions.map(|spec| beside(&self.known(), spec));
        let observed = self.observed.map(|spec| beside(&self.mask(), spec));
        Rows { x, y, observed }
    }

    /// Makes resident what loaded programs read of it.
    ///
    /// # Errors
    /// If the device fails.
    pub fn upload(&self, executor: &mut dyn Executor, data: &Dataset) -> Result<()> {
        let features = data.shape().features();
        let conditions = data.conditions.as_ref().map(|found| (self.known(), &found.values, found.width));
        let observed = data.observed.as_ref().map(|found| (self.mask(), found, features));
        let values = [(self.name.clone(), &data.values, features)];
        for (name, values, width) in values.into_iter().chain(conditions).chain(observed) {
            let buffer = format!("data.{name}");
            if executor.words(&buffer).is_some() {
                executor.write(&buffer, &values.packed(width).0)?;
            }
        }
        Ok(())
    }
}

fn spec(count: usize, features: usize, values: &Values) -> DataSpec {
    let packing = match values.kind() {
        PackingKind::Bits => Packing::Bits,
        PackingKind::Bytes => Packing::Bytes,
        PackingKind::Floats => Packing::Floats,
    };
    DataSpec { count, features, packing }
}
