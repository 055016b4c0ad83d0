//! The part of a model that a file holds: what goes in, and what comes out.

use crate::data::Shape;
use crate::error::Result;
use crate::graph::{Graph, NodeId, Tensor};
use crate::models::{Encode, Model, Rows};

/// A part of a model.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::VariantNames, strum::IntoStaticStr, strum::Display,
)]
#[strum(serialize_all = "lowercase")]
pub enum Part {
    /// From rows to their codes.
    Encoder,
    /// From codes to rows.
    Decoder,
    /// From rows to their codes and to rows again.
    Autoencoder,
    /// From rows to how likely each label is.
    Classifier,
}

/// Rows that go in.
pub const ROWS: &str = "x";
/// Which of their values were observed.
pub const OBSERVED: &str = "x.observed";
/// What is known of rows besides.
pub const KNOWN: &str = "y";
/// Codes that go in.
pub const CODES: &str = "z";

/// Something that goes in or comes out.
pub struct Port {
    /// Its name.
    pub name: &'static str,
    /// Its sizes behind that of rows.
    pub sizes: Vec<usize>,
    /// Whether its elements are whole numbers.
    pub whole: bool,
    /// What it is, in a sentence.
    pub about: String,
}

/// The graph of a part for so many rows.
pub struct PartGraph {
    /// The graph.
    pub graph: Graph,
    /// What comes out, as nodes.
    pub outputs: Vec<NodeId>,
    /// The same, for people.
    pub ports: Vec<Port>,
    /// What goes in.
    pub inputs: Vec<Port>,
    /// What is left out, in sentences.
    pub notes: Vec<String>,
}

impl Part {
    /// The part of a model for so many rows of a shape, some of whose values may be missing.
    ///
    /// # Errors
    /// If the model has no such part.
    pub fn graph(self, model: &dyn Model, rows: usize, shape: Shape, gaps: bool) -> Result<PartGraph> {
        let graph = Graph::new();
        let (mut found, mut inputs) = (Found::default(), vec![]);
        let known = match self {
            Part::Decoder => model.condition().width(),
            Part::Encoder | Part::Autoencoder => model.condition().given(),
            Part::Classifier => 0,
        };
        match self {
            Part::Decoder => {
                let decoder = model.can().decode()?;
                let latent = model.can().latent()?;
                inputs.push(Port::new(CODES, vec![latent], "Codes".to_string()));
                let y = given(&graph, rows, known);
                let z = graph.input(CODES, &[rows, latent]);
                found.add(
                    decoder.mean(z, y),
                    Port::new(ROWS, shape.sides(), "E[x | z], rows as the decoder makes them"),
                );
            }
            Part::Encoder | Part::Autoencoder | Part::Classifier => {
                inputs.push(Port::new(ROWS, shape.sides(), "Rows".to_string()));
                let x = graph.input(ROWS, &[rows, shape.features()]);
                let observed = gaps.then(|| graph.input(OBSERVED, &[rows, shape.features()]));
                let given = Rows { y: given(&graph, rows, known), observed, ..x.into() };
                match self {
                    Part::Classifier => {
                        let probabilities = model.can().classify()?.probabilities(x);
                        let sizes = vec![probabilities.width()];
                        found.add(
                            probabilities,
                            Port::new("probabilities", sizes, "q(y | x), how likely each label is"),
                        );
                    }
                    _ => {
                        codes(model.can().encode()?, given, &mut found);
                        if self == Part::Autoencoder {
                            let again = model.can().reconstruct()?.reconstruct(given);
                            let about = "E[x | z] at the codes' means";
                            found.add(again, Port::new("reconstruction", shape.sides(), about));
                        }
                    }
                }
            }
        }
        if known > 0 {
            inputs.push(Port::new(KNOWN, vec![known], "What is known of each row besides"));
        }
        let Found { outputs, ports, notes } = found;
        Ok(PartGraph { graph, outputs, ports, inputs, notes })
    }
}

fn given(graph: &Graph, rows: usize, width: usize) -> Option<Tensor<'_>> {
    (width > 0).then(|| graph.input(KNOWN, &[rows, width]))
}

/// What comes out, as it is found.
#[derive(Default)]
struct Found {
    outputs: Vec<NodeId>,
    ports: Vec<Port>,
    notes: Vec<String>,
}

impl Found {
    fn add(&mut self, tensor: Tensor, port: Port) {
        self.outputs.push(tensor.id());
        self.ports.push(port);
    }
}

/// The codes of rows.
fn codes<'g>(encoder: &dyn Encode, rows: Rows<'g>, found: &mut Found) {
    let latent = vec![encoder.latent()];
    found.add(encoder.mean(rows), Port::new("mean", latent.clone(), "The mean of each row's code"));
    match encoder.variance(rows) {
        Some(variance) => {
            let about = "The standard deviation of each dimension of a row's code; 0 where codes are certain";
            found.add(variance.sqrt(), Port::new("sd", latent, about));
        }
        None => found.notes.push(
            "Standard deviations of codes have no closed form here, and are left out: `elbo encode` estimates them."
                .to_string(),
        ),
    }
    if let Some(indices) = encoder.indices(rows) {
        let sizes = vec![indices.width()];
        let port = Port::new("indices", sizes, "Which vectors of the codebook a row's code is made of, counted from 0");
        found.add(indices, Port { whole: true, ..port });
    }
}

impl Port {
    fn new(name: &'static str, sizes: Vec<usize>, about: impl Into<String>) -> Port {
        Port { name, sizes, whole: false, about: about.into() }
    }
}
