//! Every likelihood of the list, as it is by default and with other settings.

mod chained;
mod densities;
mod devices;
mod discrete;
mod fields;
mod formulas;
mod grid;
mod samples;
mod settings;

use std::sync::Arc;

use elbo::catalogue::{Setting, Spec, build};
use elbo::engine::distributions::{LIKELIHOODS, Likelihood};
use elbo::engine::graph::Graph;
use elbo::engine::graph::eval::{Values, evaluate};
use elbo::engine::program::{ParameterSet, Request};

use crate::common::oracle::{Device, Numbers, graph, values};

/// A tensor of a sheet.
type Tensor = elbo::engine::graph::Tensor<'static>;

/// What else than its default a setting is tried at.
fn others(setting: &Setting) -> &'static [f64] {
    match setting.name {
        "sigma" | "scale" | "start" => &[0.2],
        "nu" => &[2.5, 1.0, 1000.0],
        "levels" => &[5.0, 2.0],
        "components" => &[2.0, 1.0],
        // More are of several features at once: see `chained`.
        "channels" => &[1.0],
        name => panic!("say here what else the setting {name} is to be tried at"),
    }
}

/// Every likelihood by default, and with all of its settings at others.
fn specs() -> Vec<Spec> {
    let mut all = Vec::new();
    for piece in LIKELIHOODS {
        all.push(Spec::new(piece.about.id));
        let lists: Vec<&[f64]> = piece.about.settings.iter().map(others).collect();
        for i in 0..lists.iter().map(|list| list.len()).max().unwrap_or(0) {
            let settings =
                piece.about.settings.iter().zip(&lists).map(|(setting, list)| (setting.name, list[i % list.len()]));
            all.push(settings.fold(Spec::new(piece.about.id), |spec, (name, value)| spec.with(name, value)));
        }
    }
    all
}

fn made(spec: &Spec) -> Arc<dyn Likelihood> {
    build(LIKELIHOODS, spec).unwrap_or_else(|error| panic!("{spec}: {error}"))
}

/// Outputs of a decoder for one feature: random ones of this size, each an f32.
fn outputs(likelihood: &dyn Likelihood, size: f64, numbers: &mut Numbers) -> Vec<f64> {
    let signed = numbers.signed(likelihood.outputs(1));
    signed.iter().map(|x| f64::from((size * x) as f32)).collect()
}

/// Named numbers that a graph is to be computed of, and the graph.
struct Sheet {
    graph: &'static Graph,
    values: Values,
    /// What tells it from other sheets on the same device.
    tag: String,
}

impl Sheet {
    /// An empty one.
    fn new() -> Sheet {
        Sheet { graph: graph(), values: values(1), tag: String::new() }
    }

    /// What the leaves hold: the inputs, and -3/4 in every parameter.
    fn leaves(&self) -> Values {
        let mut values = self.values.clone();
        for spec in self.graph.parameters() {
            values.tensors.insert(spec.name, vec![-0.75; spec.shape.iter().product()]);
        }
        values
    }

    /// An input of these numbers, rounded to f32.
    fn input(&mut self, name: &str, shape: &[usize], numbers: &[f64]) -> Tensor {
        assert_eq!(numbers.len(), shape.iter().product::<usize>());
        let numbers = numbers.iter().map(|&x| f64::from(x as f32)).collect();
        let name = format!("{name}{}", self.tag);
        let tensor = self.graph.input(&name, shape);
        self.values.tensors.insert(name, numbers);
        tensor
    }

    /// What a device computes of some tensors.
    fn on(&self, device: &mut Device, wanted: &[Tensor]) -> Vec<Vec<f64>> {
        let names: Vec<String> = (0..wanted.len()).map(|i| format!("{i}{}", self.tag)).collect();
        let specs = self.graph.parameters().into_iter();
        let set = ParameterSet::new("model", specs.map(|spec| (spec.name, spec.shape)));
        let request = Request {
            parameters: if set.parameters.is_empty() { vec![] } else { vec![&set] },
            outputs: names.iter().map(String::as_str).zip(wanted.iter().copied()).collect(),
            ..Request::new("sheet", self.graph)
        };
        let wide = |list: &Vec<f32>| list.iter().map(|&x| f64::from(x)).collect();
        device.run(&request, &self.leaves()).outputs.iter().map(wide).collect()
    }

    /// The same in f64.
    fn exact(&self, wanted: &[Tensor]) -> Vec<Vec<f64>> {
        evaluate(&self.leaves(), wanted)
    }
}
