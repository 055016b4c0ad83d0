//! Which argument the gradient of a maximum or a minimum goes to, where both are the same.

use elbo::engine::cpu::Cpu;
use elbo::engine::graph::eval::evaluate;
use elbo::engine::graph::{Graph, Init, Tensor};
use elbo::engine::kernels::Func;
use elbo::engine::program::{ParameterSet, Request};

use crate::common::oracle::{Device, values};

/// Below, above, and at the other's value.
const A: [f64; 4] = [1.0, 3.0, 2.0, 0.0];
const B: [f64; 4] = [2.0, 2.0, 2.0, 0.0];

#[test]
fn the_first_argument_has_the_whole_gradient() {
    for (func, to_first) in [(Func::Max, [0.0, 1.0, 1.0, 1.0]), (Func::Min, [1.0, 0.0, 1.0, 1.0])] {
        let graph = Graph::new();
        let [a, b] = ["a", "b"].map(|name| graph.param(name, &[4], Init::Constant(0.0)));
        let called = graph.call(func, &[a, b]);
        let scaled = called * 5.0;
        let gradients: Vec<Tensor> = scaled.gradients(&[a, b]);
        let mut values = values(4);
        values.tensors.insert("a".into(), A.to_vec());
        values.tensors.insert("b".into(), B.to_vec());
        let expected = [to_first.map(|share| 5.0 * share), to_first.map(|share| 5.0 * (1.0 - share))];
        assert_eq!(evaluate(&values, &gradients), expected, "{func:?}");
        let set = ParameterSet::new("model", ["a", "b"].map(|name| (name.to_string(), vec![4])));
        let request = Request {
            parameters: vec![&set],
            data: Default::default(),
            outputs: vec![("a", gradients[0]), ("b", gradients[1])],
            ..Request::new("ties", &graph)
        };
        let found = Device::new(Box::new(Cpu::new())).run(&request, &values).outputs;
        assert_eq!(found, expected.map(|list| list.map(|g| g as f32)), "{func:?}");
    }
}
