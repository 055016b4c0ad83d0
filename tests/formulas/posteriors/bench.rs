//! A graph with values for its leaves, and the statistics that tell a sample from a density.

use elbo::engine::distributions::{Posterior, PosteriorNetwork};
use elbo::engine::graph::eval::{Values, evaluate};
use elbo::engine::graph::{Graph, ParameterSpec};
use elbo::engine::nn::linear;

use crate::common::oracle::{Numbers, graph, values};

/// A tensor of a bench.
pub type Tensor = elbo::engine::graph::Tensor<'static>;

/// A graph under test.
pub struct Bench {
    /// The graph.
    pub graph: &'static Graph,
    /// What its leaves hold.
    pub values: Values,
    /// Numbers that are the same in every run.
    pub numbers: Numbers,
}

impl Bench {
    /// An empty one; codes on the simplex have τ = 0.7.
    pub fn new() -> Bench {
        let mut values = values(4);
        values.scalars.insert("temperature".to_string(), 0.7);
        Bench { graph: graph(), values, numbers: Numbers(11) }
    }

    /// Gives parameters random values between −`size` and `size`, which do not hang on the order they come in.
    pub fn fill(&mut self, parameters: &[ParameterSpec], size: f64) {
        let mut parameters: Vec<&ParameterSpec> = parameters.iter().collect();
        parameters.sort_by(|a, b| a.name.cmp(&b.name));
        for spec in parameters {
            let numbers = self.numbers.signed(spec.shape.iter().product());
            self.values.tensors.insert(spec.name.clone(), numbers.iter().map(|x| size * x).collect());
        }
    }

    /// The same for the parameters of the graph whose names begin like this.
    pub fn fill_where(&mut self, beginning: &str, size: f64) {
        let mut some = self.graph.parameters();
        some.retain(|spec| spec.name.starts_with(beginning));
        self.fill(&some, size);
    }

    /// The same for the parameters of the graph that have no values.
    pub fn fill_rest(&mut self, size: f64) {
        let mut rest = self.graph.parameters();
        rest.retain(|spec| !self.values.tensors.contains_key(&spec.name));
        self.fill(&rest, size);
    }

    /// An input `[rows, width]` that holds these rows.
    pub fn input(&mut self, name: &str, rows: &[Vec<f64>]) -> Tensor {
        self.values.tensors.insert(name.to_string(), rows.concat());
        self.graph.input(name, &[rows.len(), rows[0].len()])
    }

    /// Random numbers, the same in each of so many rows.
    pub fn same(&mut self, name: &str, rows: usize, width: usize) -> Tensor {
        let row = self.numbers.signed(width);
        self.input(name, &vec![row; rows])
    }

    /// The value of a tensor, row-major.
    pub fn value(&self, t: Tensor) -> Vec<f64> {
        evaluate(&self.values, &[t]).remove(0)
    }
}

/// A linear encoder, `encoder`.
#[derive(Debug)]
pub struct Network {
    features: usize,
    outputs: usize,
}

impl Network {
    /// Of so many values per example, for a posterior of so many dimensions.
    pub fn new(features: usize, posterior: &dyn Posterior, latent: usize) -> Network {
        Network { features, outputs: posterior.outputs(latent) }
    }
}

impl PosteriorNetwork for Network {
    fn features(&self) -> usize {
        self.features
    }

    fn outputs<'g>(&self, x: elbo::engine::graph::Tensor<'g>) -> elbo::engine::graph::Tensor<'g> {
        linear("encoder", x, self.outputs)
    }
}

/// Mean and standard error of numbers.
pub fn mean(numbers: &[f64]) -> (f64, f64) {
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// A distribution on the line, by its density on an even grid.
pub struct Cumulated {
    start: f64,
    step: f64,
    /// The integral up to each point.
    sums: Vec<f64>,
}

impl Cumulated {
    /// Of densities at `start`, `start + step`, …, by the trapezoid rule.
    pub fn new(start: f64, step: f64, density: &[f64]) -> Cumulated {
        let mut sum = 0.0;
        let mut sums = vec![0.0];
        sums.extend(density.windows(2).map(|pair| {
            sum += 0.5 * step * (pair[0] + pair[1]);
            sum
        }));
        Cumulated { start, step, sums }
    }

    /// The whole integral.
    pub fn total(&self) -> f64 {
        self.sums[self.sums.len() - 1]
    }

    /// The integral up to x.
    pub fn at(&self, x: f64) -> f64 {
        let place = ((x - self.start) / self.step).clamp(0.0, (self.sums.len() - 1) as f64 - 1e-9);
        let (i, along) = (place.floor() as usize, place.fract());
        self.sums[i] + along * (self.sums[i + 1] - self.sums[i])
    }

    /// The probability that a sample of this distribution is as far from it (Kolmogorov and Smirnov).
    pub fn probability(&self, sample: &[f64]) -> f64 {
        let mut sorted = sample.to_vec();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len() as f64;
        let far = |(i, x): (usize, &f64)| {
            let p = self.at(*x);
            ((i + 1) as f64 / n - p).max(p - i as f64 / n)
        };
        let distance = sorted.iter().enumerate().map(far).fold(0.0, f64::max);
        let lambda = distance * n.sqrt();
        let term = |k: i32| 2.0 * f64::from(1 - 2 * ((k + 1) % 2)) * (-2.0 * f64::from(k * k) * lambda * lambda).exp();
        (1..100).map(term).sum::<f64>().clamp(0.0, 1.0)
    }
}

/// Asserts that a sample is of a distribution, and that one that is moved by `shift` is not.
pub fn assert_sample(name: &str, cumulated: &Cumulated, sample: &[f64], shift: f64) {
    assert!((cumulated.total() - 1.0).abs() < 2e-3, "{name}: the density integrates to {}", cumulated.total());
    let p = cumulated.probability(sample);
    assert!(p > 1e-6, "{name}: the draws are not of the density (p = {p:e})");
    let moved: Vec<f64> = sample.iter().map(|x| x + shift).collect();
    let p = cumulated.probability(&moved);
    assert!(p < 1e-6, "{name}: draws that are moved by {shift} are not told apart (p = {p:e})");
}

/// ln |det a| of a square matrix by elimination with pivots.
pub fn log_det(mut a: Vec<Vec<f64>>) -> f64 {
    let n = a.len();
    let mut sum = 0.0;
    for i in 0..n {
        let pivot = (i..n).max_by(|&p, &q| a[p][i].abs().total_cmp(&a[q][i].abs())).expect("rows are left");
        a.swap(i, pivot);
        sum += a[i][i].abs().ln();
        let pivot = a[i].clone();
        for row in &mut a[i + 1..] {
            let factor = row[i] / pivot[i];
            row.iter_mut().zip(&pivot).for_each(|(x, p)| *x -= factor * p);
        }
    }
    sum
}
