//! Cases of what is a VAE's own: the sample with its KL divergence, likelihoods with their gradients, batches.

use super::build::{Build, shape, view};
use super::{Case, Fill, Input, Scale};
use crate::kernels::{
    Access, Augment, Augmented, Batch, Binarise, Func, Instr, Order, Packing, RandomStream, Reg, View,
};

/// Sample and KL divergence, forward and backward.
pub(super) fn gaussian() -> Vec<Case> {
    let mut all = Vec::new();
    for [batch, latent] in [[1, 1], [5, 3], [17, 64], [3, 65]] {
        all.extend([sample(batch, latent), sample_gradients(batch, latent)]);
    }
    all.extend([sample(128, 20).realistic(), sample_gradients(128, 20).realistic()]);
    all
}

/// Loads μ and ln σ² from the two halves of the encoder's output, [batch, 2·latent].
fn heads(build: &mut Build) -> [Reg; 2] {
    let [batch, latent] = build.map.extents[..] else { unreachable!("two dimensions") };
    let binding = build.bind(Access::Read, Input::new(2 * batch * latent, Fill::Normal(-0.5, 1.0)));
    [0, latent].map(|offset| build.load_from(binding, view(offset, &[2 * latent, 1])))
}

/// z = μ + σε and ε, stored; the KL divergence, summed per row.
fn sample(batch: usize, latent: usize) -> Case {
    let mut build = Build::new(&[batch, latent], 1);
    let [mu, log_var] = heads(&mut build);
    let eps = build
        .push(Instr::Normal(RandomStream { number: 1, per_row: latent as u32 }, View::contiguous(&[batch, latent])));
    let z = build.call(Func::Reparameterise, &[mu, log_var, eps]);
    let kl = build.call(Func::KlStandardNormal, &[mu, log_var]);
    build.store(z);
    build.store(eps);
    build.sum(kl);
    build.case(format!("sample and KL {}", shape(&[batch, latent]))).roundings(latent.max(64))
}

/// The gradients of μ and ln σ² from that of z and the KL divergence's weight, side by side in one buffer.
fn sample_gradients(batch: usize, latent: usize) -> Case {
    let mut build = Build::new(&[batch, latent], 0);
    let [mu, log_var] = heads(&mut build);
    let (g, eps) = (build.load(Fill::Normal(0.0, 0.1)), build.load(Fill::Normal(0.0, 1.0)));
    let (weight, beta) = (build.row_weight(), build.push(Instr::Scalar(2)));
    let weight = build.call(Func::Mul, &[weight, beta]);
    let from_kl = build.call(Func::Mul, &[weight, mu]);
    let mu_gradient = build.call(Func::Add, &[g, from_kl]);
    let from_z = build.call(Func::ReparameteriseGradLogVar, &[g, log_var, eps]);
    let from_kl = build.call(Func::KlStandardNormalGradLogVar, &[weight, log_var]);
    let log_var_gradient = build.call(Func::Add, &[from_z, from_kl]);
    let binding = build.bind(Access::Write, Input::output(2 * batch * latent));
    build.store_to(binding, mu_gradient, view(0, &[2 * latent, 1]));
    build.store_to(binding, log_var_gradient, view(latent, &[2 * latent, 1]));
    build.case(format!("gradients of sample and KL {}", shape(&[batch, latent]))).roundings(64)
}

/// Log-likelihoods summed per row, with the gradient of the weighted negative in the same pass.
pub(super) fn likelihoods() -> Vec<Case> {
    let mut all = Vec::new();
    for [batch, features] in [[1, 1], [5, 17], [3, 257]] {
        all.extend([bernoulli(batch, features, Fill::Uniform(0.0, 1.0)), gaussian_fixed(batch, features)]);
        all.push(gaussian_learned(batch, features));
    }
    all.push(bernoulli(4, 31, Fill::Whole(2)));
    all.push(bernoulli(128, 784, Fill::Uniform(0.0, 1.0)).realistic());
    all.push(gaussian_learned(128, 784).realistic());
    all
}

fn negated_weight(build: &mut Build) -> Reg {
    let weight = build.row_weight();
    build.call(Func::Neg, &[weight])
}

