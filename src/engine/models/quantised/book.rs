//! The vectors of a codebook in a step: those that are kept, and those that are taken from the encodings of a batch.

use super::assignment::same;
use crate::graph::Tensor;

/// Encodings of a batch, the last of which may be of rows that are not live.
#[derive(Clone, Copy, Debug)]
pub(super) struct Encodings<'g> {
    /// The encodings `[n, D]`.
    pub z: Tensor<'g>,
    /// The weight of each in a mean over the live ones, 0 for the others `[n, 1]`.
    pub weights: Tensor<'g>,
    /// How many of them a row has.
    pub each: usize,
}

impl<'g> Encodings<'g> {
    /// 1 for the live ones, 0 for the others `[n, 1]`.
    pub fn live(self) -> Tensor<'g> {
        self.weights.graph().constant(0.0).less(self.weights)
    }

    /// So many of the live ones, drawn at random and evenly from all of the batch: no two are the same one where there are enough.
    /// `[count, D]`
    pub fn drawn(self, count: usize) -> Tensor<'g> {
        let (graph, n) = (self.z.graph(), self.z.shape()[0]);
        let live = graph.rows() * self.each as f32;
        let [within, first] = [[count, 1], [1, 1]].map(|shape| graph.uniform(graph.stream(), &shape));
        let along = (graph.coordinate(0, &[count, 1]) + within) * (1.0 / count as f32) + first;
        let place = ((along - along.floor()) * live).floor().minimum(live - 1.0);
        same(graph.coordinate(1, &[count, n]), place).matmul(self.z.detach())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::graph::eval::{Values, evaluate};

    #[test]
    fn live_encodings_are_drawn_each_once() {
        // Four rows of two encodings, of which the last row is not live.
        let (graph, mut values) = (Graph::new(), Values::default());
        values.tensors.insert("z".into(), (0..8).map(f64::from).collect());
        values.step.rows = 3;
        let z = graph.input("z", &[8, 1]);
        let weights = (graph.row_weights(4) * 0.5).repeat_rows(2);
        let encodings = Encodings { z, weights, each: 2 };
        let [live, six, many] = [encodings.live(), encodings.drawn(6), encodings.drawn(60)];
        assert_eq!(evaluate(&values, &[live])[0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
        let mut orders = std::collections::HashSet::new();
        for step in 0..20 {
            values.step.step = step;
            let [mut drawn, mut of_many] = <[_; 2]>::try_from(evaluate(&values, &[six, many])).unwrap();
            orders.insert(format!("{drawn:?}"));
            drawn.sort_by(f64::total_cmp);
            assert_eq!(drawn, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
            of_many.sort_by(f64::total_cmp);
            for place in 0..6 {
                let times = of_many.iter().filter(|z| **z == f64::from(place)).count();
                assert!((9..=11).contains(&times), "{place} is drawn {times} times of 60");
            }
        }
        assert!(orders.len() > 3, "the first of them is drawn");
    }
}
