//! The codebook: K vectors, how they start, how they follow what is chosen, and what becomes of those that nothing chooses.
//!
//! With averages (van den Oord et al. 2017, appendix A.1) vector k is the mean of the encodings that chose it, over past batches:
//!
//! N_k ← γ N_k + (1 − γ) n_k,  S_k ← γ S_k + (1 − γ) Σ z,  e_k = (S_k / w) / ñ_k,
//! ñ_k = (N_k/w + ε) / (Σ_j N_j/w + K ε) · Σ_j N_j/w
//!
//! n_k being how many of a batch chose it and Σ z their sum. N and S start at 0; w ← γ w + (1 − γ), which is 1 − γᵗ, takes out that
//! they do, as Sonnet's averages do. ñ is what divides (Laplace's rule), and no average takes it in. A vector of which fewer than ε were
//! counted stays where it is: what is left of its sum is less than what smoothing adds.
//!
//! Else the vectors are parameters, on top of where they started. Either way a batch chooses from the vectors as they were before it, and
//! gets the same ones.

use strum::{EnumString, IntoStaticStr, VariantNames};

use super::assignment::{Assignment, nearest};
use super::book::Encodings;
use super::usage::aged;
use crate::distributions::choice::same;
use crate::graph::{Graph, Init, Tensor};

/// How a codebook is learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Learns {
    /// By moving averages of the encodings that choose a vector.
    Averages,
    /// Along the gradient of ‖sg z − e‖².
    Gradient,
}

/// Where a codebook starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Start {
    /// At encodings of the first batch.
    Data,
    /// Uniform in ±√(3/D), so that numbers have the variance 1/D.
    Uniform,
}

/// A codebook.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Codebook {
    /// K, its vectors.
    pub codes: usize,
    /// D, numbers of each.
    pub dimensions: usize,
    /// How they are learnt.
    pub learns: Learns,
    /// γ, the share that averages keep from step to step.
    pub decay: f32,
    /// ε, added to counts where sums are divided by them.
    pub epsilon: f32,
    /// Where they start.
    pub start: Start,
    /// Steps without being chosen after which a vector starts again at an encoding of the batch; 0 for never.
    pub revive: usize,
}

/// What a codebook makes of encodings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'g> {
    /// Which vector is nearest to each.
    pub assignment: Assignment<'g>,
    /// Those vectors `[n, D]`. Gradients reach the codebook where it is learnt by them.
    pub vectors: Tensor<'g>,
    /// Vectors that were chosen within the last `window` steps `[1, 1]`; in training only.
    pub used: Option<Tensor<'g>>,
}

/// What is kept from step to step.
#[derive(Clone, Copy)]
struct Kept<'g> {
    vectors: Tensor<'g>,
    /// Steps since each was last chosen, or since the first `[K, 1]`.
    age: Tensor<'g>,
    /// Steps so far `[1, 1]`.
    steps: Tensor<'g>,
    /// w `[1, 1]`, N `[K, 1]` and S `[K, D]`, where the codebook follows averages.
    averages: Option<[Tensor<'g>; 3]>,
}

/// What a state becomes: what it would be, and of the encodings that vectors start again at, what it is where they do.
type Again<'a, 'g> = &'a dyn Fn(Tensor<'g>, &dyn Fn(Tensor<'g>) -> Tensor<'g>) -> Tensor<'g>;

