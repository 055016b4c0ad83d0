//! Models whose weights have a distribution: the same bits again, both devices alike, what is told of them, and what is done with draws.

use std::sync::Arc;

use elbo::apps::{Outcome, PriorFit, Saved, ScoreKind, Scoring, fit_prior};
use elbo::catalogue::build;
use elbo::config::{Config, DeviceChoice};
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::{Bernoulli, WEIGHT_DISTRIBUTIONS};
use elbo::engine::graph::{Graph, Tensor};
use elbo::engine::models::{Batch, KL_WEIGHTS, Parts, UncertainWeights, Vae, parameters};
use elbo::engine::nn::Activation;
use elbo::engine::objectives::BETA;
use elbo::engine::program::{Executor, Gradients, ParameterSet, Request, Rule, Update};
use elbo::engine::training::metrics::Split;

use crate::common::oracle::{self, Numbers, values, worst, worst_against};
use crate::runs::{Device, Run, StopAt, devices, small};

/// Two epochs of a VAE with Gaussian weights, whose spread is wide from the start.
fn uncertain(weights: &str) -> Config {
    let mut config = small();
    config.model.network_weights = weights.parse().unwrap();
    (config.training.epochs, config.training.kl_warmup_epochs) = (2, 1);
    config.device.device = DeviceChoice::Cpu;
    config
}

const WEIGHTS: &str = "bayes-by-backprop:start=0.05";

fn whole(config: &Config, device: &Device) -> Run {
    let run = Run::new();
    assert_eq!(run.start(config, device, &mut StopAt::never()).unwrap(), Outcome::Finished);
    run
}

fn opened(run: &Run) -> Saved {
    Saved::open(run.path(), Box::new(Cpu::new())).unwrap()
}

/// The largest difference of a training step on a device from the graph, in parameters that were moved along gradients of means and
/// spreads, and that from a graph that draws other weights.
fn differences(device: &mut oracle::Device, weights: &str) -> [f64; 2] {
    let vae = Vae::new(5, 3, (&[6], &[6]), Activation::Silu, Parts::new(Arc::new(Bernoulli)));
    let weights = build(WEIGHT_DISTRIBUTIONS, &weights.parse().unwrap()).unwrap();
    let model = UncertainWeights::of(Box::new(vae), weights).unwrap();
    let (graph, mut values, mut numbers) = (Graph::of_training(), values(3), Numbers(11));
    for spec in parameters(&*model) {
        values.tensors.insert(spec.name, numbers.signed(spec.shape.iter().product()));
    }
    values.tensors.insert("x".into(), (0..20).map(|_| numbers.below(2) as f64).collect());
    values.scalars.insert(BETA.into(), 0.75);
    let batch = Batch { count: 40, ..Batch::whole(graph.input("x", &[4, 5])) };
    let losses = (model.plan().phases[0].losses)(&batch);
    let loss = losses.losses[0].loss * batch.weights;
    let set = ParameterSet::new("model", parameters(&*model).into_iter().map(|spec| (spec.name, spec.shape)));
    let wrt: Vec<Tensor> = set.parameters.iter().map(|p| graph.parameter(&p.name)).collect();
    let request = Request {
        parameters: vec![&set],
        statistics: losses.statistics.into_iter().map(|(name, t)| (name, t * batch.weights)).collect(),
        gradients: vec![Gradients { set: &set, tensors: loss.gradients(&wrt), accumulate: false }],
        updates: vec![Update { set: &set, rule: Rule::of(&"adam".into()).unwrap(), accumulated: false }],
        ..Request::new("uncertain", &graph)
    };
    let mut other = values.clone();
    other.step.step += 1;
    [worst(device, &request, &values).0, worst_against(device, &request, &values, &other).0]
}

#[test]
fn a_step_with_drawn_weights_is_the_graphs() {
    for device in devices() {
        for weights in [
            "bayes-by-backprop",
            "bayes-by-backprop:noise=flipout",
            "bayes-by-backprop:noise=local,start=0.2",
            "bayes-by-backprop:scope=decoder,prior=scale-mixture,sigma=1,narrow=0.1",
        ] {
            let [right, wrong] = differences(&mut oracle::Device::new(device.open()), weights);
            assert!(
                right < 1e-4 && wrong > 1e-3,
                "{}, {weights}: {right:e}, and {wrong:e} from another draw",
                device.name
            );
        }
    }
}

#[test]
fn a_break_changes_no_bit_and_a_seed_all() {
    let mixture = "bayes-by-backprop:prior=scale-mixture,scope=decoder,start=0.05";
    for (weights, accumulate) in [(WEIGHTS, 1), (mixture, 3)] {
        let mut config = uncertain(weights);
        config.training.accumulate = accumulate;
        let device = Device::cpu();
        let continuous = whole(&config, &device);
        let broken = Run::new();
        assert_eq!(broken.start(&config, &device, &mut StopAt::step(8)).unwrap(), Outcome::Stopped);
        assert_eq!(broken.resume(&config, &device, &mut StopAt::never()).unwrap(), Outcome::Finished);
        assert!(broken.kept() == continuous.kept(), "{weights}");
        config.training.seed += 1;
        assert!(whole(&config, &device).kept() != continuous.kept(), "{weights}");
    }
}

