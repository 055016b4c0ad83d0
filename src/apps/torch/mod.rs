//! Networks of a model as PyTorch has them: which of their parameters is which there, and how its numbers lie.

mod arrangement;
mod layers;
mod module;

use super::Form;
use crate::data::Shape;
use crate::graph::{Graph, Tensor};
use crate::models::{Condition, Model};
pub use arrangement::Arranged;
use arrangement::arranged;
use layers::{line, sides};
use module::{Named, modules, spoken};
pub use module::{SCRIPT_BEGINS, script};

/// Rows by which a graph is looked at: two, as objectives over pairs of rows need.
const ROWS: usize = 2;

/// The networks of a model that are lines of layers.
pub struct Networks {
    /// Each as modules of PyTorch.
    pub named: Vec<Named>,
    /// Their parameters.
    pub parameters: Vec<Arranged>,
    /// Why others are not there, in sentences.
    pub notes: Vec<String>,
}

/// The encoder and the decoder of a model.
pub fn networks(model: &dyn Model, form: &Form) -> Networks {
    let mut found = Networks { named: vec![], parameters: vec![], notes: vec![] };
    let (can, shape) = (model.can(), form.shape());
    let is_told = model.condition() != Condition::None;
    if let Some(encoder) = can.encode {
        let latent = Shape::vector(encoder.latent());
        found.add("encoder", [shape, latent], |x| (!is_told).then(|| encoder.mean(x.into())));
    }
    if let (Some(decoder), Ok(latent)) = (can.decode, can.latent()) {
        found.add("decoder", [Shape::vector(latent), shape], |z| (!is_told).then(|| decoder.mean(z, None)));
    }
    found
}

impl Networks {
    /// A network from rows of one shape to rows of another, if it is a line of layers.
    fn add(
        &mut self,
        name: &'static str,
        [from, to]: [Shape; 2],
        work: impl for<'g> FnOnce(Tensor<'g>) -> Option<Tensor<'g>>,
    ) {
        let graph = Graph::new();
        let x = graph.input("x", &[ROWS, from.features()]);
        let found = work(x).and_then(|end| Some((end, line(end, x.id(), from, to)?)));
        let Some((end, layers)) = found else {
            self.notes.push(format!(
                "The {name} is no line of layers that PyTorch has (it branches, is told something beside its values, or has convolutions of single pixels), so \
                 there is no module for it: its weights have the names and lie as they do in a run."
            ));
            return;
        };
        let (modules, places) = modules(&layers, from.is_picture());
        self.parameters.extend(arranged(name, &layers, &places));
        let gives = layers.iter().rev().find_map(|layer| layer.outputs()).unwrap_or(to.features());
        let about = match (sides(to), gives == end.width()) {
            (None, false) => format!("{}, of which the first {} are means", spoken(None, gives), end.width()),
            (sides, _) => spoken(sides, end.width()),
        };
        let about = format!("{} to {about}", spoken(sides(from), from.features()));
        self.named.push(Named { name, modules, about });
    }
}
