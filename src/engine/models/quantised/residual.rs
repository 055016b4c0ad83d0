//! Codebooks in a row, each of what those before it left over (Lee et al. 2022, section 3.1; with one it is the plain codebook).
//!
//! r_1 = z, k_s = argmin_j ‖r_s − e_{s,j}‖², r_{s+1} = r_s − e_{s,k_s}: an encoding becomes Σ_s e_{s,k_s}, one of Kᴺ sums, far more
//! vectors than one codebook could learn. Each stage has vectors of its own.

use super::book::Encodings;
use super::codebook::Codebook;
use super::quantiser::{Drawn, Quantised, Quantiser};
use crate::graph::{Graph, Tensor};

/// So many codebooks of one kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Residual {
    /// What each of them is.
    pub codebook: Codebook,
    /// How many.
    pub stages: usize,
}

/// The scope of a stage's codebook.
fn scope(stage: usize) -> String {
    if stage == 0 { "codebook".to_string() } else { format!("codebook.{stage}") }
}

impl Quantiser for Residual {
    fn codes(&self) -> usize {
        self.codebook.codes
    }

    fn stages(&self) -> usize {
        self.stages
    }

    fn quantise<'g>(&self, encodings: Encodings<'g>, window: usize) -> Quantised<'g> {
        let (mut rest, mut stages) = (encodings.z, Vec::with_capacity(self.stages));
        let (mut vectors, mut to_vectors, mut to_encodings, mut used) = (None, None, None, None);
        for stage in 0..self.stages {
            let found = self.codebook.quantise(&scope(stage), Encodings { z: rest, ..encodings }, window);
            let chosen = found.vectors.detach();
            to_encodings = Some((rest - chosen).square().added_to(to_encodings));
            // By averages the vectors are state, and what draws them to encodings has no gradient.
            if self.codebook.is_descended() {
                to_vectors = Some((rest.detach() - found.vectors).square().added_to(to_vectors));
            }
            used = found.used.map(|one| one.added_to(used));
            vectors = Some(found.vectors.added_to(vectors));
            stages.push(found.assignment);
            rest = rest - chosen;
        }
        Quantised {
            stages,
            vectors: vectors.expect("there is a stage"),
            smooth: encodings.z,
            drawn: to_encodings.map(|encodings| Drawn { encodings, vectors: to_vectors }),
            used,
        }
    }

    fn vectors<'g>(&self, graph: &'g Graph, stage: usize, chosen: Tensor<'g>) -> Tensor<'g> {
        chosen.matmul(self.codebook.vectors(&scope(stage), graph))
    }
}

#[cfg(test)]
mod tests {
    use super::super::codebook::{Learns, Start};
    use super::*;
    use crate::graph::eval::{Values, evaluate};

    const CODEBOOK: Codebook = Codebook {
        codes: 2,
        dimensions: 1,
        learns: Learns::Gradient,
        decay: 0.9,
        epsilon: 0.5,
        start: Start::Uniform,
        revive: 0,
    };

    #[test]
    fn each_stage_quantises_what_is_left_over() {
        let (graph, mut values) = (Graph::new(), Values::default());
        for (name, of) in [
            ("z", &[9.2, -0.9][..]),
            ("codebook.vectors", &[0.0, 10.0]),
            ("codebook.1.vectors", &[-1.0, 1.5]),
            ("codebook.moved", &[0.0, 0.0]),
            ("codebook.1.moved", &[0.0, -0.5]),
        ] {
            values.tensors.insert(name.into(), of.to_vec());
        }
        let z = graph.input("z", &[2, 1]);
        let found = |stages| {
            let residual = Residual { codebook: CODEBOOK, stages };
            residual.quantise(Encodings { z, weights: graph.row_weights(2), each: 1 }, 1)
        };
        let two = found(2);
        let drawn = two.drawn.unwrap();
        let through = two.through();
        // 9.2 is 10 and −1, −0.9 is 0 and −1; left over are −0.8 and 0.2, −0.9 and 0.1.
        let again = [0, 1].map(|stage| {
            let chosen = two.stages[stage].chosen;
            Residual { codebook: CODEBOOK, stages: 2 }.vectors(&graph, stage, chosen)
        });
        for spec in graph.parameters() {
            let zeros = || vec![0.0; spec.shape.iter().product()];
            values.tensors.entry(spec.name.clone()).or_insert_with(zeros);
        }
        let all = evaluate(
            &values,
            &[
                two.chosen(),
                two.vectors,
                drawn.encodings,
                through.gradients(&[z])[0],
                again[0] + again[1],
                found(1).vectors,
            ],
        );
        assert_eq!(all[0], [0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
        assert_eq!(all[1], [9.0, -1.0]);
        for (found, expected) in all[2].iter().zip([0.64 + 0.04, 0.81 + 0.01]) {
            assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
        }
        assert_eq!(all[3], [1.0, 1.0], "the gradient passes through");
        assert_eq!(all[4], all[1], "indices say the vector");
        assert_eq!(all[5], [10.0, 0.0], "one stage is the plain codebook");
        // What the gradient moves of the second stage is what draws it to what the first left over: 2 (−1 − rest), for both rows.
        let moved = graph.parameter("codebook.1.moved");
        let slope = drawn.vectors.unwrap().sum(&[0]).gradients(&[moved])[0];
        let slope = evaluate(&values, &[slope]).remove(0);
        assert!((slope[0] - 2.0 * (-1.0 + 0.8 - 1.0 + 0.9)).abs() < 1e-9 && slope[1] == 0.0, "{slope:?}");
    }
}
