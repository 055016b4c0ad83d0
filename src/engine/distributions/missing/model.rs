//! A likelihood of values together with why some are missing.

use std::sync::Arc;

use super::MissingMechanism;
use crate::data::Schema;
use crate::data::schema::FieldKind;
use crate::distributions::{Bernoulli, Likelihood, Support};
use crate::graph::{Graph, Tensor};

/// p(x | z) with a mechanism p(s | x) beside it, which is about the columns that hold numbers; cells of other columns are taken to be
/// missing at random.
#[derive(Clone, Debug)]
pub struct MissingModel {
    likelihood: Arc<dyn Likelihood>,
    mechanism: Arc<dyn MissingMechanism>,
    spans: Vec<Span>,
}

/// Neighbouring columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: usize,
    width: usize,
    /// Whether they hold numbers, which the mechanism is about.
    is_numbers: bool,
}

/// The fields of a kind that the mechanism is about.
fn is_number(kind: &FieldKind) -> bool {
    matches!(kind, FieldKind::Real(_) | FieldKind::Positive(_) | FieldKind::Date(..) | FieldKind::Image(_))
}

impl MissingModel {
    /// The likelihood of rows of a schema with this mechanism beside it; the likelihood alone, where the mechanism has nothing to say.
    pub fn of(
        schema: &Schema,
        likelihood: Arc<dyn Likelihood>,
        mechanism: Arc<dyn MissingMechanism>,
    ) -> Arc<dyn Likelihood> {
        let mut spans: Vec<Span> = Vec::new();
        for (field, columns) in schema.spans() {
            let is_numbers = is_number(&field.kind);
            match spans.last_mut() {
                Some(last) if last.is_numbers == is_numbers => last.width += columns.len(),
                _ => spans.push(Span { start: columns.start, width: columns.len(), is_numbers }),
            }
        }
        let graph = Graph::new();
        let says_nothing = mechanism.logits(graph.input("x", &[1, 1])).is_none();
        if says_nothing || !spans.iter().any(|span| span.is_numbers) {
            return likelihood;
        }
        Arc::new(MissingModel { likelihood, mechanism, spans })
    }

    /// The columns of a schema that a mechanism is about.
    pub fn columns(schema: &Schema) -> Vec<usize> {
        schema.spans().filter(|(field, _)| is_number(&field.kind)).flat_map(|(_, columns)| columns).collect()
    }

    /// ln p(s_j | x) of every value of rows x `[n, features]` of which nothing is missing, in nats, `observed` being s, or `None` where
    /// all are; 0 of columns that the mechanism is not about. `[n, features]`
    pub fn log_mask<'g>(&self, x: Tensor<'g>, observed: Option<Tensor<'g>>) -> Tensor<'g> {
        let (graph, n) = (x.graph(), x.shape()[0]);
        let numbers = |t: Tensor<'g>| {
            let of = self.spans.iter().filter(|span| span.is_numbers);
            graph.concat(&of.map(|span| t.slice(1, span.start, span.width)).collect::<Vec<_>>(), 1)
        };
        let logits = graph.scope("missing", || self.mechanism.logits(numbers(x)));
        let logits = logits.expect("a mechanism that says nothing makes no such model");
        let seen = observed.map_or(graph.constant(1.0), numbers);
        let log_probs = Bernoulli.log_prob(logits, seen);
        let mut at = 0;
        let parts = self.spans.iter().map(|span| match span.is_numbers {
            true => {
                at += span.width;
                log_probs.slice(1, at - span.width, span.width)
            }
            false => graph.full(0.0, &[n, span.width]),
        });
        graph.concat(&parts.collect::<Vec<_>>(), 1)
    }

    /// Of columns that the mechanism is about those of `numbers`, else those of `others`: `[n, features]` each.
    pub fn numbers_or<'g>(&self, numbers: Tensor<'g>, others: Tensor<'g>) -> Tensor<'g> {
        let part = |span: &Span| (if span.is_numbers { numbers } else { others }).slice(1, span.start, span.width);
        numbers.graph().concat(&self.spans.iter().map(part).collect::<Vec<_>>(), 1)
    }
}

impl Likelihood for MissingModel {
    fn outputs(&self, features: usize) -> usize {
        self.likelihood.outputs(features)
    }

    fn support(&self) -> Support {
        self.likelihood.support()
    }

    fn log_prob<'g>(&self, outputs: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.likelihood.log_prob(outputs, x)
    }

    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        self.likelihood.mean(outputs)
    }

    fn variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        self.likelihood.variance(outputs)
    }

    fn sample<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        self.likelihood.sample(outputs)
    }

    fn missing(&self) -> Option<&MissingModel> {
        Some(self)
    }
}
