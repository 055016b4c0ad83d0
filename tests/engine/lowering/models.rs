//! Graphs that models are made of, beyond the plain VAE.

use std::sync::Arc;

use elbo::engine::distributions::{Bernoulli, DiagonalGaussian};
use elbo::engine::kernels::{Func, Packing, Window};
use elbo::engine::models::{Group, Parts, Vae, WHOLE};
use elbo::engine::nn::Activation;
use elbo::engine::program::{DataSpec, Rule};
use elbo::engine::training::{Layout, Moved, Resident, Seen, TrainingStep};

use super::sketch::{Sketch, Tensor};
use crate::common::oracle::Device;

/// The mean over live rows of `[rows, n]`, summed over the rest, as a loss.
fn mean(s: &mut Sketch, t: Tensor) -> Tensor {
    let shape = t.shape().to_vec();
    let rows = t.sum(&(1..shape.len()).collect::<Vec<_>>());
    let rows = rows.reshape(&[shape[0], 1]);
    let weights = s.graph.row_weights(shape[0]);
    let weighted = rows * weights;
    let sum = weighted.sum(&[0]);
    sum.reshape(&[])
}

fn dense(s: &mut Sketch, x: Tensor, outputs: usize) -> Tensor {
    let inputs = x.shape()[1];
    let (weight, bias) = (s.param(0, &[outputs, inputs]), s.param(0, &[outputs]));
    x.matmul(weight.t()) + bias
}

/// A Gaussian layer: μ, ln σ², and a draw.
fn gaussian(s: &mut Sketch, x: Tensor, latent: usize) -> ([Tensor; 2], Tensor) {
    let outputs = dense(s, x, 2 * latent);
    let [mu, log_var] = DiagonalGaussian.split(outputs);
    let eps = s.graph.normal(s.graph.stream(), mu.shape());
    ([mu, log_var], s.graph.call(Func::Reparameterise, &[mu, log_var, eps]))
}

fn trained(mut s: Sketch, loss: Tensor, outputs: &[Tensor]) -> Sketch {
    (s.loss, s.statistics) = (Some(loss), vec![loss]);
    s.outputs = outputs.to_vec();
    s.finish()
}

/// Burda, Grosse & Salakhutdinov 2016: K samples per example, and the log of the mean of their weights.
fn importance_samples() -> Sketch {
    let (b, k, f, d) = (5, 3, 6, 2);
    let mut s = Sketch::new(1, 4);
    let x = s.batch("data", b, f);
    let hidden = dense(&mut s, x, 4).tanh();
    let outputs = dense(&mut s, hidden, 2 * d);
    let q = DiagonalGaussian.split(outputs);
    let [mu, log_var, wide] = [q[0], q[1], x].map(|t| t.repeat_rows(k));
    let eps = s.graph.normal(s.graph.stream(), &[b * k, d]);
    let z = s.graph.call(Func::Reparameterise, &[mu, log_var, eps]);
    let logits = dense(&mut s, z, f);
    let zero = s.graph.constant(0.0);
    let row = |func: Func, args: &[Tensor]| s.graph.call(func, args).sum_rows();
    let likelihood = row(Func::BernoulliLogProb, &[logits, wide]);
    let prior = row(Func::GaussianLogProb, &[z, zero, zero]);
    let posterior = row(Func::GaussianLogProb, &[z, mu, log_var]);
    let weights = (likelihood + prior - posterior).reshape(&[b, k]);
    let bound = weights.log_sum_exp(&[1]);
    let loss = -mean(&mut s, bound);
    trained(s, loss, &[weights, bound])
}

/// Only what was observed counts in the likelihood.
fn missing_data() -> Sketch {
    let mut s = Sketch::new(2, 6);
    let (x, seen) = (s.batch("data", 6, 7), s.batch("seen", 6, 7));
    let zero = s.graph.constant(0.0);
    let mask = zero.less(seen);
    let observed = x * mask;
    let (q, z) = gaussian(&mut s, observed, 3);
    let logits = dense(&mut s, z, 7);
    let log_prob = s.graph.call(Func::BernoulliLogProb, &[logits, x]);
    let log_prob = mask.select(log_prob, zero);
    let kl = s.graph.call(Func::KlStandardNormal, &q);
    let (likelihood, kl) = (mean(&mut s, log_prob), mean(&mut s, kl));
    let loss = kl - likelihood;
    trained(s, loss, &[mask, logits])
}

