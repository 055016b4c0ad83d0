//! Batch normalisation (Ioffe and Szegedy 2015): statistics of the batch in training, running ones later on.

use elbo::data::{Dataset, Shape, Split, Values};
use elbo::engine::graph::{Graph, Init, Tensor};
use elbo::engine::models::{Batch, Model};
use elbo::engine::nn::linear;

use super::by_hand::{Fault, Rows, apart, descend, slopes, train, values};
use super::course::{Sketch, Sketched, devices, numbers, parameters, plain, run, trainer};

const FEATURES: usize = 4;
const MOMENTUM: f32 = 0.3;
const EPSILON: f32 = 1e-3;

/// x of the live rows to mean 0 and variance 1, times one parameter and plus another.
fn batch_norm<'g>(name: &str, x: Tensor<'g>, weights: Tensor<'g>) -> Tensor<'g> {
    let (graph, n) = (x.graph(), x.width());
    graph.scope(name, || {
        let [mean, variance] =
            [("mean", 0.0), ("variance", 1.0)].map(|(name, at)| graph.state(name, &[1, n], Init::Constant(at)));
        let (mut m, mut v) = (mean, variance);
        if graph.is_assigned(mean) {
            m = (x * weights).sum(&[0]);
            v = ((x - m).square() * weights).sum(&[0]);
            // The variance of the population that the rows are drawn from.
            let unbiased = v * (graph.rows() / (graph.rows() - 1.0));
            for (state, now) in [(mean, m), (variance, unbiased)] {
                graph.assign(state, state + (now.detach() - state) * MOMENTUM);
            }
        }
        let scale = graph.param("scale", &[n], Init::Constant(1.0));
        (x - m) / (v + EPSILON).sqrt() * scale + graph.param("shift", &[n], Init::Constant(0.0))
    })
}

#[derive(Clone, Copy, Debug)]
struct Normalised;

impl Sketch for Normalised {
    const FEATURES: usize = FEATURES;
    const LATENT: usize = 3;

    fn loss<'g>(&self, batch: &Batch<'g>) -> [Tensor<'g>; 2] {
        let code = batch_norm("norm", linear("encoder", batch.rows.x, 3), batch.weights).tanh();
        [(linear("decoder", code, FEATURES) - batch.rows.x).square().sum_rows(), code]
    }
}

#[test]
fn its_gradient_is_that_of_its_loss() {
    let x = numbers(6, 9, FEATURES);
    let rows = Rows { x: &x, features: FEATURES };
    let at = parameters(&mut trainer(Sketched(Normalised), devices().remove(0), &rows, &plain(9)));
    for [gradient, difference] in slopes(&Sketched(Normalised), &at, &rows) {
        assert!(
            (gradient - difference).abs() < 1e-6 * gradient.abs() && gradient.abs() > 1e-3,
            "{gradient}, {difference}"
        );
    }
}

#[test]
fn running_statistics_are_kept_in_training_and_used_later_on() {
    let x = numbers(6, 9, FEATURES);
    let rows = Rows { x: &x, features: FEATURES };
    for executor in devices() {
        let mut trainer = trainer(Sketched(Normalised), executor, &rows, &plain(9));
        let start = parameters(&mut trainer);
        run(&mut trainer, 5);
        let found = parameters(&mut trainer);
        let by_hand = |fault| train(&Sketched(Normalised), &start, &rows, 5, fault, &mut descend(0.1));
        let far = apart(&found, &by_hand(None));
        assert!(far < 1e-4, "{}: {far:e}", trainer.session.executor.describe());
        assert!(apart(&found, &by_hand(Some(Fault::NotAssigned))) > 1e-2);
        // Measured on fewer rows, in batches with padding: by the running statistics, so that rows do not touch each other.
        let few = &x[..5 * FEATURES];
        let data = Dataset::new("few", Values::Floats(few.to_vec()), Shape::vector(FEATURES)).unwrap();
        let measured = trainer.session.evaluate(Split::Test, &data, (3, 1.0)).unwrap().0.loss;
        let exact = |graph: Graph| -> f64 {
            let rows = Rows { x: few, features: FEATURES };
            let loss = Sketched(Normalised).terms(&Batch::whole(graph.input("x", &[5, FEATURES]))).loss;
            elbo::engine::graph::eval::evaluate(&values(&found, &rows, 0), &[loss])[0].iter().sum::<f64>() / 5.0
        };
        assert!((measured / exact(Graph::new()) - 1.0).abs() < 1e-5, "{measured}, {}", exact(Graph::new()));
        assert!((measured / exact(Graph::of_training()) - 1.0).abs() > 1e-3, "the batch's own statistics are others");
    }
}
