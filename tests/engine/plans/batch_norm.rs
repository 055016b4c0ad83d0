//! Batch normalisation in networks for pictures: statistics of the batch in training, running ones later on.

use std::ops::ControlFlow;

use elbo::catalogue::build;
use elbo::data::{Dataset, Shape, Split, Values};
use elbo::engine::graph::{Graph, Tensor};
use elbo::engine::kernels::{Order, Packing};
use elbo::engine::models::{Batch, Model};
use elbo::engine::nn::{Input, Known, NETWORKS, Outputs};
use elbo::engine::program::{DataSpec, Gradients, ParameterSet, Request};
use elbo::engine::training::Trainer;

use super::by_hand::{Fault, Rows, apart, descend, slopes, train, values};
use super::course::{Sketch, Sketched, devices, numbers, parameters, plain, run, trainer};
use crate::common::oracle::{Device, worst, worst_against};

const SHAPE: Shape = Shape { height: 3, width: 4, channels: 2 };
const FEATURES: usize = 24;
const LATENT: usize = 3;

/// An autoencoder of convolutions that are normalised over the batch.
#[derive(Clone, Copy, Debug)]
struct Normalised;

impl Sketch for Normalised {
    const FEATURES: usize = FEATURES;
    const LATENT: usize = LATENT;

    fn loss<'g>(&self, batch: &Batch<'g>) -> [Tensor<'g>; 2] {
        let network = build(NETWORKS, &"conv:4,hidden=0,norm=batch,activation=tanh".parse().unwrap()).unwrap();
        let to = Outputs::vector(LATENT);
        let hidden =
            network.forward("encoder", Input { x: batch.rows.x, shape: SHAPE, known: Known::Nothing }, to.shape);
        let code = network.last("head", hidden, to).tanh();
        let back = network.mirror();
        let pixels = back.forward("decoder", code.into(), SHAPE);
        let result = back.last("result", pixels, Outputs { shape: SHAPE, count: FEATURES });
        [(result - batch.rows.x).square().sum_rows(), code]
    }
}

fn rows(x: &[f32]) -> Rows<'_> {
    Rows { x, features: FEATURES }
}

#[test]
fn its_gradient_is_that_of_its_loss() {
    let x = numbers(6, 9, FEATURES);
    let at = parameters(&mut trainer(Sketched(Normalised), devices().remove(0), &rows(&x), &plain(9)));
    for [gradient, difference] in slopes(&Sketched(Normalised), &at, &rows(&x)) {
        assert!(
            (gradient - difference).abs() < 1e-6 * gradient.abs() && gradient.abs() > 1e-3,
            "{gradient}, {difference}"
        );
    }
}

#[test]
fn running_statistics_are_kept_in_training_and_used_later_on() {
    let x = numbers(6, 9, FEATURES);
    for executor in devices() {
        let mut trainer = trainer(Sketched(Normalised), executor, &rows(&x), &plain(9));
        let start = parameters(&mut trainer);
        run(&mut trainer, 5);
        let found = parameters(&mut trainer);
        let by_hand = |fault| train(&Sketched(Normalised), &start, &rows(&x), 5, fault, &mut descend(0.1));
        let far = apart(&found, &by_hand(None));
        assert!(far < 1e-4, "{}: {far:e}", trainer.session.executor.describe());
        assert!(apart(&found, &by_hand(Some(Fault::NotAssigned))) > 1e-2);
        // Measured on fewer rows, in batches with padding: by the running statistics, so that rows do not touch each other.
        let few = &x[..5 * FEATURES];
        let data = Dataset::new("few", Values::Floats(few.to_vec()), Shape::vector(FEATURES)).unwrap();
        let measured = trainer.session.evaluate(Split::Test, &data, (3, 1.0)).unwrap().0.loss;
        let exact = |graph: Graph| -> f64 {
            let loss = Sketched(Normalised).terms(&Batch::whole(graph.input("x", &[5, FEATURES]))).loss;
            elbo::engine::graph::eval::evaluate(&values(&found, &rows(few), 0), &[loss])[0].iter().sum::<f64>() / 5.0
        };
        assert!((measured / exact(Graph::new()) - 1.0).abs() < 1e-5, "{measured}, {}", exact(Graph::new()));
        assert!((measured / exact(Graph::of_training()) - 1.0).abs() > 1e-3, "the batch's own statistics are others");
    }
}

