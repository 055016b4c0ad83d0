//! Autoregressive flows turn their order between steps: what the first dimension could not see in one step it sees in the
//! next.

use elbo::catalogue::{Spec, build};
use elbo::engine::distributions::{DiagonalGaussian, Encoder, POSTERIORS, PRIORS};
use elbo::engine::graph::eval::evaluate;
use elbo::engine::graph::{Graph, Tensor};
use elbo::engine::models::{NetworkPair, Networks, Sizes};
use elbo::engine::nn::Activation;

use crate::common::oracle::{Numbers, values};

const LATENT: usize = 4;

/// Whether each dimension of `to` depends on each of `from`, both `[1, latent]`, at random weights.
fn depends<'g>(from: Tensor<'g>, to: Tensor<'g>) -> Vec<Vec<bool>> {
    let (mut values, mut numbers) = (values(1), Numbers(13));
    for spec in from.graph().parameters() {
        values.tensors.insert(spec.name.clone(), numbers.signed(spec.shape.iter().product()));
    }
    values.tensors.insert("noise".into(), numbers.signed(LATENT));
    values.tensors.insert("outputs".into(), numbers.signed(2 * LATENT + 3));
    let row = |d: usize| {
        let slope = to.slice(1, d, 1).gradients(&[from])[0];
        evaluate(&values, &[slope])[0].iter().map(|s| s.abs() > 1e-9).collect()
    };
    (0..LATENT).map(row).collect()
}

/// Of a posterior: its codes by the noise.
fn iaf(length: usize) -> Vec<Vec<bool>> {
    let spec: Spec = format!("iaf:length={length},hidden=8,context=3").parse().unwrap();
    let posterior = build(POSTERIORS, &spec).unwrap();
    let graph = Graph::new();
    let outputs = graph.input("outputs", &[1, posterior.outputs(LATENT)]);
    let noise = graph.input("noise", &[1, LATENT]);
    let draw = posterior.sample(outputs, noise);
    depends(noise, draw.z)
}

/// Of a prior: its draws by the noise, which is the first stream.
fn maf(length: usize) -> Vec<Vec<bool>> {
    let spec: Spec = format!("maf:length={length},hidden=8").parse().unwrap();
    let prior = build(PRIORS, &spec).unwrap();
    let networks =
        Networks::new(Sizes::vector(1, 0), LATENT, NetworkPair::mlp((&[], &[]), Activation::Tanh), 2 * LATENT, 1);
    let encoder = Encoder { network: &networks, posterior: &DiagonalGaussian };
    let graph = Graph::new();
    let z = prior.sample(&graph, 1, LATENT, &encoder);
    let u = graph.normal(1, &[1, LATENT]);
    depends(u, z)
}

#[test]
fn one_step_keeps_an_order_and_two_do_not() {
    for (name, of) in [("iaf", iaf as fn(usize) -> Vec<Vec<bool>>), ("maf", maf)] {
        // One step: each dimension of itself and of those before.
        let one = of(1);
        for (d, row) in one.iter().enumerate() {
            let expected: Vec<bool> = (0..LATENT).map(|i| i <= d).collect();
            assert_eq!(*row, expected, "{name}: dimension {d}");
        }
        // Two steps: all of all. Without a turn the dependence would stay that of one step.
        for length in [2, 3] {
            let several = of(length);
            assert!(several.iter().flatten().all(|&is_seen| is_seen), "{name} of {length} steps: {several:?}");
        }
    }
}