#[test]
fn outputs_of_convolutions_are_not_drawn() {
    let run = |network: &str| {
        let mut config = uncertain("bayes-by-backprop:noise=local");
        config.model.encoder = network.parse().unwrap();
        let device = Device::cpu();
        Run::new().start(&config, &device, &mut StopAt::never())
    };
    let why = run("dcgan:4,norm=batch").unwrap_err().to_string();
    assert!(why.contains("the noise `local` is drawn for what dense layers give"), "{why}");
    assert_eq!(run("mlp:24").unwrap(), Outcome::Finished);
    assert_eq!(run("residual:16,blocks=1").unwrap(), Outcome::Finished);
}

#[test]
fn the_gpu_and_the_cpu_draw_the_same_weights() {
    let mut config = uncertain(WEIGHTS);
    config.training.epochs = 17;
    let of =
        |device: &Device| -> Vec<f64> { whole(&config, device).steps().iter().take(100).map(|s| s.loss).collect() };
    let losses: Vec<Vec<f64>> = devices().iter().map(of).collect();
    let [cpu, gpu] = &losses[..] else { return };
    let far = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f64::max);
    assert_eq!(cpu.len(), 100);
    assert!(far(cpu, gpu) < 1e-3, "{:e}", far(cpu, gpu));
    // Steps out of step are told apart.
    assert!(far(&cpu[1..], &gpu[..99]) > 1e-2);
}

/// The bound that training tells is less what the weights cost; what is held out is measured by their means.
#[test]
fn the_bound_of_rows_that_are_learnt_bears_the_cost_of_the_weights() {
    let run = whole(&uncertain(WEIGHTS), &Device::cpu());
    for record in run.epochs() {
        let weights = record.parts.get(KL_WEIGHTS).copied();
        assert_eq!(weights.is_some(), record.split == Split::Train, "{:?}", record.split);
        let cost = weights.unwrap_or(0.0);
        assert!((record.elbo + record.reconstruction + record.kl + cost).abs() < 1e-9, "{record:?}");
        // ln(0.1/0.05) + (0.05² + μ²)/(2·0.1²) − ½ for each of some 5000 weights, over 180 rows.
        assert!(record.split != Split::Train || (5.0..100.0).contains(&cost), "{cost}");
    }
}

#[test]
fn weights_are_drawn_for_a_while_and_their_means_put_back() {
    let run = whole(&uncertain(WEIGHTS), &Device::cpu());
    let mut saved = opened(&run);
    let x: Vec<f32> = (0..128).map(|i| (i % 5) as f32 / 4.0).collect();
    let before = saved.session.values().unwrap();
    let by_means = saved.session.reconstruct(&x).unwrap();
    let mut drawn = |seed: u64| saved.session.with_drawn_weights(seed, |session| session.reconstruct(&x)).unwrap();
    let (first, again, other) = (drawn(1), drawn(1), drawn(2));
    assert_eq!(first, again);
    assert!(first != other && first != by_means);
    assert!(saved.session.with_drawn_weights(3, |_| -> elbo::Result<()> { Err(elbo::Error::invalid("no")) }).is_err());
    assert_eq!(saved.session.reconstruct(&x).unwrap(), by_means);
    assert_eq!(saved.session.values().unwrap(), before, "an error leaves the means as well");
    // A spread is as wide as its ρ says: of zero means half of all draws would lie within 0.67 of it.
    let (mut wide, mut all) = (0, 0);
    let drawn = saved.session.with_drawn_weights(4, |session| session.values()).unwrap();
    for ((name, _, mean), (.., draw)) in before.iter().zip(&drawn) {
        let Some((.., rho)) = before.iter().find(|t| t.0 == format!("{name}.rho")) else {
            assert_eq!(mean, draw, "{name}");
            continue;
        };
        for ((mean, draw), rho) in mean.iter().zip(draw).zip(rho) {
            (wide, all) = (wide + usize::from((draw - mean).abs() > 0.6745 * rho.exp().ln_1p()), all + 1);
        }
    }
    assert!(all > 3000 && (wide as f64 / all as f64 - 0.5).abs() < 0.04, "{wide} of {all}");
}

/// Few codes and few draws of the weights, and the three strangest rows.
pub fn scoring(kinds: Vec<ScoreKind>) -> Scoring {
    Scoring {
        kinds,
        fit: None,
        false_alarms: 0.05,
        draws: 2,
        weight_draws: 5,
        samples: 10,
        normal: vec![],
        label: None,
        against: None,
        top: 3,
        sheet: None,
        seed: 4,
    }
}

