//! A forest of classification trees (Breiman 2001, "Random forests"): which latent dimensions a factor is read from.
//!
//! Each tree is grown on rows drawn with replacement, and splits where `Σ l²/|l| + Σ r²/|r|`, the sums over class counts
//! left and right, is largest: the greatest decrease of Gini impurity. All dimensions compete for every split, as where
//! only some do, an irrelevant dimension wins splits for want of a rival. Among equal splits chance decides; otherwise the
//! first dimension would collect the small nodes, which any dimension divides.
//!
//! Trees are grown to [`MAX_DEPTH`] and can be read as if they had been stopped at any smaller depth.
//!
//! Every dimension is sorted once; a split divides the sorted lists and keeps their order, so a level of a tree costs
//! rows × dimensions.

use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

const TREES: usize = 20;

/// The depth at which trees end: what a balanced tree needs for a million leaves.
pub const MAX_DEPTH: usize = 20;

/// A fitted forest.
pub struct Forest {
    trees: Vec<Vec<Node>>,
    dims: usize,
    classes: usize,
}

/// One node of a tree; a leaf's children are 0, the root.
struct Node {
    depth: usize,
    /// The most frequent class here.
    class: u32,
    dim: usize,
    /// Rows up to and with this value go left.
    threshold: f32,
    children: [u32; 2],
    /// How much the split lowers the impurity, times the share of the rows here.
    gain: f64,
}

impl Forest {
    /// Fits the `rows` of `dims`, columns of all rows, to `labels` below `classes`.
    pub fn fit(dims: &[Vec<f32>], labels: &[u32], classes: usize, rows: &[u32], seed: u64) -> Forest {
        let sorted: Vec<Vec<u32>> = dims
            .par_iter()
            .map(|dim| {
                let mut order = rows.to_vec();
                order.sort_by(|&a, &b| dim[a as usize].total_cmp(&dim[b as usize]));
                order
            })
            .collect();
        let tree = |number: usize| {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed.wrapping_add(number as u64));
            let mut drawn = vec![0usize; labels.len()];
            (0..rows.len()).for_each(|_| drawn[rows[rng.random_range(0..rows.len())] as usize] += 1);
            let lists = sorted
                .iter()
                .map(|order| order.iter().flat_map(|&row| std::iter::repeat_n(row, drawn[row as usize])).collect())
                .collect();
            Growth { dims, labels, classes, lists, goes_left: vec![false; labels.len()], rng }.grow()
        };
        Forest { trees: (0..TREES).into_par_iter().map(tree).collect(), dims: dims.len(), classes }
    }

    /// The share of the impurity's decrease that each dimension brings in trees stopped at `depth`, `[dims]`: they sum to
    /// 1, or are all 0 if nothing was split.
    pub fn importances(&self, depth: usize) -> Vec<f64> {
        let mut gains = vec![0.0; self.dims];
        let nodes = self.trees.iter().flatten();
        nodes.filter(|node| node.depth < depth).for_each(|node| gains[node.dim] += node.gain);
        let total: f64 = gains.iter().sum();
        if total > 0.0 {
            gains.iter_mut().for_each(|gain| *gain /= total);
        }
        gains
    }

    /// The share of `rows` whose class most trees, stopped at `depth`, name.
    pub fn accuracy(&self, dims: &[Vec<f32>], labels: &[u32], rows: &[u32], depth: usize) -> f64 {
        let right = rows.par_iter().filter(|&&row| self.predict(dims, row as usize, depth) == labels[row as usize]);
        right.count() as f64 / rows.len().max(1) as f64
    }

    fn predict(&self, dims: &[Vec<f32>], row: usize, depth: usize) -> u32 {
        let mut votes = vec![0u32; self.classes];
        for tree in &self.trees {
            let mut node = &tree[0];
            while node.children[0] != 0 && node.depth < depth {
                let right = dims[node.dim][row] > node.threshold;
                node = &tree[node.children[usize::from(right)] as usize];
            }
            votes[node.class as usize] += 1;
        }
        most_frequent(&votes)
    }
}

/// The first class with the largest count.
fn most_frequent(counts: &[u32]) -> u32 {
    (0..counts.len()).fold(0, |best, class| if counts[class] > counts[best] { class } else { best }) as u32
}