/// ∂/∂l of −w·ln p(x; l) is w·(σ(l) − x).
fn bernoulli(batch: usize, features: usize, x: Fill) -> Case {
    let mut build = Build::new(&[batch, features], 1);
    let (logit, x) = (build.load(Fill::Normal(0.0, 4.0)), build.load(x));
    let log_prob = build.call(Func::BernoulliLogProb, &[logit, x]);
    build.sum(log_prob);
    let mean = build.call(Func::Sigmoid, &[logit]);
    let difference = build.call(Func::Sub, &[mean, x]);
    let weight = build.row_weight();
    let gradient = build.call(Func::Mul, &[weight, difference]);
    build.store(gradient);
    likelihood(build, &format!("Bernoulli {batch}×{features}"))
}

/// One fixed ln σ² = −2 for all.
fn gaussian_fixed(batch: usize, features: usize) -> Case {
    let mut build = Build::new(&[batch, features], 1);
    let (x, mu) = (build.load(Fill::Uniform(0.0, 1.0)), build.load(Fill::Normal(0.5, 1.0)));
    let log_var = build.constant(-2.0);
    let log_prob = build.call(Func::GaussianLogProb, &[x, mu, log_var]);
    build.sum(log_prob);
    let precision = build.constant(libm::expf(2.0));
    let difference = build.call(Func::Sub, &[x, mu]);
    let pull = build.call(Func::Mul, &[difference, precision]);
    let weight = negated_weight(&mut build);
    let gradient = build.call(Func::Mul, &[weight, pull]);
    build.store(gradient);
    likelihood(build, &format!("Gaussian {batch}×{features}, fixed variance"))
}

/// A learned ln σ² per feature and row; gradients of μ and of ln σ².
fn gaussian_learned(batch: usize, features: usize) -> Case {
    let mut build = Build::new(&[batch, features], 1);
    let (x, mu) = (build.load(Fill::Uniform(0.0, 1.0)), build.load(Fill::Normal(0.5, 1.0)));
    let log_var = build.load(Fill::Normal(-1.0, 0.5));
    let log_prob = build.call(Func::GaussianLogProb, &[x, mu, log_var]);
    build.sum(log_prob);
    let weight = negated_weight(&mut build);
    let negated = build.call(Func::Neg, &[log_var]);
    let precision = build.call(Func::Exp, &[negated]);
    let difference = build.call(Func::Sub, &[x, mu]);
    let pull = build.call(Func::Mul, &[difference, precision]);
    let mu_gradient = build.call(Func::Mul, &[weight, pull]);
    build.store(mu_gradient);
    let energy = build.call(Func::Mul, &[difference, pull]);
    let one = build.constant(1.0);
    let excess = build.call(Func::Sub, &[energy, one]);
    let half = build.constant(0.5);
    let halved = build.call(Func::Mul, &[half, excess]);
    let log_var_gradient = build.call(Func::Mul, &[weight, halved]);
    build.store(log_var_gradient);
    likelihood(build, &format!("Gaussian {batch}×{features}, learned variance"))
}

fn likelihood(build: Build, label: &str) -> Case {
    let features = build.map.extents[1];
    build.case(label).roundings(features.max(64)).scale(Scale::Largest(1.0))
}