/// Two sets of parameters in one graph, of which the first is trained.
fn adversary() -> Sketch {
    let mut s = Sketch::new(3, 5);
    let x = s.batch("data", 5, 4);
    let h = dense(&mut s, x, 6);
    let h = s.graph.call(Func::LeakyRelu, &[h]);
    let (w, b) = (s.param(1, &[1, 6]), s.param(1, &[1]));
    let score = h.matmul(w.t()) + b;
    let loss = mean(&mut s, score.softplus());
    trained(s, loss, &[score])
}

/// Two stochastic layers: x → z₁ → z₂ and back.
fn ladder() -> Sketch {
    let mut s = Sketch::new(4, 5);
    let x = s.batch("data", 6, 8);
    let (q1, z1) = gaussian(&mut s, x, 4);
    let (q2, z2) = gaussian(&mut s, z1, 2);
    let (p1, _) = gaussian(&mut s, z2, 4);
    let logits = dense(&mut s, z1, 8);
    let inner = s.graph.call(Func::GaussianLogProb, &[z1, p1[0], p1[1]]);
    let entropy = s.graph.call(Func::GaussianLogProb, &[z1, q1[0], q1[1]]);
    let likelihood = s.graph.call(Func::BernoulliLogProb, &[logits, x]);
    let kl = s.graph.call(Func::KlStandardNormal, &q2);
    let terms = [likelihood, inner, entropy, kl].map(|t| mean(&mut s, t));
    let loss = (terms[2] + terms[3]) - (terms[0] + terms[1]);
    let mut s = trained(s, loss, &[z1, z2]);
    s.statistics.extend(terms);
    s
}

/// Sohn, Lee & Yan 2015: the data joined with a condition, on both sides.
fn conditional() -> Sketch {
    let mut s = Sketch::new(5, 6);
    let (x, y) = (s.batch("data", 6, 5), s.batch("label", 6, 3));
    let both = s.graph.concat(&[x, y], 1);
    let (q, z) = gaussian(&mut s, both, 2);
    let code = s.graph.concat(&[z, y], 1);
    let logits = dense(&mut s, code, 5);
    let likelihood = s.graph.call(Func::BernoulliLogProb, &[logits, x]);
    let kl = s.graph.call(Func::KlStandardNormal, &q);
    let (likelihood, kl) = (mean(&mut s, likelihood), mean(&mut s, kl));
    let loss = kl - likelihood;
    trained(s, loss, &[both, x, x, code])
}

/// Blundell et al. 2015: weights that are distributions. The gradient of ln σ² is made from that of μ.
fn uncertain_weights() -> Sketch {
    let mut s = Sketch::new(6, 6);
    let x = s.batch("data", 6, 5);
    let (mu, log_var) = (s.param(0, &[5, 4]), s.param(0, &[5, 4]));
    let stream = s.graph.stream();
    let eps = s.graph.normal(stream, &[5, 4]);
    let weight = s.graph.call(Func::Reparameterise, &[mu, log_var, eps]);
    let y = x.matmul(weight);
    let y = y.square();
    let kl = s.graph.call(Func::KlStandardNormal, &[mu, log_var]);
    let kl = kl.sum(&[0, 1]);
    let kl = kl.reshape(&[]);
    let cost = mean(&mut s, y);
    let loss = cost + kl;
    trained(s, loss, &[y])
}

/// Huang et al. 2017: every layer reads all before it.
fn dense_connections() -> Sketch {
    let mut s = Sketch::new(7, 4);
    let mut x = s.batch("data", 4, 3);
    for _ in 0..3 {
        let y = dense(&mut s, x, 4);
        let y = s.graph.call(Func::Silu, &[y]);
        x = s.graph.concat(&[x, y], 1);
    }
    let cost = x.square();
    let loss = mean(&mut s, cost);
    trained(s, loss, &[x])
}

