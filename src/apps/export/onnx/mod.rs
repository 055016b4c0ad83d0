//! A model as a file of ONNX (<https://onnx.ai>), which other programs run.
//!
//! [`part`] says what goes in and what comes out, as a graph of the model; [`translate`] makes nodes of the graph, operation by operation, with
//! [`functions`] and [`pictures`]; [`dims`] finds which sizes follow the number of rows, so that this may be left open. [`builder`] gathers
//! nodes and constants, which [`proto`] writes.

mod builder;
mod described;
mod dims;
mod functions;
mod part;
mod pictures;
mod proto;
mod translate;

use std::collections::HashMap;

use prost::Message;
use serde::Serialize;

use crate::apps::Saved;
use crate::error::{Error, Result};
use builder::{Builder, Value};
use dims::{Dim, Dims, Sizes};
pub use part::Part;
use part::{OBSERVED, PartGraph, Port, ROWS};
use proto::{Dimension, FLOAT, INT64, Kind, Model, OperatorSet, Shape, Size, TensorKind, ValueInfo};
use translate::{Leaves, Parameters, Translation};

/// The version of the operators: the first that takes the axes of every reduction as an input.
const OPSET: i64 = 18;
/// The version of the format that came with it.
const IR_VERSION: i64 = 8;
/// Two numbers of rows that no size of a model is a multiple of, by which sizes that follow the rows are known.
const TWO_SIZES: [usize; 2] = [1_000_003, 1_000_033];
/// The most bytes that a file of ONNX may have: one message of protocol buffers.
const MOST_BYTES: usize = i32::MAX as usize;

/// What a file of ONNX takes or gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OnnxPort {
    /// Its name.
    pub name: String,
    /// Its sizes behind that of rows.
    pub sizes: Vec<usize>,
}

/// A file of ONNX, and what is to be said of it.
pub struct OnnxFile {
    /// Its content.
    pub bytes: Vec<u8>,
    /// How many of those are weights.
    pub bytes_of_numbers: usize,
    /// What goes in.
    pub inputs: Vec<OnnxPort>,
    /// What comes out.
    pub outputs: Vec<OnnxPort>,
    /// What is left out, in sentences.
    pub notes: Vec<String>,
}

/// A part of a model as a file of ONNX, for any number of rows or for so many.
///
/// # Errors
/// If the model has no such part, an operation of it has no form in ONNX, or the device fails.
pub fn onnx(saved: &mut Saved, part: Part, rows: Option<usize>) -> Result<OnnxFile> {
    let weights: Parameters =
        saved.session.values()?.into_iter().map(|(name, shape, values)| (name, (shape, values))).collect();
    let (shape, gaps) = (saved.form.shape(), saved.session.takes_gaps());
    let graph = |rows: usize| part.graph(&*saved.session.model, rows, shape, gaps);
    let first = graph(rows.unwrap_or(TWO_SIZES[0]))?;
    let other = rows.is_none().then(|| graph(TWO_SIZES[1])).transpose()?;
    let batch = rows.map_or(Dim::Rows(1), Dim::Fixed);

    let PartGraph { graph, outputs, ports, inputs, notes } = &first;
    let out = Builder::new(inputs.iter().chain(ports).map(|port| port.name.to_string()));
    out.rows_are_of(inputs[0].name);
    let leaves = Leaves {
        parameters: &weights,
        scalar: &|name| saved.session.scalar(name, 1.0),
        inputs: taken(&out, inputs, batch, gaps),
    };
    let sizes =
        Sizes::new((graph, rows.unwrap_or(TWO_SIZES[0])), other.as_ref().map(|other| (&other.graph, TWO_SIZES[1])));
    let values = Translation::new(graph, sizes, &out, leaves).values(outputs)?;
    for (port, value) in ports.iter().zip(&values) {
        give(&out, port, value, batch);
    }
    let (node, initializer) = out.finish();
    let bytes_of_numbers = initializer.iter().map(|tensor| tensor.raw_data.len()).sum();
    let info = |port: &Port| info(port, batch, described::about(port, &saved.form));
    let model = Model {
        ir_version: IR_VERSION,
        producer_name: "elbo".to_string(),
        producer_version: env!("CARGO_PKG_VERSION").to_string(),
        doc_string: saved.config.model.kind.about.name.to_string(),
        graph: Some(proto::Graph {
            node,
            name: part.to_string(),
            initializer,
            input: inputs.iter().map(info).collect(),
            output: ports.iter().map(info).collect(),
        }),
        opset_import: vec![OperatorSet { domain: Some(String::new()), version: OPSET }],
        metadata_props: described::entries(saved, part)?,
    };
    if model.encoded_len() > MOST_BYTES {
        return Err(Error::invalid(format!(
            "a file of ONNX holds at most {MOST_BYTES} bytes, and this model takes {}: export the --part of it that is needed",
            model.encoded_len()
        )));
    }
    let named = |ports: &[Port]| -> Vec<OnnxPort> {
        ports.iter().map(|port| OnnxPort { name: port.name.to_string(), sizes: port.sizes.clone() }).collect()
    };
    let (inputs, outputs, notes) = (named(inputs), named(ports), notes.clone());
    Ok(OnnxFile { bytes: model.encode_to_vec(), bytes_of_numbers, inputs, outputs, notes })
}

