//! Ten training steps against numbers from PyTorch (`fixtures/torch_vae.py` made them, in f64).

use crate::common;

use std::collections::HashMap;
use std::sync::Arc;

use elbo::engine::distributions::{Bernoulli, Gaussian, Likelihood};
use elbo::engine::graph::Graph;
use elbo::engine::kernels::Step;
use elbo::engine::models::{Batch, Parts, Vae, parameters};
use elbo::engine::nn::Activation;
use elbo::engine::objectives::BETA;
use elbo::engine::program::{Executor, Gradients, ParameterSet, Request, Rule, Update, lower};
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    cases: HashMap<String, Case>,
}

#[derive(Deserialize)]
struct Case {
    dims: Vec<usize>,
    activation: Activation,
    variance: Option<f32>,
    beta: f32,
    lr: f64,
    batch: usize,
    x: Numbers,
    eps: Numbers,
    initial: HashMap<String, Numbers>,
    gradients: HashMap<String, Numbers>,
    r#final: HashMap<String, Numbers>,
    loss: Vec<f64>,
    reconstruction: Vec<f64>,
    kl: Vec<f64>,
}

#[derive(Deserialize)]
struct Numbers {
    data: Vec<f32>,
}

/// The largest difference between two lists, relative to the largest number in them.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let scale = b.iter().fold(1e-6_f32, |s, x| s.max(x.abs()));
    a.iter().zip(b).map(|(a, b)| (a - b).abs() / scale).fold(0.0, f32::max)
}

/// The largest difference from PyTorch over ten steps: losses and parts, gradients of the first step, parameters at
/// the end. `nudge` is added to one number of the first batch.
fn worst(case: &Case, executor: &mut dyn Executor, nudge: f32) -> f32 {
    let (features, latent) = (case.dims[0], *case.dims.last().unwrap());
    let hidden = &case.dims[1..case.dims.len() - 1];
    let back: Vec<usize> = hidden.iter().rev().copied().collect();
    let likelihood: Arc<dyn Likelihood> = match case.variance {
        None => Arc::new(Bernoulli),
        Some(variance) => Arc::new(Gaussian { sigma: variance.sqrt() }),
    };
    let model = Vae::new(features, latent, (hidden, &back), case.activation, Parts::new(likelihood));
    let specs = parameters(&model);
    let set = ParameterSet::new("model", specs.iter().map(|s| (s.name.clone(), s.shape.clone())));

    let graph = Graph::new();
    let x = graph.input("x", &[case.batch, features]);
    let eps = graph.input("eps", &[case.batch, latent]);
    let batch = Batch::whole(x);
    let terms = model.terms_with(&batch, eps);
    let weights = batch.weights;
    let kl = terms.kl.unwrap().sum_rows();
    let [loss, reconstruction, kl] = [terms.loss, terms.reconstruction, kl].map(|t| t * weights);
    let wrt: Vec<_> = specs.iter().map(|spec| graph.parameter(&spec.name)).collect();
    let gradients = loss.gradients(&wrt);
    let program = lower(&Request {
        parameters: vec![&set],
        statistics: vec![("loss", loss), ("reconstruction", reconstruction), ("kl", kl)],
        gradients: vec![Gradients { set: &set, tensors: gradients, accumulate: false }],
        updates: vec![Update { set: &set, rule: Rule::of(&"adam".into()).unwrap(), accumulated: false }],
        ..Request::new("train", &graph)
    });
    if std::env::var_os("ELBO_LISTING").is_some() {
        println!("{}", program.listing());
    }
    let slots = ["model.step_size", "model.correction", BETA].map(|name| program.scalar(name).unwrap());
    let id = executor.load(program).unwrap();

    let mut start = vec![0.0; set.words()];
    for p in &set.parameters {
        start[p.offset..][..p.len()].copy_from_slice(&case.initial[&p.name].data);
    }
    executor.write_f32(&set.values(), &start).unwrap();
    let mut worst = 0.0_f32;
    for t in 0..case.loss.len() {
        let mut batch = case.x.data[t * case.batch * features..][..case.batch * features].to_vec();
        batch[0] += if t == 0 { nudge } else { 0.0 };
        executor.write_f32("input.x", &batch).unwrap();
        executor.write_f32("input.eps", &case.eps.data[t * case.batch * latent..][..case.batch * latent]).unwrap();
        let mut step = Step { step: t as u32, rows: case.batch as u32, ..Step::default() };
        let decay = |beta: f64| 1.0 - beta.powi(t as i32 + 1);
        step.scalars[slots[0]] = (case.lr / decay(0.9)) as f32;
        step.scalars[slots[1]] = (1.0 / decay(0.999).sqrt()) as f32;
        step.scalars[slots[2]] = case.beta;
        executor.run(id, &[step]).unwrap();
        let mut got = Vec::new();
        executor.statistics(id, true, &mut got).unwrap();
        let want = [case.loss[t], case.reconstruction[t], case.kl[t]].map(|v| v as f32);
        worst = worst.max(difference(&got[..3], &want));
        if t == 0 {
            let found = executor.read_f32(&set.gradients()).unwrap();
            for p in &set.parameters {
                worst = worst.max(difference(&found[p.offset..][..p.len()], &case.gradients[&p.name].data));
            }
        }
    }
    let end = executor.read_f32(&set.values()).unwrap();
    for p in &set.parameters {
        worst = worst.max(difference(&end[p.offset..][..p.len()], &case.r#final[&p.name].data));
    }
    worst
}

fn check(make: &mut dyn FnMut() -> Box<dyn Executor>) {
    let text = include_str!("../fixtures/torch_vae.json");
    let fixture: Fixture = serde_json::from_str(text).unwrap();
    for (name, case) in &fixture.cases {
        let found = worst(case, &mut *make(), 0.0);
        assert!(found < 5e-5, "{name}: {found:e} from PyTorch");
        // The comparison sees a batch that differs in one number by 0.01.
        let nudged = worst(case, &mut *make(), 0.01);
        assert!(nudged > 1e-4, "{name}: a nudge is not seen ({nudged:e})");
    }
}

#[test]
fn ten_steps_on_the_cpu() {
    check(&mut || Box::new(elbo::engine::cpu::Cpu::new()));
}

#[test]
fn ten_steps_on_the_gpu() {
    let Some(gpu) = common::gpu() else { return };
    check(&mut || Box::new(gpu.another()));
}