/// Dauphin et al. 2017: a layer that a second one gates, and another behind it.
fn gated() -> Sketch {
    let mut s = Sketch::new(11, 5);
    let mut x = s.batch("data", 6, 7);
    for width in [5, 4] {
        let (y, gate) = (dense(&mut s, x, width), dense(&mut s, x, width));
        let open = gate.sigmoid();
        x = y * open;
    }
    let loss = mean(&mut s, x);
    trained(s, loss, &[x])
}

/// Two convolutions and their transposes, of odd sizes; patches that a product reads and something else does; a product that is
/// folded and read besides.
fn convolutions() -> Sketch {
    let mut s = Sketch::new(12, 3);
    let (rows, first) = (4, Window { channels: 2, ..Window::square([5, 7], 1, 3, 2, 1) });
    let second = Window { padding: [[1, 0], [1, 2]], ..Window::square(first.places(), 4, 2, 2, 0) };
    let x = s.batch("data", rows, first.pixels() * 2);
    let convolve = |s: &mut Sketch, x: Tensor, window: Window, outputs: usize| {
        let (weight, bias) = (s.param(0, &[outputs, window.width()]), s.param(0, &[outputs]));
        x.patches(window).matmul(weight.t()) + bias
    };
    let transpose = |s: &mut Sketch, x: Tensor, window: Window| {
        let (weight, bias) = (s.param(0, &[x.width(), window.width()]), s.param(0, &[window.channels]));
        x.matmul(weight).fold(window) + bias
    };
    let h = convolve(&mut s, x, first, 4);
    let h = s.graph.call(Func::Silu, &[h]);
    let code = convolve(&mut s, h, second, 3).tanh();
    let h = transpose(&mut s, code, second);
    let h = s.graph.call(Func::Silu, &[h]);
    let back = transpose(&mut s, h, first).reshape(&[rows, first.pixels() * 2]);
    let likelihood = s.graph.call(Func::BernoulliLogProb, &[back, x]);
    let cost = -mean(&mut s, likelihood);
    let patches = h.patches(first_of(second));
    let (weight, other) = (s.param(0, &[3, patches.width()]), s.param(0, &[3, second.width()]));
    let sharp = patches.matmul(weight.t()).tanh();
    let product = sharp.slice(0, 0, rows * second.rows()).matmul(other);
    let folded = product.fold(second);
    let more = [patches.square(), product.square(), folded.square()].map(|t| t.mean(&[0, 1]).reshape(&[]));
    let loss = cost + more[0] + more[1] + more[2];
    trained(s, loss, &[code, back, patches, folded])
}

/// A window on the pictures of another, with as many places as that has or more.
fn first_of(window: Window) -> Window {
    Window { stride: [1, 1], ..window }
}

/// Rows against their own sums, normalised: a product that needs the sums of its first operand.
fn normalised_rows() -> Sketch {
    let mut s = Sketch::new(8, 4);
    let a = s.param(0, &[6, 4]);
    let a = a.exp();
    let sums = a.sum(&[0]);
    let shares = a / sums;
    let gram = a.t().matmul(shares);
    let loss = gram.sum(&[0, 1]);
    let loss = loss.reshape(&[]);
    trained(s, loss, &[gram, sums])
}

/// One weight used by twelve layers, and twelve parameters with one gradient: more than one call can bind.
fn many_of_one() -> Sketch {
    let mut s = Sketch::new(9, 4);
    let mut x = s.batch("data", 4, 5);
    let weight = s.param(0, &[5, 5]);
    let mut shifts = Vec::new();
    for _ in 0..12 {
        x = x.matmul(weight);
        x = x.tanh();
        shifts.push(s.param(0, &[4, 5]));
    }
    let sum = shifts.iter().fold(x, |sum, &shift| sum + shift);
    let cost = sum.square();
    let loss = mean(&mut s, cost);
    let mut s = trained(s, loss, &[x, x, x, x, x, x, x, x, x, x]);
    s.statistics.extend(shifts);
    s
}

