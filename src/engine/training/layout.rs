//! How the parameters of a model lie in memory.

use crate::graph::{ParameterSpec, Role};
use crate::models::{Model, parameters};
use crate::program::ParameterSet;

/// The parameters of a model in sets: those of each group of its plan, those that are assigned, and those that are only read.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Those that are trained, by the groups of the model's plan.
    pub groups: Vec<ParameterSet>,
    /// Those that become what they are assigned.
    pub assigned: ParameterSet,
    /// Those that are read and never trained.
    pub frozen: ParameterSet,
    /// Whether means of those that are trained are kept, running ones or those of SWAG, and used in place of them.
    pub averaged: bool,
    specs: Vec<ParameterSpec>,
}

impl Layout {
    /// The layout of a model.
    pub fn new(model: &dyn Model) -> Layout {
        let (plan, specs) = (model.plan(), parameters(model));
        let set = |name: &str, belongs: &dyn Fn(&ParameterSpec) -> bool| {
            let own = specs.iter().filter(|spec| belongs(spec));
            ParameterSet::new(name, own.map(|spec| (spec.name.clone(), spec.shape.clone())))
        };
        let groups = plan.groups.iter().enumerate().map(|(place, group)| {
            set(group.name, &|spec| spec.role == Role::Trained && plan.group_of(&spec.name) == place)
        });
        Layout {
            groups: groups.collect(),
            assigned: set("assigned", &|spec| spec.role == Role::Assigned),
            frozen: set("frozen", &|spec| spec.role == Role::Frozen),
            averaged: false,
            specs,
        }
    }

    /// The sets that a step of training reads.
    pub fn trained(&self) -> Vec<ParameterSet> {
        self.groups.iter().chain([&self.assigned, &self.frozen]).cloned().collect()
    }

    /// The sets that all else reads.
    pub fn read(&self) -> Vec<ParameterSet> {
        self.learnt().into_iter().chain([self.frozen.clone()]).collect()
    }

    /// Those of them that training changes.
    pub fn learnt(&self) -> Vec<ParameterSet> {
        let groups = self.groups.iter().map(|set| if self.averaged { set.averages() } else { set.clone() });
        groups.chain([self.assigned.clone()]).collect()
    }

    /// The parameters that are trained, as the model declares them.
    pub fn declared(&self) -> impl Iterator<Item = &ParameterSpec> {
        self.specs.iter().filter(|spec| spec.role == Role::Trained)
    }

    /// How many numbers are trained.
    pub fn count(&self) -> usize {
        self.groups.iter().map(ParameterSet::count).sum()
    }

    /// The starting values of a set, which the seed decides.
    pub fn start(&self, set: &ParameterSet, seed: u64) -> Vec<f32> {
        let mut values = vec![0.0; set.words()];
        // Of parameters that are trained the number among those decides, so that what is frozen changes nothing.
        let ordered = [Role::Trained, Role::Assigned].into_iter();
        let ordered = ordered.flat_map(|role| self.specs.iter().filter(move |spec| spec.role == role));
        for (place, spec) in ordered.enumerate() {
            if let Some(p) = set.get(&spec.name) {
                values[p.offset..][..p.len()].copy_from_slice(&spec.start(seed, place));
            }
        }
        values
    }
}
