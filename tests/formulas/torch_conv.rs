//! Ten training steps of convolutional networks against numbers from PyTorch (`fixtures/torch_conv.py` made them, in f64): losses,
//! the weights and running statistics that they leave, and the loss by those afterwards.

use crate::common;

use std::collections::BTreeMap;
use std::sync::Arc;

use elbo::catalogue::{Spec, build};
use elbo::data::Shape;
use elbo::engine::distributions::Bernoulli;
use elbo::engine::graph::{Graph, Role, Tensor};
use elbo::engine::kernels::Step;
use elbo::engine::models::{Autoencoder, Batch, Model, NetworkPair, Sizes, parameters};
use elbo::engine::nn::NETWORKS;
use elbo::engine::program::{Executor, Gradients, ParameterSet, Request, Rule, Update, lower};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    network: Spec,
    shape: [usize; 3],
    latent: usize,
    batch: usize,
    rate: f32,
    loss: Vec<f64>,
    evaluation: f64,
    r#final: BTreeMap<String, [f64; 2]>,
}

/// Something that is wrong on purpose, to show that it would be seen.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    /// One number of the first batch is another.
    OtherPixel,
    /// Running statistics are not assigned.
    NotAssigned,
    /// The weight of the first layer lies as PyTorch has it, channel by channel.
    OtherOrder,
}

/// What the program that made the numbers calls so.
fn pattern(count: usize, seed: usize) -> impl Iterator<Item = f64> {
    (0..count).map(move |i| f64::from((((7919 * i + 104_729 * seed) % 1009) as f64 / 504.5 - 1.0) as f32))
}

/// How far two numbers are apart, beside the second.
fn apart(a: f64, b: f64) -> f64 {
    (a - b).abs() / b.abs().max(1e-2)
}

/// The starting values of parameter `number` of those that are trained, in the order of their names.
fn start(name: &str, shape: &[usize], number: usize) -> Vec<f32> {
    let count = shape.iter().product();
    let each = |scale: f64, middle: f64| pattern(count, number).map(|p| (middle + scale * p) as f32).collect();
    match name.rsplit('.').next().unwrap() {
        "weight" => each(f64::from(1.5 / (count as f32 / shape[0] as f32).sqrt()), 0.0),
        "scale" => each(0.1, 1.0),
        _ => each(0.1, 0.0),
    }
}

/// The pictures of a step.
fn pictures(case: &Case, t: usize) -> Vec<f32> {
    let each: usize = case.shape.iter().product();
    let bright = |i: usize| (i / each + 1) as f64 / case.batch as f64;
    pattern(case.batch * each, 1000 + t).enumerate().map(|(i, p)| ((p + 1.0) / 2.0 * bright(i)) as f32).collect()
}

/// Numbers of a convolution's weight `[outputs, taps·inputs]` as if its inputs stood outermost.
fn turned(numbers: &[f32], outputs: usize, inputs: usize) -> Vec<f32> {
    let (each, taps) = (numbers.len() / outputs, numbers.len() / outputs / inputs);
    (0..numbers.len()).map(|i| numbers[i / each * each + i % each % inputs * taps + i % each / inputs]).collect()
}