/// Mean and variance over draws, put together anew; and none where weights are points.
#[test]
fn disagreement_and_waic_are_of_scores_over_draws_of_the_weights() {
    let run = whole(&uncertain(WEIGHTS), &Device::cpu());
    let mut saved = opened(&run);
    let scoring = scoring(vec![ScoreKind::Disagreement, ScoreKind::Waic]);
    let table = run.path().join("scores.csv");
    saved.score_to(None, &scoring, None, Some(&table)).unwrap();
    let text = std::fs::read_to_string(&table).unwrap();
    let column = |wanted: &str| -> Vec<f64> {
        let place = text.lines().next().unwrap().split(',').position(|name| name == wanted).unwrap();
        text.lines().skip(1).map(|line| line.split(',').nth(place).unwrap().parse::<f64>().unwrap()).collect()
    };
    let (found, waic) = (column("disagreement"), column("waic"));
    assert_eq!(found, column("score"), "the first of them marks rows");
    let data = saved.data().unwrap();
    let (_, rows) = data.evaluation_split();
    let (x, _) = rows.gather(0..rows.rows);
    // The seed of the codes of the first part of rows.
    let first_seed = elbo::engine::training::part_of_seed(4, 0);
    let mut by_draw = vec![];
    for draw in 0..5 {
        let seed = elbo::engine::training::part_of_seed(4, draw);
        let mut of =
            |code: u64| saved.session.with_drawn_weights(seed, |session| session.score(&x, first_seed + code)).unwrap();
        let (first, second) = (of(0), of(1));
        by_draw.push(first.iter().zip(&second).map(|(a, b)| f64::from(a + b) / 2.0).collect::<Vec<f64>>());
    }
    assert_eq!(found.len(), rows.rows);
    for (row, found) in found.iter().enumerate() {
        let scores: Vec<f64> = by_draw.iter().map(|scores| scores[row]).collect();
        let mean = scores.iter().sum::<f64>() / 5.0;
        let variance = scores.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / 4.0;
        assert!(variance > 1e-4 && (found / variance - 1.0).abs() < 1e-3, "{row}: {found}, {variance}");
        assert!((waic[row] / (mean + variance) - 1.0).abs() < 1e-5, "{row}: {}, {mean} and {variance}", waic[row]);
        assert!((waic[row] / mean - 1.0).abs() > 1e-5, "{row}: the variance is seen");
    }
    let mut points = opened(&whole(&uncertain("point"), &Device::cpu()));
    let refused = points.score_to(None, &scoring, None, None).unwrap_err().to_string();
    assert!(refused.contains("--network-weights bayes-by-backprop"), "{refused}");
}

/// Var[x] = Var_w E[x|w] + E_w Var_z E[x|z,w] + E_w E_z Var[x|z,w].
#[test]
fn how_sure_a_model_is_tells_its_weights_apart() {
    let mut config = uncertain(WEIGHTS);
    config.model.likelihood = "gaussian:sigma=0.3".parse().unwrap();
    let mut saved = opened(&whole(&config, &Device::cpu()));
    let x: Vec<f32> = (0..64).map(|i| (i % 5) as f32 / 4.0).collect();
    let found = saved.session.uncertainty(&x, (16, 6), 3).unwrap();
    assert!(found.of_likelihood.iter().all(|v| (v - 0.09).abs() < 1e-5));
    assert_eq!((found.of_weights.len(), found.of_codes.len()), (64, 64));
    // The weights' part is the variance of what is expected, draw by draw: of a decoder at the posterior's mean it is nearly that.
    assert!(found.of_weights.iter().all(|v| *v > 1e-8));
    let total: f64 = found.of_weights.iter().map(|v| f64::from(*v)).sum();
    let mut by_draw = vec![];
    for draw in 0..6 {
        let seed = elbo::engine::training::part_of_seed(!3, draw);
        by_draw.push(saved.session.with_drawn_weights(seed, |session| session.reconstruct(&x)).unwrap());
    }
    let of_value = |value: usize| {
        let all: Vec<f64> = by_draw.iter().map(|mean| f64::from(mean[value])).collect();
        let mean = all.iter().sum::<f64>() / 6.0;
        all.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / 5.0
    };
    let by_hand: f64 = (0..64).map(of_value).sum();
    assert!((total / by_hand - 1.0).abs() < 0.3, "{total}, {by_hand}");
    // Points have no such part.
    config.model.network_weights = "point".into();
    let mut points = opened(&whole(&config, &Device::cpu()));
    assert!(points.session.uncertainty(&x, (16, 6), 3).unwrap().of_weights.is_empty());
}

#[test]
fn a_prior_is_fitted_to_a_run_that_keeps_its_distribution_of_weights() {
    let run = whole(&uncertain(WEIGHTS), &Device::cpu());
    let to = tempfile::tempdir().unwrap();
    let fit = PriorFit { prior: "mixture:components=3".parse().unwrap(), epochs: 1, learning_rate: 0.02, seed: 1 };
    let cpu = || -> elbo::Result<Box<dyn Executor>> { Ok(Box::new(Cpu::new())) };
    fit_prior(run.path(), &to.path().join("fitted"), &fit, &cpu, &mut |_, _| ()).unwrap();
    let mut fitted = Saved::open(&to.path().join("fitted"), Box::new(Cpu::new())).unwrap();
    let mut before = opened(&run);
    let x = vec![0.5; 64];
    let drawn = |saved: &mut Saved| saved.session.with_drawn_weights(1, |session| session.reconstruct(&x)).unwrap();
    assert_eq!(drawn(&mut fitted), drawn(&mut before));
}