/// Batches of every packing, in both orders, as they are and binarised.
pub(super) fn batches() -> Vec<Case> {
    let mut all = Vec::new();
    let packings = [Packing::Bits, Packing::Bytes, Packing::Floats];
    for packing in packings {
        // Row lengths that do and do not fill their words; data sets smaller and larger than the batch.
        all.push(batch(5, 67, 11, packing, Order::Sequential, Binarise::Never));
        all.push(batch(9, 64, 4, packing, Order::Shuffled, Binarise::Never));
    }
    for packing in [Packing::Bytes, Packing::Floats] {
        all.push(batch(7, 33, 100, packing, Order::Shuffled, Binarise::Sample(6)));
        all.push(batch(7, 33, 5, packing, Order::InTurn, Binarise::Never));
        all.push(batch(3, 128, 17, packing, Order::Sequential, Binarise::Sample(6)));
    }
    for order in [Order::Sequential, Order::Shuffled, Order::InTurn] {
        let part = batch(4, 30, 50, Packing::Bytes, order, Binarise::Sample(6));
        all.push(part.step(|step| step.row_offset = 5));
    }
    for order in [Order::Sequential, Order::Shuffled] {
        // One window in several buffers; windows in one buffer, in two and in seven. A batch has more rows than the data, so that all
        // buffers count.
        for (window, buffer) in [(20, 20), (20, 6), (13, 26), (13, 13), (7, 14), (7, 2)] {
            all.push(parts(Packing::Bytes, order, window, buffer));
        }
    }
    all.push(parts(Packing::Bits, Order::InTurn, 20, 3));
    all.extend(augmented());
    all.push(batch(1, 1, 1, Packing::Bytes, Order::Shuffled, Binarise::Never));
    all.push(batch(128, 784, 500, Packing::Bytes, Order::Shuffled, Binarise::Never).realistic());
    all.push(batch(128, 784, 500, Packing::Bytes, Order::Shuffled, Binarise::Sample(1)).realistic());
    all
}

/// Pictures that are changed in every way, of one channel to four, odd sizes, and bits that do not fill their words.
fn augmented() -> Vec<Case> {
    let flip = Augment { flip: true, ..Augment::default() };
    let all = Augment { flip: true, flip_vertical: true, shift: 2, crop: 3 };
    let ways =
        [flip, Augment { flip_vertical: true, ..flip }, Augment { shift: 1, ..flip }, Augment { crop: 2, ..flip }, all];
    let shapes = [[3, 2, 1], [5, 7, 3], [4, 4, 2], [7, 5, 4], [6, 9, 1]];
    let mut cases = vec![];
    for (how, shape) in ways.into_iter().zip(shapes) {
        for packing in [Packing::Bits, Packing::Bytes, Packing::Floats] {
            let augment = Some(Augmented { shape, how, stream: 9 });
            let (features, binarise) = (shape.iter().product(), Binarise::Sample(6));
            let whole = Batch::whole(37, features, 23, packing, Order::Shuffled, Binarise::Never);
            cases.push(batch_of(Batch { augment, ..whole }));
            cases.push(batch_of(Batch { augment, buffer: 6, read: (0, 4), ..whole }));
            cases.push(batch_of(Batch { augment, binarise, ..whole }).step(|step| step.row_offset = 5));
        }
    }
    cases
}

fn batch(rows: usize, features: usize, count: usize, packing: Packing, order: Order, binarise: Binarise) -> Case {
    batch_of(Batch::whole(rows, features, count, packing, order, binarise))
}

/// A batch of data that is held in two windows, or in several buffers, all of which are read.
fn parts(packing: Packing, order: Order, window: usize, buffer: usize) -> Case {
    let whole = Batch::whole(24, 34, 20, packing, order, Binarise::Never);
    let held = if window < whole.count { 2 * window } else { whole.count };
    batch_of(Batch { window, buffer, read: (0, held.div_ceil(buffer)), ..whole })
}

fn batch_of(kernel: Batch) -> Case {
    let Batch { rows, features, count, packing, order, augment, binarise, window, buffer, read } = kernel;
    let fill = if packing == Packing::Floats { Fill::Uniform(0.0, 1.0) } else { Fill::Bits };
    let held = if window < count { 2 * window } else { count };
    let of_buffer = |i: usize| Input::new(buffer.min(held - i * buffer) * kernel.row_words(), fill);
    let inputs = (0..read.1).map(of_buffer).chain([Input::output(rows * features)]).collect();
    let part = if read.1 > 1 || window < count {
        format!(" in windows of {window}, buffers of {buffer}")
    } else {
        String::new()
    };
    let changed = augment.map_or(String::new(), |augment| format!(" {augment:?}"));
    let label = format!("{rows} of {count}×{features} {packing:?} {order:?}{changed} {binarise:?}{part}");
    // From the third row on, and where that passes the data set's end, its last row again.
    Case::new(label, kernel, inputs).scale(Scale::Exact).step(|step| step.position = 2.min(count as u32 - 1))
}