/// The largest difference from PyTorch, relative to its numbers.
fn worst(case: &Case, executor: &mut dyn Executor, fault: Fault) -> f64 {
    let [height, width, channels] = case.shape;
    let sizes = Sizes { shape: Shape { height, width, channels }, condition: 0 };
    let encoder = build(NETWORKS, &case.network).unwrap();
    let networks = NetworkPair { decoder: encoder.mirror(), encoder };
    let model = Autoencoder::with_networks(sizes, case.latent, networks, Arc::new(Bernoulli));
    let mut specs = parameters(&model);
    specs.sort_by(|a, b| a.name.cmp(&b.name));
    let set = |name: &str, role: Role| {
        let own = specs.iter().filter(|spec| spec.role == role);
        ParameterSet::new(name, own.map(|spec| (spec.name.clone(), spec.shape.clone())))
    };
    let (weights, states) = (set("model", Role::Trained), set("assigned", Role::Assigned));
    let sets: Vec<&ParameterSet> = [&weights, &states].into_iter().filter(|set| set.words() > 0).collect();

    // The mean over the rows.
    let loss_of = |graph: &'static Graph| -> Tensor<'static> {
        let batch = Batch::whole(graph.input("x", &[case.batch, sizes.features()]));
        model.terms(&batch).loss * batch.weights
    };
    let [training, evaluation] = [Graph::of_training(), Graph::new()].map(|graph| &*Box::leak(Box::new(graph)));
    let loss = loss_of(training);
    let wrt: Vec<Tensor> = weights.parameters.iter().map(|p| training.parameter(&p.name)).collect();
    let assigns = training.assigns();
    assert_eq!(assigns.len(), states.parameters.len());
    let assigns = if fault == Fault::NotAssigned { vec![] } else { assigns };
    let train = lower(&Request {
        parameters: sets.clone(),
        statistics: vec![("loss", loss)],
        gradients: vec![Gradients { set: &weights, tensors: loss.gradients(&wrt), accumulate: false }],
        assigns: assigns.iter().map(|(name, t)| (name.as_str(), *t)).collect(),
        updates: vec![Update {
            set: &weights,
            rule: Rule::of(&"sgd:momentum=0".parse().unwrap()).unwrap(),
            accumulated: false,
        }],
        ..Request::new("train", training)
    });
    let measure = lower(&Request {
        parameters: sets.clone(),
        statistics: vec![("loss", loss_of(evaluation))],
        ..Request::new("evaluate", evaluation)
    });
    let rate = train.scalar("model.learning_rate").unwrap();
    let [train, measure] = [train, measure].map(|program| executor.load(program).unwrap());

    for set in &sets {
        let mut words = vec![0.0; set.words()];
        for (place, p) in set.parameters.iter().enumerate() {
            let mut values = match set.name.as_str() {
                "model" => start(&p.name, &p.shape, place + 1),
                _ => vec![f32::from(u8::from(p.name.ends_with("variance"))); p.len()],
            };
            if fault == Fault::OtherOrder && p.name == "encoder.0.weight" {
                values = turned(&values, p.shape[0], channels);
            }
            words[p.offset..][..p.len()].copy_from_slice(&values);
        }
        executor.write_f32(&set.values(), &words).unwrap();
    }
    let mut worst = 0.0_f64;
    let mut run = |program, t: usize, expected: f64| {
        let mut x = pictures(case, t);
        x[3] += if fault == Fault::OtherPixel { 0.2 } else { 0.0 };
        executor.write_f32("input.x", &x).unwrap();
        let mut step = Step { step: t as u32, rows: case.batch as u32, ..Step::default() };
        step.scalars[rate] = case.rate;
        executor.run(program, &[step]).unwrap();
        let mut found = Vec::new();
        executor.statistics(program, true, &mut found).unwrap();
        worst = worst.max(apart(f64::from(found[0]), expected));
    };
    case.loss.iter().enumerate().for_each(|(t, &expected)| run(train, t, expected));
    run(measure, 0, case.evaluation);
    let mut seen = 0;
    for set in sets {
        let end = executor.read_f32(&set.values()).unwrap();
        for p in &set.parameters {
            let values: Vec<f64> = end[p.offset..][..p.len()].iter().map(|&v| f64::from(v)).collect();
            let squares = values.iter().map(|v| v * v).sum::<f64>();
            let along = values.iter().zip(pattern(values.len(), 0)).map(|(v, p)| v * p).sum::<f64>();
            let [expected, along_expected] = case.r#final[&p.name];
            // Both are told beside the length of what is summed.
            let size = expected.sqrt().max(1e-2);
            let far = ((squares.sqrt() - expected.sqrt()).abs() / size).max((along - along_expected).abs() / size);
            worst = if far.is_finite() { worst.max(far) } else { f64::INFINITY };
            seen += 1;
        }
    }
    assert_eq!(seen, case.r#final.len(), "every parameter is compared");
    worst
}

fn check(make: &mut dyn FnMut() -> Box<dyn Executor>) {
    let cases: BTreeMap<String, Case> = serde_json::from_str(include_str!("../fixtures/torch_conv.json")).unwrap();
    for (name, case) in &cases {
        let mut far = |fault| worst(case, &mut *make(), fault);
        let right = far(Fault::None);
        assert!(right < 1e-4, "{name}: {right:e} from PyTorch");
        let mut faults = vec![Fault::OtherPixel];
        faults.extend((case.shape[2] > 1).then_some(Fault::OtherOrder));
        faults.extend(case.network.to_string().contains("norm=batch").then_some(Fault::NotAssigned));
        for fault in faults {
            let wrong = far(fault);
            assert!(wrong > 3e-4, "{name}: {fault:?} is not seen ({wrong:e})");
        }
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