impl Codebook {
    fn kept<'g>(&self, graph: &'g Graph) -> Kept<'g> {
        let apart = Init::Uniform((3.0 / self.dimensions as f32).sqrt());
        let zeros = |name: &str, shape: [usize; 2]| graph.state(name, &shape, Init::Constant(0.0));
        let [one, each, all] = [[1, 1], [self.codes, 1], [self.codes, self.dimensions]];
        let averages = || [zeros("weight", one), zeros("counts", each), zeros("sums", all)];
        Kept {
            vectors: graph.state("vectors", &all, apart),
            age: zeros("age", each),
            steps: zeros("steps", one),
            averages: (self.learns == Learns::Averages).then(averages),
        }
    }

    /// Whether it is moved along a gradient.
    pub(super) fn is_descended(&self) -> bool {
        self.learns == Learns::Gradient
    }

    /// What is learnt of the vectors by gradient, if anything `[K, D]`.
    fn moved<'g>(&self, graph: &'g Graph) -> Option<Tensor<'g>> {
        let shape = [self.codes, self.dimensions];
        (self.learns == Learns::Gradient).then(|| graph.param("moved", &shape, Init::Constant(0.0)))
    }

    /// Its vectors as they are `[K, D]`, by state and parameters of the scope `name`.
    pub(super) fn vectors<'g>(&self, name: &str, graph: &'g Graph) -> Tensor<'g> {
        graph.scope(name, || self.book(graph, self.kept(graph)))
    }

    fn book<'g>(&self, graph: &'g Graph, kept: Kept<'g>) -> Tensor<'g> {
        self.moved(graph).map_or(kept.vectors, |moved| kept.vectors + moved)
    }

    /// What encodings become, by state and parameters of the scope `name`; in training the codebook takes them in. `window` is how many
    /// steps are looked back for vectors in use.
    pub(super) fn quantise<'g>(&self, name: &str, encodings: Encodings<'g>, window: usize) -> Found<'g> {
        let graph = encodings.z.graph();
        graph.scope(name, || {
            let kept = self.kept(graph);
            if !graph.is_assigned(kept.vectors) {
                let book = self.book(graph, kept);
                let assignment = nearest(encodings.z, book);
                return Found { assignment, vectors: assignment.of(book), used: None };
            }
            self.learn(encodings, kept, window)
        })
    }

    /// A step of training.
    fn learn<'g>(&self, encodings: Encodings<'g>, kept: Kept<'g>, window: usize) -> Found<'g> {
        let graph = encodings.z.graph();
        let zero = graph.constant(0.0);
        let seeds = (self.start == Start::Data || self.revive > 0).then(|| encodings.drawn(self.codes));
        let begun = zero.less(kept.steps);
        let base = match (self.start, seeds) {
            (Start::Data, Some(seeds)) => begun.select(kept.vectors, seeds),
            _ => kept.vectors,
        };
        let moved = self.moved(graph);
        let book = moved.map_or(base, |moved| base + moved);
        let assignment = nearest(encodings.z, book);
        let counted = assignment.chosen * encodings.live();
        let count = counted.sum(&[0]).reshape(&[self.codes, 1]);
        let ([age, steps], used) = aged([kept.age, kept.steps], count, window);
        let revived = seeds.filter(|_| self.revive > 0).map(|seeds| {
            // Half a step, so that whole numbers of times are that however a device divides.
            let times = ((age + 0.5) * (1.0 / self.revive as f32)).floor();
            (zero.less(age) * same(times * self.revive as f32, age), seeds)
        });
        let again = |usual: Tensor<'g>, of_seed: &dyn Fn(Tensor<'g>) -> Tensor<'g>| match revived {
            Some((is_revived, seeds)) => is_revived.select(of_seed(seeds), usual),
            None => usual,
        };
        let vectors = match kept.averages {
            Some(averages) => {
                let sum = counted.t().matmul(encodings.z.detach());
                self.follow(averages, base, [count, sum], &again)
            }
            None => again(base, &|seeds| moved.map_or(seeds, |moved| seeds - moved.detach())),
        };
        for (state, value) in [(kept.vectors, vectors), (kept.age, age), (kept.steps, steps)] {
            graph.assign(state, value);
        }
        Found { assignment, vectors: assignment.of(book), used: Some(used) }
    }

    /// Takes counts `[K, 1]` and sums `[K, D]` of a batch into the averages, and gives the vectors that follow from them.
    fn follow<'g>(
        &self,
        [weight, counts, sums]: [Tensor<'g>; 3],
        base: Tensor<'g>,
        [count, sum]: [Tensor<'g>; 2],
        again: Again<'_, 'g>,
    ) -> Tensor<'g> {
        let graph = base.graph();
        let average = |state: Tensor<'g>, value: Tensor<'g>| state * self.decay + value * (1.0 - self.decay);
        let to_weight = average(weight, graph.full(1.0, &[1, 1]));
        let [to_counts, to_sums] = [average(counts, count), average(sums, sum)];
        let number = to_counts / to_weight;
        let total = number.sum(&[0]);
        let smoothed = (number + self.epsilon) / (total + self.codes as f32 * self.epsilon) * total;
        let mean = to_sums / to_weight / smoothed;
        let vectors = graph.constant(self.epsilon).less(number).select(mean, base);
        // One that starts again has been chosen once in every batch.
        graph.assign(weight, to_weight);
        graph.assign(counts, again(to_counts, &|_| to_weight.expand(&[self.codes, 1])));
        graph.assign(sums, again(to_sums, &|seeds| seeds * to_weight));
        again(vectors, &|seeds| seeds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::eval::{Values, evaluate};

    const USUAL: Codebook = Codebook {
        codes: 3,
        dimensions: 1,
        learns: Learns::Averages,
        decay: 0.9,
        epsilon: 0.5,
        start: Start::Uniform,
        revive: 0,
    };

    /// Four encodings of which the first three are live, after two steps.
    fn values() -> Values {
        let mut values = Values::default();
        for (name, of) in [
            ("z", &[1.0, 2.0, 9.0, 19.0][..]),
            ("codebook.vectors", &[0.0, 10.0, 20.0]),
            ("codebook.moved", &[0.25, -0.5, 0.125]),
            ("codebook.weight", &[0.19]),
            ("codebook.counts", &[0.5, 0.1, 0.3]),
            ("codebook.sums", &[0.2, 1.1, 6.3]),
            ("codebook.age", &[1.0, 0.0, 7.0]),
            ("codebook.steps", &[9.0]),
        ] {
            values.tensors.insert(name.into(), of.to_vec());
        }
        values.step.rows = 3;
        values
    }

    /// What a step makes of a codebook: the vectors that encodings become, how many are in use, and a state after it, by name.
    struct Step {
        vectors: Vec<f64>,
        used: f64,
        states: std::collections::HashMap<String, Vec<f64>>,
    }

    fn step(codebook: &Codebook, values: &Values, window: usize) -> Step {
        let graph = Graph::of_training();
        let z = graph.input("z", &[4, 1]);
        let found = codebook.quantise("codebook", Encodings { z, weights: graph.row_weights(4), each: 1 }, window);
        let (names, states): (Vec<String>, Vec<Tensor>) = graph.assigns().into_iter().unzip();
        let wanted = [&[found.vectors, found.used.unwrap()], &states[..]].concat();
        let mut all = evaluate(values, &wanted).into_iter();
        let (vectors, used) = (all.next().unwrap(), all.next().unwrap()[0]);
        let names = names.into_iter().map(|name| name.trim_start_matches("codebook.").to_string());
        Step { vectors, used, states: names.zip(all).collect() }
    }

    fn near(a: &[f64], b: &[f64]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5 * b.abs().max(1.0))
    }

    #[test]
    fn averages_follow_what_chose_and_counts_are_smoothed_for_the_division_alone() {
        let Step { vectors, states, .. } = step(&USUAL, &values(), 1);
        // Two chose the first and one the second; the last is not live, and would have chosen the third.
        assert_eq!(vectors[..3], [0.0, 0.0, 10.0], "a batch gets the vectors that it chose from");
        assert!(near(&states["weight"], &[0.271]));
        assert!(near(&states["counts"], &[0.65, 0.19, 0.27]), "{:?}", states["counts"]);
        assert!(near(&states["sums"], &[0.48, 1.89, 5.67]), "{:?}", states["sums"]);
        // N/w = 2.398524, 0.701107, 0.996310, in all 4.095941; and (N/w + 0.5)/(4.095941 + 1.5)·4.095941.
        let smoothed = [2.121_570, 0.879_149, 1.095_222];
        let sums = [1.771_218, 6.974_170, 20.922_509];
        let expected: Vec<f64> = sums.iter().zip(smoothed).map(|(sum, count)| sum / count).collect();
        assert!(near(&states["vectors"], &expected), "{:?}, not {expected:?}", states["vectors"]);
        let plain = [0.48 / 0.65, 1.89 / 0.19, 5.67 / 0.27];
        assert!(!near(&states["vectors"], &plain), "without smoothing they were others");
        assert!(!near(&states["counts"], &smoothed.map(|count| 0.271 * count)), "smoothed counts are not kept");
    }

    #[test]
    fn a_vector_that_was_hardly_ever_chosen_stays() {
        let mut values = values();
        values.tensors.insert("codebook.counts".into(), vec![0.5, 0.1, 0.0]);
        values.tensors.insert("codebook.sums".into(), vec![0.2, 1.1, 0.0]);
        let found = step(&USUAL, &values, 1).states;
        assert_eq!(found["vectors"][2], 20.0);
        assert!((found["vectors"][1] - 10.0).abs() > 0.1, "others move");
    }

    #[test]
    fn vectors_start_at_encodings_that_are_live_and_are_used_at_once() {
        // So many that each encoding is drawn.
        let codebook = Codebook { start: Start::Data, codes: 30, ..USUAL };
        let with_steps = |steps: f64| {
            let mut values = values();
            for name in ["vectors", "counts", "sums", "age"] {
                values.tensors.insert(format!("codebook.{name}"), vec![0.0; 30]);
            }
            values.tensors.insert("codebook.steps".into(), vec![steps]);
            step(&codebook, &values, 5)
        };
        let first = with_steps(0.0);
        assert_eq!((&first.vectors[..3], first.used), (&[1.0, 2.0, 9.0][..], 3.0));
        assert_eq!(with_steps(1.0).vectors[..3], [0.0; 3], "in later steps they are kept");
    }

    #[test]
    fn what_nothing_chose_for_long_starts_again() {
        let found = |revive| step(&Codebook { revive, ..USUAL }, &values(), 5);
        let Step { states, used, .. } = found(4);
        assert_eq!((&states["age"][..], used), (&[0.0, 0.0, 8.0][..], 2.0));
        assert!([1.0, 2.0, 9.0].contains(&states["vectors"][2]), "{:?}", states["vectors"]);
        assert!(near(&[states["counts"][2], states["sums"][2]], &[0.271, 0.271 * states["vectors"][2]]));
        assert!(near(&states["counts"][..2], &[0.65, 0.19]), "others are as usual");
        // Eight steps are no multiple of 3, and 0 is never.
        for revive in [3, 0] {
            assert!(found(revive).states["vectors"][2] > 15.0, "{revive}");
        }
        assert_eq!(step(&USUAL, &values(), 9).used, 3.0, "one that was chosen eight steps ago");
    }

    #[test]
    fn along_a_gradient_a_vector_that_starts_again_is_at_an_encoding() {
        let codebook = Codebook { learns: Learns::Gradient, revive: 4, ..USUAL };
        let Step { vectors, states, .. } = step(&codebook, &values(), 5);
        assert_eq!(vectors[..3], [0.25, 0.25, 9.5]);
        assert_eq!(states["vectors"][..2], [0.0, 10.0]);
        assert!([1.0, 2.0, 9.0].contains(&(states["vectors"][2] + 0.125)), "{:?}", states["vectors"]);
        assert!(!states.contains_key("counts"));
    }
}
