//! How a model is trained: which parameters are moved together, by what, and how often.

use super::{Batch, Model, Terms};
use crate::catalogue::Spec;
use crate::graph::Tensor;

/// The name of the only group of a model that has no more.
pub const WHOLE: &str = "model";

/// How a model is trained.
pub struct TrainingPlan<'m> {
    /// Its parameters, in groups; a parameter belongs to the group with the longest scope that it lies in.
    pub groups: Vec<Group>,
    /// What is done in every iteration, in this order.
    pub phases: Vec<Phase<'m>>,
}

/// Parameters that one optimiser moves.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its name, which names its buffers.
    pub name: &'static str,
    /// The scope that they lie in; empty for all.
    pub scope: &'static str,
    /// The optimiser that moves them, where it is not that of the run.
    pub optimiser: Option<Spec>,
    /// What the learning rate of the run is multiplied with for them.
    pub learning_rate: f64,
    /// The most that the norm of their gradient may be, where it is not that of the run.
    pub clip: Option<f32>,
}

impl Group {
    /// The parameters of a scope, moved as the run says.
    pub fn new(name: &'static str, scope: &'static str) -> Group {
        Group { name, scope, optimiser: None, learning_rate: 1.0, clip: None }
    }

    /// How much of its name a parameter shares with the group's scope; `None` where it lies outside.
    fn holds(&self, parameter: &str) -> Option<usize> {
        let rest = parameter.strip_prefix(self.scope)?;
        (self.scope.is_empty() || rest.starts_with('.')).then_some(self.scope.len())
    }
}

/// What is done with a batch, and when.
pub struct Phase<'m> {
    /// Its name, which names its programs.
    pub name: &'static str,
    /// Iterations from one time that it is done to the next.
    pub every: u64,
    /// The iteration, from 0, in which it is done first.
    pub after: u64,
    /// What it makes of a batch.
    pub losses: Box<dyn for<'g> Fn(&Batch<'g>) -> Losses<'g> + Send + Sync + 'm>,
}

impl<'m> Phase<'m> {
    /// A phase of every iteration.
    pub fn new(name: &'static str, losses: impl for<'g> Fn(&Batch<'g>) -> Losses<'g> + Send + Sync + 'm) -> Phase<'m> {
        Phase { name, every: 1, after: 0, losses: Box::new(losses) }
    }
}

/// What a phase makes of a batch.
pub struct Losses<'g> {
    /// What is minimised, each by groups of its own. All are of one pass: one sees the parameters as the others do.
    pub losses: Vec<GroupLoss<'g>>,
    /// What is worth a look, by name, each `[rows, 1]`. The first must be a finite number, or training ends.
    pub statistics: Vec<(&'static str, Tensor<'g>)>,
}

impl<'g> Losses<'g> {
    /// A loss that one group minimises, and that is a statistic by this name.
    pub fn of(group: &'static str, name: &'static str, loss: Tensor<'g>) -> Losses<'g> {
        let statistics = vec![(name, loss)];
        Losses { losses: vec![GroupLoss { groups: vec![group], loss, gradient_scale: None }], statistics }
    }
}

/// What some groups minimise.
pub struct GroupLoss<'g> {
    /// The groups, by name.
    pub groups: Vec<&'static str>,
    /// What they minimise: its mean over the live rows `[rows, 1]`.
    pub loss: Tensor<'g>,
    /// A tensor, and what the gradient that comes back through it is multiplied by.
    pub gradient_scale: Option<(Tensor<'g>, Tensor<'g>)>,
}

impl<'m> TrainingPlan<'m> {
    /// Everything along the gradient of one loss, that of [`Model::terms`], in every iteration.
    pub fn of_one_loss(model: &'m dyn Model) -> TrainingPlan<'m> {
        let phase = Phase::new("train", move |batch| model.terms(batch).minimised_by(WHOLE));
        TrainingPlan { groups: vec![Group::new(WHOLE, "")], phases: vec![phase] }
    }

    /// The place of the group that a parameter belongs to.
    ///
    /// # Panics
    /// If none holds it: an error in the model.
    pub fn group_of(&self, parameter: &str) -> usize {
        let scopes = self.groups.iter().enumerate().filter_map(|(i, group)| Some((group.holds(parameter)?, i)));
        scopes.max().unwrap_or_else(|| panic!("no group holds the parameter {parameter}")).1
    }

    /// The place of a group by its name.
    ///
    /// # Panics
    /// If there is none: an error in the model.
    pub fn group(&self, name: &str) -> usize {
        let place = self.groups.iter().position(|group| group.name == name);
        place.unwrap_or_else(|| panic!("the plan has no group named {name}"))
    }
}

impl<'g> Terms<'g> {
    /// The means that are reported, by name, before they are taken: each `[rows, 1]`.
    pub fn statistics(&self) -> Vec<(&'static str, Tensor<'g>)> {
        let loss = self.loss;
        let kl = self.kl.map_or_else(|| loss.graph().full(0.0, loss.shape()), Tensor::sum_rows);
        let mut all = vec![("loss", loss), ("reconstruction", self.reconstruction), ("kl", kl)];
        all.extend(&self.parts);
        all
    }

    /// The loss, minimised by one group, and all terms as statistics.
    pub fn minimised_by(self, group: &'static str) -> Losses<'g> {
        let statistics = self.statistics();
        let loss = GroupLoss { groups: vec![group], loss: self.loss, gradient_scale: self.gradient_scale };
        Losses { losses: vec![loss], statistics }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_belongs_to_the_group_with_the_longest_scope() {
        let groups = vec![Group::new("rest", ""), Group::new("critic", "critic"), Group::new("head", "critic.head")];
        let plan = TrainingPlan { groups, phases: vec![] };
        let found =
            ["encoder.weight", "critic.weight", "critic.head.weight", "critics.weight"].map(|n| plan.group_of(n));
        assert_eq!(found, [0, 1, 2, 0]);
        assert_eq!(plan.group("head"), 2);
    }
}