/// What the leaves of a graph that are inputs read: rows lie in their own shape, and are taken as vectors; NaN stands for what was not
/// observed.
fn taken(out: &Builder, inputs: &[Port], batch: Dim, gaps: bool) -> HashMap<String, Value> {
    let mut all = HashMap::new();
    for port in inputs {
        let lies = dims_of(port, batch);
        let flat = vec![batch, Dim::Fixed(port.sizes.iter().product())];
        let mut value = out.given(port.name, lies.clone());
        if lies != flat {
            let sizes = out.wholes(&[batch_or_rest(batch), port.sizes.iter().product::<usize>() as i64]);
            value = out.given(&out.node("Reshape", vec![port.name.to_string(), sizes], vec![], None), flat.clone());
        }
        if gaps && port.name == ROWS {
            let missing = out.unary("IsNaN", &value);
            let filled = out.op("Where", &[&missing, &out.scalar(0.0), &value], vec![], flat);
            let observed = out.cast(&out.unary("Not", &missing), FLOAT);
            all.insert(OBSERVED.to_string(), observed);
            value = filled;
        }
        all.insert(port.name.to_string(), value);
    }
    all
}

/// Gives a value under the name of an output, in its shape.
fn give(out: &Builder, port: &Port, value: &Value, batch: Dim) {
    let whole = if port.whole { out.cast(value, INT64) } else { value.clone() };
    let shape = dims_of(port, batch);
    let read = out.used(&whole);
    if whole.shape == shape {
        out.node("Identity", vec![read], vec![], Some(port.name));
        return;
    }
    let sizes: Vec<i64> =
        std::iter::once(batch_or_rest(batch)).chain(port.sizes.iter().map(|&size| size as i64)).collect();
    out.node("Reshape", vec![read, out.wholes(&sizes)], vec![], Some(port.name));
}

fn dims_of(port: &Port, batch: Dim) -> Dims {
    std::iter::once(batch).chain(port.sizes.iter().copied().map(Dim::Fixed)).collect()
}

/// How many rows there are, or -1 for what is left.
fn batch_or_rest(batch: Dim) -> i64 {
    if let Dim::Fixed(rows) = batch { rows as i64 } else { -1 }
}

/// An input or an output as the file declares it.
fn info(port: &Port, batch: Dim, doc_string: String) -> ValueInfo {
    let dimension = |dim: &Dim| Dimension {
        value: Some(match dim {
            Dim::Fixed(size) => Size::Fixed(*size as i64),
            Dim::Rows(_) => Size::Named("batch".to_string()),
        }),
    };
    let shape = Some(Shape { dim: dims_of(port, batch).iter().map(dimension).collect() });
    let elem_type = if port.whole { INT64 } else { FLOAT };
    let kind = Some(Kind { tensor_type: Some(TensorKind { elem_type, shape }) });
    ValueInfo { name: port.name.to_string(), kind, doc_string }
}
