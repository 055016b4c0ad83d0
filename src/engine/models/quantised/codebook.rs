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

use super::assignment::{Assignment, nearest, same};
use super::book::Encodings;
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
pub(super) struct Quantised<'g> {
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

/// What a state becomes where a vector starts again, of the encodings that they start at: that, and else what it would be.
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

    /// What encodings become, by state and parameters of the scope `codebook`; in training the codebook takes them in. `window` is how many steps are looked back for vectors in use.
    pub(super) fn quantise<'g>(&self, encodings: Encodings<'g>, window: usize) -> Quantised<'g> {
        let graph = encodings.z.graph();
        graph.scope("codebook", || {
            let kept = self.kept(graph);
            if !graph.is_assigned(kept.vectors) {
                let moved = self.moved(graph);
                let book = moved.map_or(kept.vectors, |moved| kept.vectors + moved);
                let assignment = nearest(encodings.z, book);
                return Quantised { assignment, vectors: assignment.of(book), used: None };
            }
            self.learn(encodings, kept, window)
        })
    }

    /// A step of training.
    fn learn<'g>(&self, encodings: Encodings<'g>, kept: Kept<'g>, window: usize) -> Quantised<'g> {
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
        let steps = kept.steps + 1.0;
        let age = zero.less(count).select(zero, kept.age + 1.0);
        let used = age.less(steps.minimum(graph.constant(window as f32))).sum(&[0]);
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
        Quantised { assignment, vectors: assignment.of(book), used: Some(used) }
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