/// One tree while it grows.
struct Growth<'a> {
    dims: &'a [Vec<f32>],
    labels: &'a [u32],
    classes: usize,
    /// For every dimension the tree's rows; those of a node lie side by side at the same place in every list, sorted.
    lists: Vec<Vec<u32>>,
    goes_left: Vec<bool>,
    rng: Xoshiro256PlusPlus,
}

/// The best split found: what is to be maximised, where, and how many rows go left.
struct Split {
    merit: f64,
    dim: usize,
    left: usize,
}

impl Growth<'_> {
    fn grow(mut self) -> Vec<Node> {
        let total = self.lists[0].len();
        let mut tree = vec![self.node(0, 0, total)];
        let mut open = vec![(0, 0, total)];
        while let Some((at, start, end)) = open.pop() {
            let Some(split) = self.best_split(start, end).filter(|_| tree[at].depth < MAX_DEPTH) else { continue };
            let middle = start + split.left;
            let depth = tree[at].depth + 1;
            let list = &self.lists[split.dim];
            let [low, high] = [list[middle - 1], list[middle]].map(|row| self.dims[split.dim][row as usize]);
            let between = low + (high - low) / 2.0;
            // Between neighbours among the floats, or where the difference overflows, there is no middle.
            tree[at].threshold = if low <= between && between < high { between } else { low };
            tree[at].dim = split.dim;
            tree[at].gain = (split.merit - self.merit_of_whole(start, end)).max(0.0) / total as f64;
            self.divide(split.dim, start, middle, end);
            for (side, (start, end)) in [(start, middle), (middle, end)].into_iter().enumerate() {
                tree[at].children[side] = tree.len() as u32;
                open.push((tree.len(), start, end));
                tree.push(self.node(depth, start, end));
            }
        }
        tree
    }

    fn counts(&self, start: usize, end: usize) -> Vec<u32> {
        let mut counts = vec![0; self.classes];
        self.lists[0][start..end].iter().for_each(|&row| counts[self.labels[row as usize] as usize] += 1);
        counts
    }

    fn node(&self, depth: usize, start: usize, end: usize) -> Node {
        let class = most_frequent(&self.counts(start, end));
        Node { depth, class, dim: 0, threshold: 0.0, children: [0, 0], gain: 0.0 }
    }

    /// `Σ c²/n` over the class counts of an undivided node.
    fn merit_of_whole(&self, start: usize, end: usize) -> f64 {
        self.counts(start, end).iter().map(|&count| f64::from(count).powi(2)).sum::<f64>() / (end - start) as f64
    }

    /// None where all rows are of one class, or no dimension tells them apart.
    fn best_split(&mut self, start: usize, end: usize) -> Option<Split> {
        let whole = self.counts(start, end);
        if whole.iter().filter(|&&count| count > 0).count() < 2 {
            return None;
        }
        let all_squares: u64 = whole.iter().map(|&count| u64::from(count).pow(2)).sum();
        let mut order: Vec<usize> = (0..self.dims.len()).collect();
        order.shuffle(&mut self.rng);
        let mut best: Option<Split> = None;
        for dim in order {
            let (list, values) = (&self.lists[dim][start..end], &self.dims[dim]);
            let (mut left, mut right) = (vec![0u32; self.classes], whole.clone());
            let (mut left_squares, mut right_squares) = (0u64, all_squares);
            for (i, pair) in list.windows(2).enumerate() {
                let class = self.labels[pair[0] as usize] as usize;
                left_squares += 2 * u64::from(left[class]) + 1;
                right_squares -= 2 * u64::from(right[class]) - 1;
                left[class] += 1;
                right[class] -= 1;
                if values[pair[0] as usize] < values[pair[1] as usize] {
                    let (l, r) = (i + 1, list.len() - i - 1);
                    let merit = left_squares as f64 / l as f64 + right_squares as f64 / r as f64;
                    if best.as_ref().is_none_or(|best| merit > best.merit) {
                        best = Some(Split { merit, dim, left: l });
                    }
                }
            }
        }
        best
    }

    /// Brings the rows that go left before the others in every list, each in its old order.
    fn divide(&mut self, dim: usize, start: usize, middle: usize, end: usize) {
        self.lists[dim][start..end].iter().enumerate().for_each(|(i, &row)| {
            self.goes_left[row as usize] = start + i < middle;
        });
        for list in &mut self.lists {
            let (left, right): (Vec<u32>, Vec<u32>) =
                list[start..end].iter().partition(|&&row| self.goes_left[row as usize]);
            list[start..middle].copy_from_slice(&left);
            list[middle..end].copy_from_slice(&right);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two dimensions on a grid of 16 × 16 cells, several rows each, and a third of noise.
    fn grid() -> (Vec<Vec<f32>>, Vec<u32>) {
        let n = 1024;
        let dim = |f: fn(usize) -> usize| (0..n).map(|i| f(i) as f32).collect();
        (vec![dim(|i| i % 16), dim(|i| i / 16 % 16), dim(|i| i * 7919 % 1024)], (0..n as u32).collect())
    }

    #[test]
    fn a_factor_of_one_dimension_is_read_from_it_alone() {
        let (dims, rows) = grid();
        let labels: Vec<u32> = dims[1].iter().map(|&x| x as u32 / 2).collect();
        let forest = Forest::fit(&dims, &labels, 8, &rows, 1);
        assert_eq!(forest.importances(MAX_DEPTH), [0.0, 1.0, 0.0]);
        assert_eq!(forest.accuracy(&dims, &labels, &rows, MAX_DEPTH), 1.0);
        // A single split in each tree cannot tell eight classes apart.
        assert!(forest.accuracy(&dims, &labels, &rows, 1) < 0.7);
    }

    #[test]
    fn a_factor_of_two_dimensions_is_read_from_both() {
        let (dims, rows) = grid();
        let labels: Vec<u32> = (0..rows.len()).map(|i| u32::from(dims[0][i] + dims[1][i] > 15.5)).collect();
        let forest = Forest::fit(&dims, &labels, 2, &rows, 1);
        let shares = forest.importances(MAX_DEPTH);
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(shares[0] > 0.35 && shares[1] > 0.35 && shares[2] < 0.05, "{shares:?}");
    }

    #[test]
    fn noise_spreads_over_all_dimensions_and_predicts_nothing_new() {
        let n = 2000;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
        let dims: Vec<Vec<f32>> = (0..4).map(|_| (0..n).map(|_| rng.random::<f32>()).collect()).collect();
        let labels: Vec<u32> = (0..n).map(|_| rng.random_range(0..5)).collect();
        let rows: Vec<u32> = (0..n as u32).collect();
        let forest = Forest::fit(&dims, &labels, 5, &rows[..1000], 2);
        assert!(forest.importances(MAX_DEPTH).iter().all(|share| (share - 0.25).abs() < 0.05));
        assert!(forest.accuracy(&dims, &labels, &rows[..1000], MAX_DEPTH) > 0.9);
        assert!((forest.accuracy(&dims, &labels, &rows[1000..], MAX_DEPTH) - 0.2).abs() < 0.05);
        assert_eq!(forest.importances(7), Forest::fit(&dims, &labels, 5, &rows[..1000], 2).importances(7));
        assert_ne!(forest.importances(7), Forest::fit(&dims, &labels, 5, &rows[..1000], 3).importances(7));
    }

    #[test]
    fn a_split_lies_halfway_between_neighbours() {
        // Trained on rows at 0 and 10, and asked about rows in between.
        let dims = [[vec![0.0; 8], vec![10.0; 8], vec![4.9, 5.1]].concat()];
        let labels = [vec![0; 8], vec![1; 8], vec![0, 1]].concat();
        let rows: Vec<u32> = (0..18).collect();
        let forest = Forest::fit(&dims, &labels, 2, &rows[..16], 1);
        assert_eq!(forest.accuracy(&dims, &labels, &rows[16..], MAX_DEPTH), 1.0);
        assert_eq!(forest.accuracy(&dims, &[vec![0; 16], vec![1, 0]].concat(), &rows[16..], MAX_DEPTH), 0.0);
    }

    #[test]
    fn constants_cannot_be_split() {
        let forest = Forest::fit(&[vec![1.0; 10]], &[0, 1, 0, 1, 0, 1, 0, 1, 0, 1], 2, &[0, 1, 2, 3, 4, 5], 1);
        assert_eq!(forest.importances(MAX_DEPTH), [0.0]);
    }
}
