//! How often planning looks at something: of twice as many operations about twice as often.

use std::sync::Arc;

use super::{Destination, Plan};
use crate::catalogue::{Spec, build};
use crate::distributions::{Bernoulli, POSTERIORS, PRIORS};
use crate::graph::{Graph, Init, Tensor};
use crate::models::{Batch, Model, Parts, Vae};
use crate::nn::{Activation, linear};

/// What planning takes for a model of so many layers: looks, and the units that it comes to.
type Of<'a> = &'a dyn Fn(usize) -> (u64, u64);

/// Looks taken for a loss with its gradients, and the units that it comes to.
fn visits(graph: &Graph, loss: Tensor) -> (u64, u64) {
    let wrt: Vec<Tensor> = graph.parameters().iter().map(|spec| graph.parameter(&spec.name)).collect();
    let gradients = loss.gradients(&wrt);
    let wanted: Vec<_> = gradients.iter().enumerate().map(|(i, t)| (t.id(), Destination::Gradient(0, i))).collect();
    let plan = Plan::new(graph, &wanted, &[loss.id()]);
    (plan.visits.get(), plan.units.len() as u64)
}

/// Of a VAE of so many hidden layers, with a posterior and a prior.
fn of_vae(layers: usize, posterior: Spec, prior: Spec) -> (u64, u64) {
    let parts = Parts {
        posterior: build(POSTERIORS, &posterior).unwrap(),
        prior: build(PRIORS, &prior).unwrap(),
        ..Parts::new(Arc::new(Bernoulli))
    };
    let hidden = vec![12; layers];
    let vae = Vae::new(16, 6, (&hidden, &hidden), Activation::Relu, parts);
    let graph = Graph::new();
    let batch = Batch::whole(graph.input("x", &[8, 16]));
    visits(&graph, vae.terms(&batch).loss * batch.weights)
}

/// x + f(x), so many times.
fn of_residual(layers: usize) -> (u64, u64) {
    let graph = Graph::new();
    let first = graph.input("x", &[8, 12]) + graph.param("shift", &[12], Init::Constant(0.0));
    let last = (0..layers).fold(first, |x, i| x + linear(&format!("layer.{i}"), x.tanh(), 12));
    visits(&graph, last.square().sum(&[0, 1]))
}

#[test]
fn twice_the_operations_take_twice_the_looks() {
    let [normal, gaussian] = ["standard-normal", "diagonal-gaussian"].map(Spec::new);
    let long = |id: &str, length: usize| Spec::new(id).with("length", length as f64);
    let cases: [(&str, usize, Of); 4] = [
        ("planar maps", 16, &|n| of_vae(1, long("planar", n), normal.clone())),
        ("couplings", 8, &|n| of_vae(1, gaussian.clone(), long("realnvp", n))),
        ("hidden layers", 16, &|n| of_vae(n, gaussian.clone(), normal.clone())),
        ("residual layers", 30, &of_residual),
    ];
    let bound = 2.2;
    for (name, count, of) in cases {
        let (once, units) = of(count);
        let (twice, more_units) = of(2 * count);
        let growth = twice as f64 / once as f64;
        assert!(growth < bound, "{name}: {once} looks for {count}, {twice} for twice as many");
        // A look at every pair of units would be seen.
        let pairs = (more_units * more_units) as f64 / (units * units) as f64;
        assert!(pairs > bound, "{name}: {units} units and {more_units}");
        eprintln!("{name}: {once} looks for {count}, {twice} for twice as many, of {units} and {more_units} units");
    }
}
