//! Which vector of a codebook is nearest to each encoding, and what is to be said of how they are spread.

use crate::graph::Tensor;

/// The nearest of K vectors to each of n encodings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Assignment<'g> {
    /// 1 for the vector that was chosen, 0 for the others `[n, K]`.
    pub chosen: Tensor<'g>,
    /// Which vector that is, counted from 0 `[n, 1]`.
    pub index: Tensor<'g>,
}

/// k = argmin_j ‖z − e_j‖² of encodings `[n, D]` and a codebook `[K, D]`, the first of those that are as near.
///
/// ‖z‖² is the same for all j and left out: what is largest is 2 z·e_j − ‖e_j‖². The doubling is exact, so that a device that fuses it with
/// the difference finds the same bits.
pub(super) fn nearest<'g>(encodings: Tensor<'g>, book: Tensor<'g>) -> Assignment<'g> {
    let (encodings, book) = (encodings.detach(), book.detach());
    let codes = book.shape()[0];
    let squares = book.square().sum_rows().reshape(&[1, codes]);
    let nearness = encodings.matmul(book.t()) * 2.0 - squares;
    let place = encodings.graph().coordinate(1, nearness.shape());
    let far = nearness.less(nearness.max(&[1]));
    let last = encodings.graph().constant(codes as f32);
    let index = -(-far.select(last, place)).max(&[1]);
    Assignment { chosen: same(place, index), index }
}

/// 1 where two tensors of whole numbers are equal, 0 elsewhere.
pub(super) fn same<'g>(a: Tensor<'g>, b: Tensor<'g>) -> Tensor<'g> {
    1.0 - a.less(b) - b.less(a)
}

impl<'g> Assignment<'g> {
    /// The vectors that were chosen, of this codebook `[n, D]`; what is learnt of them by gradient reaches the codebook.
    pub fn of(self, book: Tensor<'g>) -> Tensor<'g> {
        self.chosen.matmul(book)
    }

    /// exp(−Σ_k p_k ln p_k), p being how often each vector was chosen by encodings of these weights `[n, 1]`, which sum to 1 `[1, 1]`: 1
    /// where one is chosen always, and K where all are as often.
    pub fn perplexity(self, weights: Tensor<'g>) -> Tensor<'g> {
        let share = (self.chosen * weights).sum(&[0]);
        let log = share.maximum(share.graph().constant(1e-10)).ln();
        (-(share * log).sum_rows()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::graph::eval::{Values, evaluate};

    fn found(encodings: &[f64], book: &[f64], weights: &[f64]) -> [Vec<f64>; 3] {
        let (graph, mut values) = (Graph::new(), Values::default());
        for (name, of) in [("z", encodings), ("e", book), ("w", weights)] {
            values.tensors.insert(name.into(), of.to_vec());
        }
        let (z, e) = (graph.input("z", &[encodings.len() / 2, 2]), graph.input("e", &[book.len() / 2, 2]));
        let assignment = nearest(z, e);
        let perplexity = assignment.perplexity(graph.input("w", &[weights.len(), 1]));
        evaluate(&values, &[assignment.chosen, assignment.of(e), perplexity]).try_into().unwrap()
    }

    #[test]
    fn the_nearest_is_chosen_and_of_equals_the_first() {
        let book = [0.0, 0.0, 4.0, 0.0, 4.0, 0.0, 0.0, 3.0];
        // Squared distances of (3, 1): 10, 2, 2, 13; of (0, 1.5): 2.25, 18.25, 18.25, 2.25; of (−1, 5): 26, 50, 50, 5.
        let [chosen, vectors, perplexity] = found(&[3.0, 1.0, 0.0, 1.5, -1.0, 5.0], &book, &[0.5, 0.25, 0.25]);
        assert_eq!(chosen, [0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(vectors, [4.0, 0.0, 0.0, 0.0, 0.0, 3.0]);
        // exp(½ ln 2 + ½ ln 4) = √8.
        assert!((perplexity[0] - 8.0_f64.sqrt()).abs() < 1e-6, "{perplexity:?}");
    }

    #[test]
    fn what_weighs_nothing_is_not_counted() {
        let [.., all] = found(&[0.0, 0.0, 1.0, 1.0], &[0.0, 0.0, 1.0, 1.0], &[0.5, 0.5]);
        let [.., one] = found(&[0.0, 0.0, 1.0, 1.0], &[0.0, 0.0, 1.0, 1.0], &[1.0, 0.0]);
        assert!((all[0] - 2.0).abs() < 1e-9 && (one[0] - 1.0).abs() < 1e-6, "{all:?}, {one:?}");
    }
}