/// A tensor that is joined to another, and read in another shape as well, in either order.
fn joined_and_regrouped() -> Sketch {
    let mut s = Sketch::new(10, 4);
    let x = s.input("x", &[4, 6]);
    let (a, b) = (x.tanh(), x.square());
    let early = s.graph.concat(&[a, b], 1);
    let regrouped = [a, b].map(|t| t.reshape(&[8, 3]));
    let late = s.graph.concat(&[b, a, b], 1);
    let regrouped = regrouped.map(|t| t.sigmoid());
    // Parts of it beside what reads the whole of it.
    let whole = late * 1.5;
    let part = whole.slice(1, 6, 6);
    let part = part * a;
    s.outputs = vec![early, regrouped[0], regrouped[1], whole, part, late];
    s.finish()
}

/// What is joined to many others: something computed, a constant and a parameter, each more often than a call can write it.
fn joined_often() -> Sketch {
    let mut s = Sketch::new(11, 4);
    let (x, p) = (s.input("x", &[4, 6]), s.param(0, &[4, 2]));
    let (computed, none) = (x.tanh(), s.graph.full(0.5, &[4, 1]));
    let with = |s: &Sketch, i: usize| s.graph.concat(&[computed * (1.0 + i as f32), none, computed, p], 1);
    let joined: Vec<Tensor> = (0..19).map(|i| with(&s, i)).collect();
    let inner = s.graph.concat(&[joined[0], computed], 1);
    let sum = joined.iter().fold(s.graph.full(0.0, &[4, 15]), |sum, &t| sum + t);
    s.outputs = vec![sum, computed, inner, joined[18], computed, computed, computed];
    s.statistics = joined;
    s.finish()
}

/// All of them, with a leaf that matters to each.
pub fn all() -> Vec<(&'static str, &'static str, Sketch)> {
    vec![
        ("importance samples", "data", importance_samples()),
        ("missing data", "p0", missing_data()),
        ("adversary", "q0", adversary()),
        ("ladder", "data", ladder()),
        ("conditional", "label", conditional()),
        ("uncertain weights", "p1", uncertain_weights()),
        ("dense connections", "data", dense_connections()),
        ("gated", "p2", gated()),
        ("convolutions", "data", convolutions()),
        ("normalised rows", "p0", normalised_rows()),
        ("many of one", "p0", many_of_one()),
        ("joined and regrouped", "x", joined_and_regrouped()),
        ("joined often", "x", joined_often()),
    ]
}

/// The calls of a training step of the classic VAE, 784-400-20 in batches of 128, and their listing.
pub fn classic() -> (usize, String) {
    let vae = Vae::new(784, 20, (&[400], &[400]), Activation::Relu, Parts::new(Arc::new(Bernoulli)));
    let groups = [Moved::new(&Group::new(WHOLE, ""), Rule::of(&"adam".into()).unwrap())];
    let data = DataSpec::whole(60_000, 784, Packing::Bytes);
    let data = Resident { name: "train".into(), values: data, conditions: None, observed: None, weights: None };
    let step = TrainingStep {
        groups: &groups,
        data: (&data, 128),
        labelled: None,
        seen: Seen::default(),
        gathers: false,
        largest_buffer: u64::MAX,
    };
    let program = step.phase(&vae, &Layout::new(&vae), 0);
    (program.calls.len(), program.listing())
}

/// Training one set moves it, and no bit of the other.
pub fn two_sets(device: &mut Device) {
    let s = adversary();
    let (far, place) = s.worst(device);
    assert!(far < 1e-4, "{place}: {far:e}");
    let words = |name: &str, device: &mut Device| device.executor.read_f32(&format!("{name}.values")).unwrap();
    let (first, second) = (words("first", device), words("second", device));
    let start = |name: &str| s.values.tensors[name].iter().map(|&v| v as f32).collect::<Vec<_>>();
    assert_ne!(first[..24], start("p0")[..]);
    assert_eq!(second[..6], start("q0")[..]);
}
