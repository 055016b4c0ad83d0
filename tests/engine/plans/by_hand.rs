//! What training a model by its plan comes to, in f64 and one number at a time: from the meaning of each phase's graph.

use std::collections::BTreeMap;

use elbo::engine::graph::eval::{Values, evaluate};
use elbo::engine::graph::{Graph, ParameterSpec, Role, Tensor};
use elbo::engine::kernels::Step;
use elbo::engine::models::{Batch, Model};

/// Parameters by name.
pub type Parameters = BTreeMap<String, Vec<f64>>;

/// Moves one parameter: its group's name, its own, its values, and its gradient.
pub type Optimise<'a> = &'a mut dyn FnMut(&str, &str, &mut [f64], &[f64]);

/// Something that is wrong on purpose, to show that it would be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Phases are done in the other order.
    OtherOrder,
    /// No state is assigned.
    NotAssigned,
    /// Every phase is done in every iteration.
    EveryTime,
}

/// Rows `[rows, features]`, all of which are one batch.
pub struct Rows<'a> {
    pub x: &'a [f32],
    pub features: usize,
}

impl Rows<'_> {
    pub fn count(&self) -> usize {
        self.x.len() / self.features
    }
}

/// Parameters after so many steps of the seed 0, each with all rows.
pub fn train(
    model: &dyn Model,
    start: &Parameters,
    rows: &Rows,
    steps: u32,
    fault: Option<Fault>,
    optimise: Optimise,
) -> Parameters {
    let mut now = start.clone();
    for t in 0..steps {
        let mut phases: Vec<_> = model.plan().phases.into_iter().enumerate().collect();
        if fault == Some(Fault::OtherOrder) {
            phases.reverse();
        }
        for (place, phase) in phases {
            let is_due = u64::from(t) >= phase.after && (u64::from(t) - phase.after) % phase.every == 0;
            if !is_due && fault != Some(Fault::EveryTime) {
                continue;
            }
            let graph = Graph::of_training();
            graph.start_streams_at(place as u32 * 65_536);
            let batch = Batch::whole(graph.input("x", &[rows.count(), rows.features]));
            let losses = (phase.losses)(&batch).losses;
            let mut moved: Vec<(&str, String, Tensor)> = vec![];
            for loss in losses {
                for group in loss.groups {
                    let own = names_of(model, &graph, group);
                    let wrt: Vec<Tensor> = own.iter().map(|name| graph.parameter(name)).collect();
                    let gradients = (loss.loss * batch.weights).gradients(&wrt);
                    moved.extend(own.into_iter().zip(gradients).map(|(name, gradient)| (group, name, gradient)));
                }
            }
            let assigns = graph.assigns();
            let wanted: Vec<Tensor> = moved.iter().map(|m| m.2).chain(assigns.iter().map(|(_, t)| *t)).collect();
            let found = evaluate(&values(&now, rows, t), &wanted);
            for ((group, name, _), gradient) in moved.iter().zip(&found) {
                optimise(group, name, now.get_mut(name).unwrap(), gradient);
            }
            for ((name, _), value) in assigns.iter().zip(&found[moved.len()..]) {
                if fault != Some(Fault::NotAssigned) {
                    now.insert(name.clone(), value.clone());
                }
            }
        }
    }
    now
}

/// The parameters of a group that a graph has declared.
fn names_of(model: &dyn Model, graph: &Graph, group: &str) -> Vec<String> {
    let plan = model.plan();
    let is_own = |spec: &ParameterSpec| spec.role == Role::Trained && plan.group_of(&spec.name) == plan.group(group);
    graph.parameters().into_iter().filter(is_own).map(|spec| spec.name).collect()
}

/// What the leaves of a graph hold in step `t`.
pub fn values(parameters: &Parameters, rows: &Rows, t: u32) -> Values {
    let mut values = Values::default();
    values.tensors.extend(parameters.iter().map(|(name, v)| (name.clone(), v.clone())));
    values.tensors.insert("x".into(), rows.x.iter().map(|&x| f64::from(x)).collect());
    values.step = Step { step: t, rows: rows.count() as u32, ..Step::default() };
    values
}

/// Plain gradient descent.
pub fn descend(learning_rate: f64) -> impl FnMut(&str, &str, &mut [f64], &[f64]) {
    move |_, _, values, gradient| values.iter_mut().zip(gradient).for_each(|(v, g)| *v -= learning_rate * g)
}

/// The largest difference of two sets of parameters, relative to the largest number of each tensor.
pub fn apart(a: &Parameters, b: &Parameters) -> f64 {
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    let of = |(a, b): (&Vec<f64>, &Vec<f64>)| {
        let scale = b.iter().fold(1e-2_f64, |scale, x| scale.max(x.abs()));
        a.iter()
            .zip(b)
            .map(|(a, b)| (a - b).abs() / scale)
            .fold(0.0, |x: f64, y| if y.is_finite() { x.max(y) } else { f64::INFINITY })
    };
    a.values().zip(b.values()).map(of).fold(0.0, f64::max)
}

/// The largest difference of a phase's gradient from central differences, all parameters of a group moving together along a
/// direction: relative to the slope. And that slope.
pub fn slopes(model: &dyn Model, at: &Parameters, rows: &Rows) -> Vec<[f64; 2]> {
    const H: f64 = 1e-5;
    let mut all = vec![];
    for phase in model.plan().phases {
        let graph = Graph::of_training();
        let batch = Batch::whole(graph.input("x", &[rows.count(), rows.features]));
        for loss in (phase.losses)(&batch).losses {
            let total = (loss.loss * batch.weights).sum(&[0]);
            for group in loss.groups {
                let names = names_of(model, &graph, group);
                let wrt: Vec<Tensor> = names.iter().map(|name| graph.parameter(name)).collect();
                let gradients = evaluate(&values(at, rows, 5), &total.gradients(&wrt));
                let along = |name: &str, i: usize| ((name.len() + 3 * i) as f64).sin();
                let exact: f64 = names
                    .iter()
                    .zip(&gradients)
                    .flat_map(|(name, g)| g.iter().enumerate().map(|(i, g)| g * along(name, i)).collect::<Vec<_>>())
                    .sum();
                let moved = |by: f64| {
                    let mut at = at.clone();
                    for name in &names {
                        at.get_mut(name).unwrap().iter_mut().enumerate().for_each(|(i, v)| *v += by * along(name, i));
                    }
                    evaluate(&values(&at, rows, 5), &[total])[0][0]
                };
                all.push([exact, (moved(H) - moved(-H)) / (2.0 * H)]);
            }
        }
    }
    all
}
