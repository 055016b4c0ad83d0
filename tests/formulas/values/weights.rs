//! Rows that are weighed: a row of weight 2 is that row twice, in the loss, in its gradient and in the figures of an evaluation.

use std::ops::ControlFlow;
use std::sync::Arc;

use elbo::catalogue::build;
use elbo::config::{Preset, Schedule, TrainingConfig};
use elbo::data::{Dataset, Shape, Split, Values};
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::{Bernoulli, SquaredError};
use elbo::engine::models::{Autoencoder, M2, Model, Parts, Vae};
use elbo::engine::nn::Activation;
use elbo::engine::objectives::OBJECTIVES;
use elbo::engine::program::Executor;
use elbo::engine::training::{Session, Trainer};

const FEATURES: usize = 3;
const ROWS: [[f32; FEATURES]; 3] = [[0.9, 0.1, 0.4], [0.2, 0.8, 0.7], [0.5, 0.3, 0.6]];

fn data(rows: &[[f32; FEATURES]]) -> Dataset {
    Dataset::new("some", Values::Floats(rows.concat()), Shape::vector(FEATURES)).unwrap()
}

/// Rows that weigh 2, 1 and 0.
fn weighed() -> Dataset {
    data(&ROWS).weighted(&[2.0, 1.0, 0.0]).unwrap()
}

/// The first row twice, the second once.
fn twice() -> Dataset {
    data(&[ROWS[0], ROWS[0], ROWS[1]])
}

fn autoencoder() -> Box<dyn Model> {
    Box::new(Autoencoder::new(FEATURES, 2, (&[4], &[4]), Activation::Tanh, Arc::new(SquaredError)))
}

/// One step along the plain gradient, or several: the loss of each epoch, and the parameters behind them.
fn trained(data: &Dataset, batch: usize, epochs: usize, executor: Box<dyn Executor>) -> (Vec<f64>, Vec<f32>) {
    trained_at(0.5, data, batch, epochs, executor)
}

fn trained_at(
    learning_rate: f64,
    data: &Dataset,
    batch: usize,
    epochs: usize,
    executor: Box<dyn Executor>,
) -> (Vec<f64>, Vec<f32>) {
    let config = TrainingConfig {
        epochs,
        batch,
        optimiser: "sgd".parse().unwrap(),
        learning_rate,
        schedule: Schedule::Constant,
        kl_warmup_epochs: 0,
        ..Preset::Classic.config().training
    };
    let session = Session::new(autoencoder(), executor, 4);
    let mut trainer = Trainer::new(session, data, &config, 1.0, false).unwrap();
    let all = (0..epochs).map(|_| trainer.epoch(&mut |_| ControlFlow::Continue(())).unwrap().unwrap().loss).collect();
    let name = trainer.session.layout.groups[0].values();
    (all, trainer.session.executor.read_f32(&name).unwrap())
}

