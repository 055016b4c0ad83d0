//! The scalars of a program in a step.

use super::schedule::Rates;
use crate::kernels::SCALARS;
use crate::models::{Group, Model};
use crate::objectives::BETA;
use crate::program::{Program, Rule, SHARE};

/// A group of parameters, and how they are moved.
#[derive(Clone, Debug)]
pub struct Moved {
    /// The name of their set.
    pub name: String,
    /// The optimiser.
    pub rule: Rule,
    /// What the learning rate of the run is multiplied with.
    pub learning_rate: f64,
}

impl Moved {
    /// A group of a plan under a rule.
    pub fn new(group: &Group, rule: Rule) -> Moved {
        Moved { name: group.name.to_string(), rule, learning_rate: group.learning_rate }
    }
}

/// What the scalars of a program are, by slot.
#[derive(Clone, Debug)]
pub struct Scalars {
    sources: Vec<Source>,
}

/// Where a scalar comes from.
#[derive(Clone, Debug)]
enum Source {
    /// The scalar of an optimiser: the place of its group, and its own.
    Optimiser(usize, usize),
    /// The weight of the KL term.
    Beta,
    /// What a batch counts for among those whose gradients are gathered.
    Share,
    /// The model's own.
    Model(String),
}

impl Scalars {
    /// Those of a program that moves some of these groups.
    pub fn of(program: &Program, groups: &[Moved]) -> Scalars {
        let of_group = |name: &str| {
            groups.iter().enumerate().find_map(|(place, group)| {
                let own = name.strip_prefix(&group.name)?.strip_prefix('.')?;
                let scalar = group.rule.optimiser.scalars().iter().position(|scalar| *scalar == own)?;
                Some(Source::Optimiser(place, scalar))
            })
        };
        let source = |name: &String| match name.as_str() {
            BETA => Source::Beta,
            SHARE => Source::Share,
            other => of_group(other).unwrap_or_else(|| Source::Model(name.clone())),
        };
        Scalars { sources: program.scalars.iter().map(source).collect() }
    }

    /// Their values in step `step` of a run, a batch counting for `share`. `updates` gives how often each of the groups will
    /// have been moved by then.
    pub fn at(
        &self,
        (groups, rates): (&[Moved], &Rates),
        model: &dyn Model,
        (step, share): (u64, f64),
        updates: &dyn Fn(usize) -> u64,
    ) -> [f32; SCALARS] {
        let mut scalars = [0.0; SCALARS];
        for (slot, source) in scalars.iter_mut().zip(&self.sources) {
            let value = match source {
                &Source::Optimiser(group, scalar) => {
                    let Moved { rule, learning_rate, .. } = &groups[group];
                    rule.optimiser.values(learning_rate * rates.learning_rate(step), updates(group))[scalar]
                }
                Source::Beta => rates.beta(step),
                Source::Share => share,
                Source::Model(name) => model.scalar(name, rates.epochs(step)).unwrap_or(0.0),
            };
            *slot = value as f32;
        }
        scalars
    }
}