/// A batch of which the last rows are none: what they hold is seen in no statistic, gradient or state.
#[test]
fn dead_rows_are_not_seen() {
    const ROWS: usize = 5;
    for executor in devices() {
        let graph: &'static Graph = Box::leak(Box::new(Graph::of_training()));
        let x = graph.batch("few", ROWS, FEATURES, Order::Sequential, None);
        let batch = Batch::whole(x);
        let loss = Sketched(Normalised).terms(&batch).loss * batch.weights;
        let (assigns, specs) = (graph.assigns(), graph.parameters());
        let of = |is_assigned: bool| {
            let own = specs.iter().filter(|spec| assigns.iter().any(|(name, _)| *name == spec.name) == is_assigned);
            own.map(|spec| (spec.name.clone(), spec.shape.clone())).collect::<Vec<_>>()
        };
        let [weights, states] =
            [("model", false), ("assigned", true)].map(|(name, is_assigned)| ParameterSet::new(name, of(is_assigned)));
        let wrt: Vec<Tensor> = weights.parameters.iter().map(|p| graph.parameter(&p.name)).collect();
        let request = Request {
            parameters: vec![&weights, &states],
            data: [("few".to_string(), DataSpec::whole(ROWS, FEATURES, Packing::Floats))].into(),
            statistics: vec![("loss", loss)],
            gradients: vec![Gradients { set: &weights, tensors: loss.gradients(&wrt), accumulate: false }],
            assigns: assigns.iter().map(|(name, t)| (name.as_str(), *t)).collect(),
            ..Request::new("train", graph)
        };
        let mut given = crate::common::oracle::values(3);
        for (place, spec) in specs.iter().enumerate() {
            let start = spec.start(1, place).into_iter().map(f64::from);
            given.tensors.insert(spec.name.clone(), start.collect());
        }
        let x: Vec<f64> = numbers(4, ROWS, FEATURES).into_iter().map(f64::from).collect();
        given.tensors.insert("few".into(), x);
        let (mut padded, mut alive) = (given.clone(), given.clone());
        padded.tensors.get_mut("few").unwrap()[3 * FEATURES..].fill(50.0);
        alive.tensors.get_mut("few").unwrap()[2 * FEATURES..3 * FEATURES].fill(0.5);
        let mut device = Device::new(executor);
        let (right, what) = worst(&mut device, &request, &given);
        assert!(right < 2e-5, "{right:e} in {what}");
        let (right, what) = worst_against(&mut device, &request, &given, &padded);
        assert!(right < 2e-5, "{right:e} in {what} from what no row holds");
        assert!(worst_against(&mut device, &request, &given, &alive).0 > 1e-3, "another live row is seen");
    }
}

/// A run that goes on from a checkpoint in the middle of an epoch comes to the same bits, running statistics included.
#[test]
fn a_run_is_gone_on_with_bit_for_bit() {
    let x = numbers(6, 11, FEATURES);
    let new = || trainer(Sketched(Normalised), devices().remove(0), &rows(&x), &plain(4));
    let bits = |trainer: &mut Trainer| -> Vec<(String, Vec<u32>)> {
        let all = trainer.session.values().unwrap().into_iter();
        all.map(|(name, _, values)| (name, values.into_iter().map(f32::to_bits).collect())).collect()
    };
    let mut whole = new();
    run(&mut whole, 2);
    let mut broken = new();
    let stopped = broken.epoch(&mut |progress| match progress.batch {
        0 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    });
    assert!(stopped.unwrap().is_none() && broken.state.batch > 0, "it stopped within an epoch");
    let checkpoint = broken.checkpoint().unwrap();
    let names: Vec<&String> = checkpoint.tensors.iter().map(|(name, ..)| name).collect();
    assert!(names.iter().any(|name| *name == "encoder.0.norm.variance"), "{names:?}");
    let mut resumed = new();
    resumed.resume(&checkpoint).unwrap();
    run(&mut resumed, 2);
    assert_eq!(bits(&mut resumed), bits(&mut whole));
    // Without its running statistics it would be another.
    let mut forgetful = checkpoint.clone();
    let start = new().session.values().unwrap();
    for (name, _, values) in forgetful.tensors.iter_mut().filter(|(name, ..)| name.ends_with("norm.mean")) {
        values.clone_from(&start.iter().find(|(known, ..)| known == name).unwrap().2);
    }
    let mut other = new();
    other.resume(&forgetful).unwrap();
    run(&mut other, 2);
    assert_ne!(bits(&mut other), bits(&mut whole));
}
