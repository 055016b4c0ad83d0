//! A graph with everything its lowering asks for.

use std::collections::HashMap;

use elbo::engine::graph::eval::Values;
use elbo::engine::graph::{Graph, Init};
use elbo::engine::kernels::{Order, Packing};
use elbo::engine::program::{DataSpec, Gradients, ParameterSet, Request, Rule, Update, lower};

use crate::common::oracle::{Device, Numbers, graph, values, worst};

/// A tensor of a sketch.
pub type Tensor = elbo::engine::graph::Tensor<'static>;

/// A graph being put together: leaves get random numbers between -1 and 1.
pub struct Sketch {
    /// The graph.
    pub graph: &'static Graph,
    /// What its leaves hold.
    pub values: Values,
    /// Tensors that the host reads.
    pub outputs: Vec<Tensor>,
    /// Tensors whose sums are statistics.
    pub statistics: Vec<Tensor>,
    /// Parameters of the second set, by name, and what they become.
    pub assigns: Vec<(String, Tensor)>,
    /// What is minimised over the first set, if anything.
    pub loss: Option<Tensor>,
    /// How it is minimised.
    pub rule: Rule,
    /// What numbers are drawn from.
    pub numbers: Numbers,
    parameters: [Vec<(String, Vec<usize>)>; 2],
    data: HashMap<String, DataSpec>,
    gradients: Vec<Tensor>,
}

impl Sketch {
    /// An empty graph, for so many live rows.
    pub fn new(seed: u64, rows: usize) -> Sketch {
        Sketch {
            graph: graph(),
            values: values(rows),
            outputs: vec![],
            statistics: vec![],
            assigns: vec![],
            loss: None,
            rule: Rule::of(&"adam".into()).unwrap(),
            numbers: Numbers(seed),
            parameters: [vec![], vec![]],
            data: HashMap::new(),
            gradients: vec![],
        }
    }

    fn give(&mut self, name: &str, shape: &[usize]) {
        let numbers = self.numbers.signed(shape.iter().product());
        self.values.tensors.insert(name.to_string(), numbers);
    }

    /// A parameter of one of the two sets.
    pub fn param(&mut self, set: usize, shape: &[usize]) -> Tensor {
        let name = format!("{}{}", ["p", "q"][set], self.parameters[set].len());
        self.give(&name, shape);
        self.parameters[set].push((name.clone(), shape.to_vec()));
        self.graph.param(&name, shape, Init::Constant(0.0))
    }

    /// The names and shapes of the second set.
    pub fn of_second_set(&self) -> Vec<(String, Vec<usize>)> {
        self.parameters[1].clone()
    }

    /// An input.
    pub fn input(&mut self, name: &str, shape: &[usize]) -> Tensor {
        self.give(name, shape);
        self.graph.input(name, shape)
    }

    /// A batch that is its whole data set.
    pub fn batch(&mut self, name: &str, rows: usize, features: usize) -> Tensor {
        self.give(name, &[rows, features]);
        self.data.insert(name.to_string(), DataSpec::whole(rows, features, Packing::Floats));
        self.graph.batch(name, rows, features, Order::Sequential, None)
    }

    /// A scalar of the step.
    pub fn scalar(&mut self, name: &str, value: f64) -> Tensor {
        self.values.scalars.insert(name.to_string(), value);
        self.graph.scalar(name)
    }

    /// Derives the gradients of the loss, once the graph is whole.
    pub fn finish(mut self) -> Sketch {
        if let Some(loss) = self.loss {
            let wrt: Vec<Tensor> = self.parameters[0].iter().map(|(name, _)| self.graph.parameter(name)).collect();
            self.gradients = loss.gradients(&wrt);
            for name in ["first.step_size", "first.correction"] {
                self.values.scalars.insert(name.to_string(), 0.01);
            }
        }
        self
    }

    fn with_request<T>(&self, work: impl FnOnce(&Request) -> T) -> T {
        let [p, q] = [0, 1].map(|set| ParameterSet::new(["first", "second"][set], self.parameters[set].clone()));
        let names: Vec<String> = (0..self.outputs.len().max(self.statistics.len())).map(|i| format!("t{i}")).collect();
        let named = |list: &[Tensor]| -> Vec<(&str, Tensor)> {
            names.iter().map(String::as_str).zip(list.iter().copied()).collect()
        };
        work(&Request {
            parameters: vec![&p, &q],
            data: self.data.clone(),
            outputs: named(&self.outputs),
            statistics: named(&self.statistics),
            gradients: self
                .loss
                .iter()
                .map(|_| Gradients { set: &p, tensors: self.gradients.clone(), accumulate: false })
                .collect(),
            updates: self
                .loss
                .iter()
                .map(|_| Update { set: &p, rule: self.rule.clone(), accumulated: false })
                .collect(),
            assigns: self.assigns.iter().map(|(name, t)| (name.as_str(), *t)).collect(),
            ..Request::new("sketch", self.graph)
        })
    }

    /// The largest difference of the program on a device from the graph, and where it is.
    pub fn worst(&self, device: &mut Device) -> (f64, String) {
        self.with_request(|request| worst(device, request, &self.values))
    }

    /// How many calls the program has, and what they are.
    pub fn listing(&self) -> (usize, String) {
        self.with_request(|request| {
            let program = lower(request);
            (program.calls.len(), program.listing())
        })
    }

    /// Changes one number of a leaf after everything was recorded: the comparison must see it.
    pub fn worst_when_nudged(&self, device: &mut Device, leaf: &str) -> f64 {
        let mut nudged = self.values.clone();
        nudged.tensors.get_mut(leaf).expect("a leaf")[0] += 0.1;
        self.with_request(|request| crate::common::oracle::worst_against(device, request, &self.values, &nudged)).0
    }
}
