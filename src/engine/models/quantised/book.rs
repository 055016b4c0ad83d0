//! The vectors of a codebook in a step: those that are kept, and those that are taken from the encodings of a batch.

use crate::distributions::choice::same;
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

    /// So many of the live ones, drawn at random and evenly: one from each of as many equal parts of the batch, from a random place
    /// on. `[count, D]`
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
    fn live_encodings_are_drawn_evenly() {
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
            let [few, many] = <[_; 2]>::try_from(evaluate(&values, &[six, many])).unwrap();
            let times = |drawn: &[f64], z: f64| drawn.iter().filter(|drawn| **drawn == z).count();
            for z in (0..6).map(f64::from) {
                assert!(times(&few, z) <= 2, "{z} of {few:?}");
                assert!((9..=11).contains(&times(&many, z)), "{z} of {many:?}");
            }
            assert_eq!((times(&many, 6.0), times(&many, 7.0)), (0, 0), "what is not live is not drawn");
            orders.insert(format!("{few:?}"));
        }
        assert!(orders.len() > 3, "they begin anywhere: {orders:?}");
    }
}