fn far(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn a_row_of_weight_2_is_learnt_as_that_row_twice() {
    let (cpu, batch) = (|| Box::new(Cpu::new()) as Box<dyn Executor>, ROWS.len());
    let (loss, moved) = trained(&weighed(), batch, 1, cpu());
    let (expected, as_expected) = trained(&twice(), batch, 1, cpu());
    assert!((loss[0] - expected[0]).abs() < 1e-6, "{loss:?} is not {expected:?}");
    assert!(far(&moved, &as_expected) < 1e-6, "{}", far(&moved, &as_expected));
    // Rows that all count alike are told apart, and so are weights that stand at other rows.
    for other in [data(&ROWS), data(&ROWS).weighted(&[1.0, 2.0, 0.0]).unwrap()] {
        let (loss, moved) = trained(&other, batch, 1, cpu());
        assert!((loss[0] - expected[0]).abs() > 1e-3 && far(&moved, &as_expected) > 1e-3, "{loss:?}");
    }
    // Weights of 7 are weights of 1.
    let sevens = data(&ROWS).weighted(&[7.0; 3]).unwrap();
    assert!(far(&trained(&sevens, batch, 1, cpu()).1, &trained(&data(&ROWS), batch, 1, cpu()).1) < 1e-7);
}

/// In batches of any size, of which the last may be short, every row counts by its weight: the loss is Σ w l/Σ w, where rows are measured
/// and where they are learnt from, at a rate of almost nothing.
#[test]
fn a_row_counts_the_same_in_whatever_batch_it_comes() {
    let mut session = Session::new(autoencoder(), Box::new(Cpu::new()), 4);
    session.start().unwrap();
    let alone: Vec<f64> = session.score(&ROWS.concat()[..], 0).unwrap().into_iter().map(f64::from).collect();
    let expected = (2.0 * alone[0] + alone[1]) / 3.0;
    let even = alone.iter().sum::<f64>() / 3.0;
    for batch in [1, 2, 3] {
        let (found, _) = session.evaluate(Split::Test, &weighed(), (batch, 1.0)).unwrap();
        assert!((found.loss - expected).abs() < 1e-6, "batches of {batch}: {} is not {expected}", found.loss);
        let learnt = trained_at(1e-9, &weighed(), batch, 1, Box::new(Cpu::new())).0[0];
        assert!((learnt - expected).abs() < 1e-5, "learnt in batches of {batch}: {learnt} is not {expected}");
        let (found, _) = session.evaluate(Split::Test, &data(&ROWS), (batch, 1.0)).unwrap();
        assert!((found.loss - even).abs() < 1e-6, "batches of {batch}: {} is not {even}", found.loss);
    }
    assert!((expected - even).abs() > 1e-3);
}

#[test]
fn the_gpu_and_the_cpu_weigh_alike() {
    let Some(gpu) = crate::common::gpu() else { return };
    let many: Vec<[f32; FEATURES]> = (0..50).map(|i| ROWS[i % 3].map(|x| x * (1.0 - 0.01 * i as f32))).collect();
    let weights: Vec<f64> = (0..50).map(|i| f64::from(i % 7)).collect();
    let weighed = data(&many).weighted(&weights).unwrap();
    let (losses, moved) = trained_at(0.05, &weighed, 16, 5, Box::new(gpu));
    let (expected, as_expected) = trained_at(0.05, &weighed, 16, 5, Box::new(Cpu::new()));
    assert!(losses.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5), "{losses:?} {expected:?}");
    assert!(far(&moved, &as_expected) < 1e-5);
    assert!(far(&trained_at(0.05, &data(&many), 16, 5, Box::new(Cpu::new())).1, &as_expected) > 1e-3, "weights tell");
}

/// Where what is minimised is no sum over rows, rows are not weighed, and it is said why.
#[test]
fn what_couples_rows_is_refused() {
    let mut refused = vec![];
    for piece in OBJECTIVES {
        let parts = Parts {
            objective: build(OBJECTIVES, &piece.about.id.parse().unwrap()).unwrap(),
            ..Parts::new(Arc::new(Bernoulli))
        };
        let model = Vae::new(FEATURES, 2, (&[4], &[4]), Activation::Tanh, parts);
        let mut session = Session::new(Box::new(model), Box::new(Cpu::new()), 4);
        session.start().unwrap();
        assert!(session.evaluate(Split::Test, &data(&ROWS), (3, 1.0)).is_ok(), "{}", piece.about.id);
        if let Err(error) = session.evaluate(Split::Test, &weighed(), (3, 1.0)) {
            assert!(error.to_string().contains("sees the rows of a batch together"), "{error}");
            refused.push(piece.about.id);
        }
    }
    assert_eq!(refused, ["free-bits", "capacity", "beta-tcvae", "dip-vae-i", "dip-vae-ii", "info-vae", "wae"]);
    let m2 = M2::new((FEATURES, 2, 2), (&[4], &[4]), Activation::Tanh, Parts::new(Arc::new(Bernoulli)), 1.0);
    let mut session = Session::new(Box::new(m2), Box::new(Cpu::new()), 4);
    let said = session.evaluate(Split::Test, &weighed(), (3, 1.0)).unwrap_err().to_string();
    assert!(said.contains("m2 learns from labelled rows"), "{said}");
}

#[test]
fn a_part_in_which_no_row_counts_is_refused() {
    let mut session = Session::new(autoencoder(), Box::new(Cpu::new()), 4);
    let said = session.evaluate(Split::Test, &weighed().subset(&[2]), (1, 1.0)).unwrap_err().to_string();
    assert!(said.contains("have the weight 0"), "{said}");
}
