//! Sizes that may hang on how many rows there are.
//!
//! A graph has sizes that are numbers. Built once for each of two numbers of rows, it says which of them follow the rows: those that are in
//! proportion to them.

use crate::error::{Error, Result};
use crate::graph::{Graph, NodeId};

/// A size of a dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dim {
    /// A number.
    Fixed(usize),
    /// So many times as many as there are rows.
    Rows(usize),
}

/// The shape of a value.
pub type Dims = Vec<Dim>;

/// Sizes that are numbers.
pub fn fixed(sizes: &[usize]) -> Dims {
    sizes.iter().copied().map(Dim::Fixed).collect()
}

/// How many times `each` elements a shape holds.
///
/// # Errors
/// If these are no whole number in proportion to the rows.
pub fn parts(shape: &[Dim], each: usize) -> Result<Dim> {
    let (mut factor, mut powers) = (1, 0);
    for dim in shape {
        match dim {
            Dim::Fixed(size) => factor *= size,
            Dim::Rows(times) => (factor, powers) = (factor * times, powers + 1),
        }
    }
    match (factor.is_multiple_of(each), powers) {
        (true, 0) => Ok(Dim::Fixed(factor / each)),
        (true, 1) => Ok(Dim::Rows(factor / each)),
        _ => Err(apart()),
    }
}

/// What is said of a model of which not every size is in proportion to the rows.
pub fn apart() -> Error {
    Error::invalid(
        "what this model computes of a row hangs on how many rows there are, so no file can be for any number of them: give the number with \
         --batch",
    )
}

/// A graph, and the same for another number of rows, where that is left open.
pub struct Sizes<'g> {
    graph: &'g Graph,
    rows: usize,
    other: Option<(&'g Graph, usize)>,
}

impl<'g> Sizes<'g> {
    /// A graph of so many rows, and another.
    pub fn new((graph, rows): (&'g Graph, usize), other: Option<(&'g Graph, usize)>) -> Sizes<'g> {
        Sizes { graph, rows, other }
    }

    /// The shape of a node.
    ///
    /// # Errors
    /// If the two graphs differ there in more than sizes that are in proportion to the rows.
    pub fn of(&self, id: NodeId) -> Result<Dims> {
        let node = self.graph.node(id);
        let Some((graph, rows)) = self.other else { return Ok(fixed(&node.shape)) };
        let other = if (id.0 as usize) < graph.len() { graph.node(id) } else { return Err(apart()) };
        if other.op != node.op || other.inputs != node.inputs || other.shape.len() != node.shape.len() {
            return Err(apart());
        }
        let dim = |(&one, &other): (&usize, &usize)| match one == other {
            true => Ok(Dim::Fixed(one)),
            false if one.is_multiple_of(self.rows) && one / self.rows * rows == other => Ok(Dim::Rows(one / self.rows)),
            false => Err(apart()),
        };
        node.shape.iter().zip(&other.shape).map(dim).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_the_rows_or_do_not() {
        let graphs = [3, 5].map(|rows| {
            let graph = Graph::new();
            graph.input("x", &[rows, 4]).reshape(&[rows * 2, 2]).sum(&[0]);
            (graph, rows)
        });
        let [one, other] = &graphs;
        let sizes = Sizes::new((&one.0, one.1), Some((&other.0, other.1)));
        let found: Vec<Dims> = one.0.ids().map(|id| sizes.of(id).unwrap()).collect();
        assert_eq!(found[0], [Dim::Rows(1), Dim::Fixed(4)]);
        assert_eq!(found[1], [Dim::Rows(2), Dim::Fixed(2)]);
        assert_eq!(found[2], fixed(&[1, 2]));
        // For one number of rows all sizes are numbers.
        assert_eq!(Sizes::new((&one.0, 3), None).of(NodeId(1)).unwrap(), fixed(&[6, 2]));
    }

    #[test]
    fn what_is_no_proportion_is_refused() {
        let graphs = [3, 5].map(|rows| {
            let graph = Graph::new();
            graph.input("x", &[rows + 1, 4]);
            graph.full(1.0 / rows as f32, &[1]);
            graph
        });
        let sizes = Sizes::new((&graphs[0], 3), Some((&graphs[1], 5)));
        assert!(graphs[0].ids().all(|id| sizes.of(id).unwrap_err().to_string().contains("--batch")));
    }

    #[test]
    fn parts_are_counted() {
        assert_eq!(parts(&[Dim::Rows(6), Dim::Fixed(4)], 8).unwrap(), Dim::Rows(3));
        assert_eq!(parts(&fixed(&[6, 4]), 8).unwrap(), Dim::Fixed(3));
        assert!(parts(&[Dim::Rows(6)], 4).is_err() && parts(&[Dim::Rows(2), Dim::Rows(2)], 2).is_err());
    }
}
