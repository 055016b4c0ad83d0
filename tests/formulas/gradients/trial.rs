//! A loss over some parameters, and its gradients in three ways: by differences, from the graph, from the program.

use elbo::engine::graph::eval::{Values, evaluate};
use elbo::engine::graph::{Graph, Init, ParameterSpec, Role};
use elbo::engine::program::{ParameterSet, Request};

use crate::common::oracle::{Device, Numbers, graph, values};

/// A tensor of a trial.
pub type Tensor = elbo::engine::graph::Tensor<'static>;

/// A loss by its name, with how exact its gradient is.
pub type Case = (String, f64, Box<dyn Fn(&mut Trial)>);

/// Losses.
pub type Cases = Vec<Case>;

/// What is wrong with a graph on purpose; its value never is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// Nothing is.
    Nothing,
    /// There is a factor that the gradient does not see.
    ScaleForgotten,
    /// There is a use that the gradient does not see.
    UseForgotten,
}

/// A loss being put together.
pub struct Trial {
    /// The graph.
    pub graph: &'static Graph,
    /// What its leaves hold.
    pub values: Values,
    /// What is wrong with it.
    pub fault: Fault,
    parameters: Vec<(String, Tensor)>,
    /// What is read besides, and not differentiated by.
    states: Vec<(String, Tensor)>,
    losses: Vec<Tensor>,
    loss: Option<Tensor>,
    gradients: Vec<Tensor>,
    shared: bool,
    numbers: Numbers,
}

impl Trial {
    /// The finished trial of a case.
    pub fn of(fault: Fault, case: &dyn Fn(&mut Trial)) -> Trial {
        let mut trial = Trial { fault, ..Trial::blank() };
        case(&mut trial);
        let sum = trial.losses.clone().into_iter().reduce(|a, b| a + b).expect("a case has a result");
        let loss = sum * 0.8;
        let wrt: Vec<Tensor> = trial.parameters.iter().map(|p| p.1).collect();
        trial.gradients = loss.gradients(&wrt);
        trial.loss = Some(loss);
        trial
    }

    /// A trial without parameters or a loss.
    pub fn blank() -> Trial {
        Trial {
            graph: graph(),
            values: values(4),
            fault: Fault::Nothing,
            parameters: vec![],
            states: vec![],
            losses: vec![],
            loss: None,
            gradients: vec![],
            shared: false,
            numbers: Numbers(5),
        }
    }

    /// From here on, cases take the same parameters and weights.
    pub fn share(&mut self) {
        self.shared = true;
    }

    /// A parameter of random numbers between -1 and 1.
    pub fn parameter(&mut self, name: &str, shape: &[usize]) -> Tensor {
        let count = self.parameters.len();
        let name = if self.shared { format!("{name}{shape:?}") } else { format!("{name}.{count}") };
        let t = self.graph.param(&name, shape, Init::Constant(0.0));
        if !self.values.tensors.contains_key(&name) {
            let numbers = self.numbers.signed(shape.iter().product());
            self.values.tensors.insert(name.clone(), numbers);
            self.parameters.push((name, t));
        }
        t
    }

    /// A parameter as a model declares it; nothing is differentiated by what is no weight.
    pub fn declared(&mut self, ParameterSpec { name, shape, init, role }: &ParameterSpec) {
        let numbers = self.numbers.signed(shape.iter().product());
        self.values.tensors.insert(name.to_string(), numbers);
        match role {
            Role::Trained => self.parameters.push((name.to_string(), self.graph.param(name, shape, *init))),
            Role::Frozen | Role::Assigned => {
                self.states.push((name.to_string(), self.graph.state(name, shape, *init)));
            }
        }
    }

    /// Data that nothing is differentiated by: random ones of the `levels` numbers 0, 1/(levels − 1), …, 1.
    pub fn data(&mut self, name: &str, shape: &[usize], levels: usize) -> Tensor {
        let count: usize = shape.iter().product();
        let numbers = (0..count).map(|_| self.numbers.below(levels) as f64 / (levels - 1) as f64).collect();
        self.values.tensors.insert(name.to_string(), numbers);
        self.graph.input(name, shape)
    }

    /// Something computed, of either sign; `place` tells the arguments of one operation apart.
    pub fn signal(&mut self, place: usize, shape: &[usize]) -> Tensor {
        let a = self.parameter(&format!("a{place}"), shape);
        let b = self.parameter(&format!("b{place}"), shape);
        a * b + a * 0.6
    }

