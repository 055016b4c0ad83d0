//! Codes whose dimensions are shuffled apart: those of a row come from as many rows.
//!
//! Of rows z₁, …, z_n of D dimensions, dimension d of row i becomes that of row i + d, around the batch: draws from Π_d q(z_d), where rows
//! are drawn by chance from q(z) (Kim & Mnih 2018, algorithm 1, with shifts in place of permutations by chance: batches are shuffled
//! already, and no two dimensions of a row then come from one row, nor does any shift leave all of a row in its place).

use crate::graph::Tensor;

/// Rows `[rows, dimensions]`, of which dimension d is shifted by d rows; and what each weighs in a mean over those that are made of live
/// rows alone `[rows, 1]`, relative to `weights`, which live rows have in common. Of more dimensions than rows, some come from one row.
pub fn permuted<'g>(z: Tensor<'g>, weights: Tensor<'g>) -> [Tensor<'g>; 2] {
    let (graph, zero) = (z.graph(), z.graph().constant(0.0));
    let [rows, dimensions] = z.dims();
    let live = zero.less(weights);
    let whole = shifted(live.expand(&[rows, dimensions])).sum_rows();
    let whole = graph.constant(dimensions as f32 - 0.5).less(whole);
    // As many as live rows are spread over those that are whole.
    let scale = live.sum(&[0]) / whole.sum(&[0]).maximum(graph.constant(1.0));
    [shifted(z), whole * scale]
}

/// Column d shifted by d: as a table with copies of each column behind each other in its lines, as many as there are rows to shift by, read with
/// lines one longer.
fn shifted(z: Tensor) -> Tensor {
    let (graph, [rows, dimensions]) = (z.graph(), z.dims());
    let copies = 1 + dimensions.div_ceil(rows);
    let line = copies * rows;
    let repeated = z.t().reshape(&[dimensions, 1, rows]).expand(&[dimensions, copies, rows]);
    let longer = graph.concat(&[repeated.reshape(&[1, dimensions * line]), graph.full(0.0, &[1, dimensions])], 1);
    longer.reshape(&[dimensions, line + 1]).slice(1, 0, rows).t()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::graph::eval::{Values, evaluate};

    fn found(rows: usize, live: f64) -> [Vec<f64>; 2] {
        let (graph, mut values) = (Graph::new(), Values::default());
        let z = graph.input("z", &[rows, 3]);
        let weights = graph.input("weights", &[rows, 1]);
        values.tensors.insert("z".into(), (0..3 * rows).map(|i| (10 * (i / 3) + i % 3) as f64).collect());
        let weight = |i: usize| if (i as f64) < live { 1.0 / live } else { 0.0 };
        values.tensors.insert("weights".into(), (0..rows).map(weight).collect());
        evaluate(&values, &permuted(z, weights)).try_into().unwrap()
    }

    #[test]
    fn dimension_d_comes_from_d_rows_further() {
        let [z, weights] = found(4, 4.0);
        assert_eq!(z, [0.0, 11.0, 22.0, 10.0, 21.0, 32.0, 20.0, 31.0, 2.0, 30.0, 1.0, 12.0]);
        assert_eq!(weights, [1.0; 4]);
    }

    #[test]
    fn rows_with_a_part_of_padding_weigh_nothing() {
        // Of 5 rows the first 4 are live: rows 0 and 1 are made of live ones alone, and row 3 is made of rows 3, 4 and 0.
        let [_, weights] = found(5, 4.0);
        assert_eq!(weights, [2.0, 2.0, 0.0, 0.0, 0.0]);
        // Of two rows, the third dimension begins anew.
        assert_eq!(found(2, 2.0)[0], [0.0, 11.0, 2.0, 10.0, 1.0, 12.0]);
        // Of one, all come from it.
        assert_eq!(found(1, 1.0)[0], [0.0, 1.0, 2.0]);
        let [_, none] = found(5, 2.0);
        assert!(none.iter().all(|weight| *weight == 0.0), "{none:?}");
    }
}
