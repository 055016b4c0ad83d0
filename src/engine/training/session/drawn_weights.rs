//! A session whose weights are, for a while, a draw from their distribution and not its mean.

use super::super::checkpoint::Checkpoint;
use super::super::layout::Layout;
use super::Session;
use crate::distributions::WeightDistribution;
use crate::error::{Error, Result};
use crate::graph::{Graph, Tensor};
use crate::kernels::Step;
use crate::models::Model;
use crate::program::{Program, Request, lower};

/// The name of the program that draws weights.
const NAME: &str = "weights";

/// The distribution of a model's weights.
fn distribution(model: &dyn Model) -> Result<&dyn WeightDistribution> {
    model.weights().ok_or_else(|| {
        Error::invalid(
            "the weights of this model are numbers, and this takes a distribution of them: train one with --network-weights \
             bayes-by-backprop",
        )
    })
}

/// The output that holds a draw of the weights whose means a parameter holds.
fn output_of(parameter: &str) -> String {
    format!("{NAME}.{parameter}")
}

/// The program that draws weights.
fn draw_program(model: &dyn Model, layout: &Layout) -> Result<Program> {
    let (weights, graph, sets) = (distribution(model)?, Graph::new(), layout.read());
    let mut drawn: Vec<(String, Tensor)> = vec![];
    for spec in layout.declared() {
        let mean = graph.param(&spec.name, &spec.shape, spec.init);
        drawn.extend(weights.draw(&spec.name, mean).map(|draw| (output_of(&spec.name), draw.weights)));
    }
    Ok(lower(&Request {
        parameters: sets.iter().collect(),
        outputs: drawn.iter().map(|(name, weights)| (name.as_str(), *weights)).collect(),
        ..Request::new(NAME, &graph)
    }))
}

impl Session {
    /// Says so if the model's weights have no distribution that can be drawn from.
    ///
    /// # Errors
    /// If they are points.
    pub fn check_drawn_weights(&self) -> Result<()> {
        distribution(&*self.model).map(drop)
    }

    /// Does `work` with weights that are drawn as the seed decides, in place of their means, which are put back in any case. The same seed
    /// gives the same weights.
    ///
    /// # Errors
    /// If the model's weights are points, or the device fails; as for `work`.
    pub fn with_drawn_weights<T>(&mut self, seed: u64, work: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
        let id = self.load(NAME, draw_program)?;
        self.executor.run(id, &[Step { seed: Step::seed_words(seed), ..Step::default() }])?;
        let sets = self.layout.learnt();
        let mut means = vec![];
        for set in &sets {
            means.push(self.tensors(set, &set.values(), "")?);
        }
        let mut drawn = means.concat();
        for (name, _, values) in &mut drawn {
            let output = format!("output.{}", output_of(name));
            if self.executor.words(&output).is_some() {
                *values = self.executor.read_f32(&output)?;
            }
        }
        let put = |session: &mut Session, tensors| {
            let held = Checkpoint { tensors, ..Checkpoint::default() };
            sets.iter().try_for_each(|set| session.restore(set, &set.values(), "", &held))
        };
        put(self, drawn)?;
        let found = work(self);
        put(self, means.concat())?;
        found
    }
}
