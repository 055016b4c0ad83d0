//! A likelihood of each field of a row.

use std::sync::Arc;

use super::{DiscretizedLogistic, Likelihood, NegativeBinomial, OneHot, Support};
use crate::data::Schema;
use crate::data::schema::FieldKind;
use crate::graph::Tensor;

/// p(x | z) = Π p(x_f | z) over the fields f of a row, of which each has a likelihood of its own kind (Nazábal et al. 2020,
/// section 3): a real or positive number that of the model's settings, a count a negative binomial, a place in an order a logistic
/// rounded to levels, a class a categorical.
///
/// Fields of one likelihood that stand beside each other share a head.
#[derive(Clone, Debug)]
pub struct Heads {
    heads: Vec<Head>,
}

/// The likelihood of some columns that stand beside each other.
#[derive(Clone, Debug)]
struct Head {
    likelihood: Arc<dyn Likelihood>,
    /// Numbers that it is of.
    width: usize,
}

impl Heads {
    /// The likelihood of rows of a schema, `usual` being that of numbers; `usual` itself, where rows are nothing else.
    pub fn of(schema: &Schema, usual: &Arc<dyn Likelihood>) -> Arc<dyn Likelihood> {
        let mut heads: Vec<Head> = Vec::new();
        let mut numbers = false;
        for field in schema.inputs() {
            let (width, kind) = (field.kind.width(), &field.kind);
            let own: Option<Arc<dyn Likelihood>> = match kind {
                FieldKind::Count(scaling) => {
                    Some(Arc::new(NegativeBinomial { shift: scaling.shift as f32, scale: scaling.scale as f32 }))
                }
                FieldKind::Ordinal(levels) if levels.len() > 1 => {
                    Some(Arc::new(DiscretizedLogistic { levels: levels.len() }))
                }
                FieldKind::Category(_) => Some(Arc::new(OneHot)),
                _ => None,
            };
            match (own, heads.last_mut()) {
                (None, Some(last)) if numbers => last.width += width,
                (own, _) => {
                    numbers = own.is_none();
                    heads.push(Head { likelihood: own.unwrap_or_else(|| usual.clone()), width });
                }
            }
        }
        match heads.len() {
            1 if numbers => usual.clone(),
            _ => Arc::new(Heads { heads }),
        }
    }

    /// Each head with its part of the decoder's outputs `[…, outputs]`.
    fn parts<'a, 'g>(&'a self, outputs: Tensor<'g>) -> impl Iterator<Item = (&'a Head, Tensor<'g>)> {
        let axis = outputs.shape().len() - 1;
        let of_head = |head: &Head| head.likelihood.outputs(head.width);
        cut(outputs, axis, self.heads.iter().map(of_head)).zip(&self.heads).map(|(part, head)| (head, part))
    }

    /// What each head makes of its outputs, behind each other.
    fn joined<'g>(&self, outputs: Tensor<'g>, made: impl Fn(&Head, Tensor<'g>) -> Tensor<'g>) -> Tensor<'g> {
        let all: Vec<Tensor> = self.parts(outputs).map(|(head, part)| made(head, part)).collect();
        outputs.graph().concat(&all, outputs.shape().len() - 1)
    }
}

/// A tensor cut along an axis into parts of these widths.
fn cut<'g>(t: Tensor<'g>, axis: usize, widths: impl Iterator<Item = usize>) -> impl Iterator<Item = Tensor<'g>> {
    widths.scan(0, move |start, width| {
        let part = t.slice(axis, *start, width);
        *start += width;
        Some(part)
    })
}

impl Likelihood for Heads {
    /// Those of all heads behind each other, whatever is asked for: its fields say how many features there are.
    fn outputs(&self, _: usize) -> usize {
        self.heads.iter().map(|head| head.likelihood.outputs(head.width)).sum()
    }

    fn support(&self) -> Support {
        Support::Fields
    }

    fn log_prob<'g>(&self, outputs: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let columns = cut(x, x.shape().len() - 1, self.heads.iter().map(|head| head.width));
        let parts = self.parts(outputs).zip(columns);
        let all: Vec<Tensor> = parts.map(|((head, part), x)| head.likelihood.log_prob(part, x)).collect();
        let axis = all[0].shape().len() - 1;
        x.graph().concat(&all, axis)
    }

    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        self.joined(outputs, |head, part| head.likelihood.mean(part))
    }

    fn variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let all: Option<Vec<Tensor>> = self.parts(outputs).map(|(head, part)| head.likelihood.variance(part)).collect();
        Some(outputs.graph().concat(&all?, outputs.shape().len() - 1))
    }

    fn sample<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let draws: Option<Vec<Tensor>> = self.parts(outputs).map(|(head, part)| head.likelihood.sample(part)).collect();
        Some(outputs.graph().concat(&draws?, outputs.shape().len() - 1))
    }
}