    /// Something computed, above 0.2.
    pub fn positive(&mut self, place: usize, shape: &[usize]) -> Tensor {
        self.signal(place, shape).exp() + 0.2
    }

    /// c·y, unless that is what is forgotten: then the same value with the gradient of y.
    pub fn scaled(&mut self, y: Tensor, c: f32) -> Tensor {
        if self.fault != Fault::ScaleForgotten {
            return y * c;
        }
        y + y.detach() * (c - 1.0)
    }

    /// Puts the result of an operation into the loss: scaled, and used twice.
    pub fn result(&mut self, y: Tensor) {
        let scaled = self.scaled(y, 1.7);
        let again = if self.fault == Fault::UseForgotten { scaled.detach() } else { scaled };
        let shape = y.shape().to_vec();
        let name = if self.shared { format!("w{shape:?}") } else { format!("w{}", self.losses.len()) };
        let weights = self.graph.input(&name, &shape);
        let numbers = self.numbers.signed(shape.iter().product());
        self.values.tensors.entry(name).or_insert(numbers);
        self.lose(scaled * weights + again.square() * 0.3);
    }

    /// Adds the sum of a tensor to the loss.
    pub fn lose(&mut self, t: Tensor) {
        let axes: Vec<usize> = (0..t.shape().len()).collect();
        self.losses.push(t.sum(&axes).reshape(&[]));
    }

    /// The loss.
    pub fn value(&self) -> f64 {
        evaluate(&self.values, &[self.loss.expect("it is finished")])[0][0]
    }

    /// The gradients by five-point central differences.
    pub fn differences(&self) -> Vec<Vec<f64>> {
        const H: f64 = 1e-4;
        let (mut values, loss) = (self.values.clone(), self.loss.expect("it is finished"));
        let mut at = |name: &str, i: usize, h: f64| -> f64 {
            values.tensors.get_mut(name).expect("a value")[i] += h;
            let value = evaluate(&values, &[loss])[0][0];
            values.tensors.get_mut(name).expect("a value")[i] = self.values.tensors[name][i];
            value
        };
        let mut slope = |name: &str, i: usize| {
            let mut pair = |h: f64| at(name, i, h) - at(name, i, -h);
            (8.0 * pair(H) - pair(2.0 * H)) / (12.0 * H)
        };
        let of = |(name, _): &(String, Tensor)| (0..self.values.tensors[name].len()).map(|i| slope(name, i)).collect();
        self.parameters.iter().map(of).collect()
    }

    /// The gradients as the graph derives them.
    pub fn gradients_in_f64(&self) -> Vec<Vec<f64>> {
        evaluate(&self.values, &self.gradients)
    }

    /// The gradients as a lowered program computes them.
    pub fn gradients_on(&self, device: &mut Device) -> Vec<Vec<f64>> {
        let all = self.parameters.iter().chain(&self.states);
        let shapes = all.map(|(name, t)| (name.clone(), (*t).shape().to_vec()));
        let set = ParameterSet::new("model", shapes);
        let names = self.parameters.iter().map(|p| p.0.as_str());
        let request = Request {
            parameters: vec![&set],
            outputs: names.zip(self.gradients.iter().copied()).collect(),
            statistics: vec![("loss", self.loss.expect("it is finished"))],
            ..Request::new("trial", self.graph)
        };
        let found = device.run(&request, &self.values);
        found.outputs.iter().map(|list| list.iter().map(|&v| f64::from(v)).collect()).collect()
    }
}

/// The largest difference between two lists of gradients, relative to the largest number of each tensor.
pub fn apart(found: &[Vec<f64>], exact: &[Vec<f64>]) -> f64 {
    let worse = |a: f64, b: f64| if b.is_finite() { a.max(b) } else { f64::INFINITY };
    let one = |(f, e): (&Vec<f64>, &Vec<f64>)| {
        let scale = e.iter().fold(1e-3_f64, |s, x| s.max(x.abs()));
        f.iter().zip(e).map(|(f, e)| (f - e).abs() / scale).fold(0.0, worse)
    };
    assert_eq!(found.len(), exact.len());
    found.iter().zip(exact).map(one).fold(0.0, worse)
}
