//! What evaluation says of a data set, held against the rows one by one: bound, parts, units, bits, and accuracy.

use std::sync::Arc;

use elbo::data::{Condition, Dataset, Labels, Shape, Values};
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::{Bernoulli, Gaussian};
use elbo::engine::kernels::Step;
use elbo::engine::kernels::random::normal4;
use elbo::engine::models::{Classifier, Model, Parts, Vae, parameters};
use elbo::engine::nn::Activation;
use elbo::engine::training::Session;
use elbo::engine::training::metrics::Split;

use super::hand::{FEATURES, Hand, LATENT, Row, linear, vae};
use crate::common::oracle::Numbers;

const ROWS: usize = 13;
/// The last of three batches has three rows.
const BATCH: usize = 5;
const SEED: u64 = 4;
const BETA: f64 = 1.75;

/// Rows of values from 0 to 1.
fn data() -> (Dataset, Vec<Vec<f64>>) {
    let rows: Vec<f64> = Numbers(31).signed(ROWS * FEATURES).iter().map(|x| 0.5 + 0.5 * x).collect();
    let narrow: Vec<f32> = rows.iter().map(|&x| x as f32).collect();
    let wide = narrow.chunks(FEATURES).map(|row| row.iter().map(|&x| f64::from(x)).collect()).collect();
    (Dataset::new("rows", Values::Floats(narrow), Shape::vector(FEATURES)).unwrap(), wide)
}

/// A model on the CPU with these weights.
pub fn session(model: impl Model + 'static, weights: &elbo::engine::graph::eval::Values, seed: u64) -> Session {
    let mut session = Session::new(Box::new(model), Box::new(Cpu::new()), seed);
    session.start().unwrap();
    let mut flat = vec![0.0; session.layout.groups[0].words()];
    for p in &session.layout.groups[0].parameters {
        let given = weights.tensors[&p.name].iter().map(|&w| w as f32);
        flat[p.offset..][..p.len()].iter_mut().zip(given).for_each(|(slot, w)| *slot = w);
    }
    let name = session.layout.groups[0].values();
    session.executor.write_f32(&name, &flat).unwrap();
    session
}

/// Weights of which the last latent dimension hardly moves with the row: the variance of its mean is below 0.01.
fn weights() -> elbo::engine::graph::eval::Values {
    let mut values = Hand::new(1).values;
    let head = values.tensors.get_mut("head.weight").unwrap();
    head[(LATENT - 1) * FEATURES..][..FEATURES].iter_mut().for_each(|w| *w *= 0.05);
    values
}

/// The rows as the model sees them, by the noise of this seed: each batch is a step of its own, its codes the first stream.
fn rows(x: &[Vec<f64>], seed: [u32; 2]) -> Vec<Row> {
    let of = |(i, x): (usize, &Vec<f64>)| {
        let step = Step { seed, step: (i / BATCH) as u32, ..Step::default() };
        let normal = |e: usize| f64::from(normal4(&step, 1, e as u32 / 4)[e % 4]);
        let noise: Vec<f64> = (0..LATENT).map(|d| normal(i % BATCH * LATENT + d)).collect();
        Row::of(&weights(), x, &noise)
    };
    x.iter().enumerate().map(of).collect()
}

fn mean(rows: &[Row], of: impl Fn(&Row) -> f64) -> f64 {
    rows.iter().map(of).sum::<f64>() / rows.len() as f64
}

/// The same but for the rounding of f32.
#[track_caller]
fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 2e-5 * expected.abs().max(0.1), "{found} is not {expected}");
}

