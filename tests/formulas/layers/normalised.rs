//! Layers that normalise by the batch keep of each step what the step was trained by, once.

use std::sync::Arc;

use elbo::engine::distributions::Bernoulli;
use elbo::engine::graph::Graph;
use elbo::engine::graph::eval::evaluate;
use elbo::engine::models::{Batch, Hierarchical, Layer, Model, NetworkPair, Parts, Recognition, Sizes};
use elbo::engine::nn::{Activation, Mlp, RowNorm};
use elbo::engine::objectives::BETA;

use super::bench::Bench;

/// A model of two layers over four values, all of whose hidden layers normalise by the batch.
fn model(recognition: Recognition) -> Hierarchical {
    let hidden = |width| Arc::new(Mlp { norm: RowNorm::Batch, ..Mlp::new(vec![width], Activation::Tanh) });
    let networks = NetworkPair { encoder: hidden(6), decoder: hidden(5) };
    let upper = [Layer { latent: 2, hidden: vec![3] }];
    Hierarchical::with_networks(
        recognition,
        (Sizes::vector(4, 0), 2),
        networks,
        &upper,
        Parts::new(Arc::new(Bernoulli)),
    )
}

/// What each running mean becomes in a step where all of them are `kept`.
fn become_of(recognition: Recognition, kept: f64) -> Vec<(String, Vec<f64>)> {
    let mut bench = Bench { graph: Box::leak(Box::new(Graph::of_training())), ..Bench::new() };
    bench.values.scalars.insert(BETA.to_string(), 1.0);
    let x = bench.input("x", &[0, 1, 2, 3].map(|row| (0..4).map(|i| f64::from((row + i) % 3 == 0)).collect()));
    model(recognition).terms(&Batch::whole(x));
    bench.fill(&bench.graph.parameters(), 0.9);
    let assigns = bench.graph.assigns().into_iter().filter(|(name, _)| name.ends_with(".mean"));
    let (names, after): (Vec<String>, Vec<_>) = assigns.unzip();
    names.iter().for_each(|name| bench.values.tensors.get_mut(name).unwrap().fill(kept));
    names.into_iter().zip(evaluate(&bench.values, &after)).collect()
}

#[test]
fn running_means_take_in_one_value_a_step() {
    for recognition in [Recognition::BottomUp, Recognition::Ladder] {
        let [before, after] = [0.0, 1.0].map(|kept| become_of(recognition, kept));
        let names: Vec<&str> = before.iter().map(|(name, _)| name.as_str()).collect();
        // Of the networks between the layers as well.
        for scope in ["encoder.0", "decoder.0", "layer2.encoder.0", "layer2.decoder.0"] {
            assert!(names.contains(&format!("{scope}.norm.mean").as_str()), "{scope}: {names:?}");
        }
        for ((name, low), (_, high)) in before.iter().zip(&after) {
            // 0.9 of what was kept, where a second value would leave 0.81.
            assert!(
                low.iter().zip(high).all(|(low, high)| (high - low - 0.9).abs() < 1e-6),
                "{name}: {low:?}, {high:?}"
            );
            assert!(low.iter().any(|mean| mean.abs() > 1e-3), "{name} takes nothing in");
        }
    }
}
