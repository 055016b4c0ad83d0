//! A vector-quantised autoencoder (van den Oord, Vinyals and Kavukcuoglu 2017): the nearest vector of a codebook, passed straight
//! through, and the codebook as a moving average of what it stands for (appendix A.1).

use elbo::engine::graph::{Graph, Init, Tensor};
use elbo::engine::models::{Batch, Model};
use elbo::engine::nn::{Activation, Mlp, linear};

use super::by_hand::{Fault, Rows, apart, descend, slopes, train};
use super::course::{Sketch, Sketched, devices, numbers, parameters, plain, run, trainer};

const FEATURES: usize = 5;
const WIDTH: usize = 2;
const VECTORS: usize = 4;
const DECAY: f32 = 0.7;

#[derive(Clone, Copy, Debug)]
pub struct Vq;

impl Vq {
    fn encode(x: Tensor<'_>) -> Tensor<'_> {
        linear("encoder.out", Mlp::new(vec![6], Activation::Tanh).hidden("encoder", x), WIDTH)
    }

    fn decode(z: Tensor<'_>) -> Tensor<'_> {
        linear("decoder.out", Mlp::new(vec![6], Activation::Tanh).hidden("decoder", z), FEATURES)
    }

    fn codebook(graph: &Graph) -> [Tensor<'_>; 3] {
        let apart = Init::Normal { mean: 0.0, deviation: 0.3 };
        let count = graph.state("codebook.count", &[VECTORS, 1], Init::Constant(1.0));
        [
            graph.state("codebook.vectors", &[VECTORS, WIDTH], apart),
            count,
            graph.state("codebook.sum", &[VECTORS, WIDTH], apart),
        ]
    }

    /// 1 at the nearest vector of each code, the first of those that are as near `[rows, VECTORS]`.
    fn choose<'g>(z: Tensor<'g>, vectors: Tensor<'g>) -> Tensor<'g> {
        let far = z.square().sum_rows() - z.matmul(vectors.t()) * 2.0 + vectors.square().sum_rows().t();
        let least = -(-far).max(&[1]);
        let index = z.graph().coordinate(1, far.shape());
        let first = -(-least.less(far).select(z.graph().constant(VECTORS as f32), index)).max(&[1]);
        (index.less(first) + first.less(index)) * -1.0 + 1.0
    }
}

impl Sketch for Vq {
    const FEATURES: usize = FEATURES;
    const LATENT: usize = WIDTH;

    fn loss<'g>(&self, batch: &Batch<'g>) -> [Tensor<'g>; 2] {
        let (x, graph) = (batch.rows.x, batch.rows.x.graph());
        let (z, [vectors, count, sum]) = (Vq::encode(x), Vq::codebook(graph));
        let chosen = Vq::choose(z, vectors).detach();
        let e = chosen.matmul(vectors);
        if graph.is_assigned(vectors) {
            // Padding is nobody's.
            let live = chosen * batch.weights * graph.rows();
            let average = |old: Tensor<'g>, new: Tensor<'g>| old * DECAY + new.detach() * (1.0 - DECAY);
            let (count_now, sum_now) = (average(count, live.sum(&[0]).t()), average(sum, live.t().matmul(z)));
            for (state, value) in [(count, count_now), (sum, sum_now), (vectors, sum_now / count_now)] {
                graph.assign(state, value);
            }
        }
        let reconstruction = (Vq::decode(z + (e - z).detach()) - x).square().sum_rows();
        [reconstruction + (z - e.detach()).square().sum_rows() * 0.25, z]
    }
}

/// The decoder's gradient is that of the loss. The encoder's is not, since it is passed straight through.
#[test]
fn gradients_are_passed_straight_through() {
    let x = numbers(4, 12, FEATURES);
    let rows = Rows { x: &x, features: FEATURES };
    let mut at = parameters(&mut trainer(Sketched(Vq), devices().remove(0), &rows, &plain(12)));
    let [[gradient, difference]] = slopes(&Sketched(Vq), &at, &rows)[..] else { panic!("there is one loss") };
    assert!((gradient - difference).abs() > 1e-3, "{gradient}, {difference}");
    // Where every code is a vector, and stays at it, nothing is lost, and the difference is the gradient's.
    for (name, values) in &mut at {
        if name.starts_with("encoder") {
            values.fill(0.0);
        }
    }
    at.get_mut("codebook.vectors").unwrap()[..WIDTH].fill(0.0);
    let graph = Graph::of_training();
    let loss = Sketched(Vq).terms(&Batch::whole(graph.input("x", &[12, FEATURES]))).loss;
    let [into, past] = ["decoder.0.weight", "encoder.out.bias"].map(|name| {
        let gradient = loss.gradients(&[graph.parameter(name)])[0];
        elbo::engine::graph::eval::evaluate(&super::by_hand::values(&at, &rows, 0), &[gradient]).remove(0)
    });
    assert!(into.iter().all(|g| *g == 0.0), "a code of 0 moves no weight: {into:?}");
    assert!(past.iter().all(|g| g.abs() > 1e-3), "what the decoder wants of the code reaches the encoder: {past:?}");
}

#[test]
fn the_codebook_follows_what_it_stands_for() {
    let x = numbers(4, 12, FEATURES);
    let rows = Rows { x: &x, features: FEATURES };
    for executor in devices() {
        let mut trainer = trainer(Sketched(Vq), executor, &rows, &plain(12));
        let start = parameters(&mut trainer);
        run(&mut trainer, 6);
        let found = parameters(&mut trainer);
        let by_hand = |fault| train(&Sketched(Vq), &start, &rows, 6, fault, &mut descend(0.1));
        let far = apart(&found, &by_hand(None));
        assert!(far < 1e-4, "{}: {far:e}", trainer.session.executor.describe());
        assert!(apart(&found, &by_hand(Some(Fault::NotAssigned))) > 1e-2);
        // The first step by its formula: every code once, to the nearest vector.
        let counts: f64 =
            train(&Sketched(Vq), &start, &rows, 1, None, &mut descend(0.1))["codebook.count"].iter().sum();
        assert!((counts - (4.0 * f64::from(DECAY) + 12.0 * f64::from(1.0 - DECAY))).abs() < 1e-6, "{counts}");
    }
}