#[test]
fn every_figure_of_a_vae_is_a_mean_over_rows() {
    let (data, x) = data();
    let mut session = session(vae("beta-vae:beta=3.5"), &weights(), SEED);
    let (record, means) = session.evaluate(Split::Test, &data, (BATCH, BETA)).unwrap();
    // Evaluation draws from another seed than training.
    let seen = rows(&x, Step::seed_words(!SEED));
    let (reconstruction, kl) = (mean(&seen, Row::reconstruction), mean(&seen, Row::whole_kl));
    close(record.reconstruction, reconstruction);
    close(record.kl, kl);
    close(record.elbo, -reconstruction - kl);
    close(record.loss, reconstruction + 3.5 * BETA * kl);
    // Grey rows have no probability under a Bernoulli.
    assert_eq!(record.bits_per_dimension, None);
    let per_dimension: Vec<f64> = (0..LATENT).map(|d| mean(&seen, |row| row.kl(d))).collect();
    assert_eq!(record.kl_per_dimension.len(), LATENT);
    record.kl_per_dimension.iter().zip(&per_dimension).for_each(|(found, kl)| close(*found, *kl));
    means.chunks_exact(LATENT).zip(&seen).for_each(|(mu, row)| {
        mu.iter().zip(row.mu).for_each(|(found, mu)| close(f64::from(*found), mu));
    });
    // Burda et al. 2016, section 4.3: a dimension is active where the variance of its mean is above 0.01.
    let variance = |d: usize| mean(&seen, |row| row.mu[d].powi(2)) - mean(&seen, |row| row.mu[d]).powi(2);
    let active = (0..LATENT).filter(|&d| variance(d) > 0.01).count();
    assert_eq!((record.active_units, active), (Some(2), 2));
    assert!((0..LATENT).all(|d| variance(d) > 1e-5), "a unit that hardly moves is not one that does not move at all");
    // The noise of training, batches weighed alike whatever they hold, and dimensions in another order are seen.
    let training = mean(&rows(&x, Step::seed_words(SEED)), Row::reconstruction);
    let by_batch = seen.chunks(BATCH).map(|rows| mean(rows, Row::reconstruction)).sum::<f64>() / 3.0;
    for wrong in [training, by_batch] {
        assert!((record.reconstruction - wrong).abs() > 1e-3 * wrong, "{wrong}");
    }
    assert!((per_dimension[0] - per_dimension[1]).abs() > 0.01 && (per_dimension[1] - per_dimension[2]).abs() > 0.01);
}

/// −ELBO by features and ln 2, where values have a probability: not of a density, nor of grey values under a Bernoulli.
#[test]
fn bits_are_told_of_probabilities_only() {
    let (grey, _) = data();
    let drawn = grey.black_and_white(3);
    let of = |likelihood: Parts, data| {
        let model = Vae::new(FEATURES, LATENT, (&[], &[]), Activation::Tanh, likelihood);
        let mut session = session(model, &weights(), SEED);
        let record = session.evaluate(Split::Test, data, (BATCH, BETA)).unwrap().0;
        (record.bits_per_dimension, -record.elbo / (FEATURES as f64 * 2f64.ln()))
    };
    let [gaussian, bernoulli] =
        [of(Parts::new(Arc::new(Gaussian { sigma: 0.5 })), &drawn), of(Parts::new(Arc::new(Bernoulli)), &drawn)];
    assert_eq!(gaussian.0, None);
    close(bernoulli.0.unwrap(), bernoulli.1);
    assert_eq!(of(Parts::new(Arc::new(Bernoulli)), &grey).0, None);
}

/// A classifier's loss is −ln q(y | x), and its accuracy the share of rows whose likeliest label is theirs.
#[test]
fn the_accuracy_of_a_classifier_is_a_share_of_rows() {
    const CLASSES: usize = 3;
    const HIDDEN: usize = 2;
    let (data, x) = data();
    let labels = Labels {
        values: (0..ROWS as u32).map(|i| (2 * i + i / 4) % CLASSES as u32).collect(),
        classes: CLASSES,
        names: ["a", "b", "c"].map(String::from).to_vec(),
    };
    let truth = labels.values.clone();
    let data = Dataset { labels: Some(labels), ..data }.conditioned(Condition::Labels).unwrap();
    let model = Classifier::new(FEATURES, CLASSES, &[HIDDEN], Activation::Tanh);
    let (mut weights, mut numbers) = (crate::common::oracle::values(ROWS), Numbers(8));
    for spec in parameters(&model) {
        let list = numbers.signed(spec.shape.iter().product());
        weights.tensors.insert(spec.name.clone(), list.iter().map(|w| 3.0 * w).collect());
    }
    let mut session = session(model, &weights, SEED);
    let (record, _) = session.evaluate(Split::Test, &data, (BATCH, BETA)).unwrap();
    let (mut right, mut loss) = (0, 0.0);
    for (x, &label) in x.iter().zip(&truth) {
        let hidden: Vec<f64> = (0..HIDDEN).map(|h| linear(&weights, "classifier.0", h, x).tanh()).collect();
        let logits: Vec<f64> = (0..CLASSES).map(|c| linear(&weights, "classifier.1", c, &hidden)).collect();
        let own = logits[label as usize];
        right += usize::from(logits.iter().all(|&other| other <= own));
        loss += logits.iter().map(|l| l.exp()).sum::<f64>().ln() - own;
    }
    // Neither all, nor none, nor what guessing gives; and not half of one.
    assert!(right > 1 && right < ROWS - 1, "{right}");
    close(record.parts["accuracy"], right as f64 / ROWS as f64);
    close(record.loss, loss / ROWS as f64);
    assert!((record.parts["accuracy"] - (right as f64 + 0.5) / ROWS as f64).abs() > 0.01);
}
