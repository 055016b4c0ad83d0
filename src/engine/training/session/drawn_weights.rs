//! A session whose weights are, for a while, a draw from their distribution and not its mean.

use super::super::layout::Layout;
use super::{LearntValues, Session};
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
            "the weights of this model are numbers, and this takes several of them: train a distribution of them with --network-weights \
             bayes-by-backprop or --swag 20, or models side by side with --members 5, and give the folder of the run",
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
    pub(super) fn check_drawn_weights(&self) -> Result<()> {
        match &self.swag {
            Some(swag) => swag.check(),
            None => distribution(&*self.model).map(drop),
        }
    }

    /// Does `work` with weights that are drawn as the seed decides, in place of their means, which are put back in any case. The same seed
    /// gives the same weights.
    ///
    /// # Errors
    /// If the model's weights are points, or the device fails; as for `work`.
    pub fn with_drawn_weights<T>(&mut self, seed: u64, work: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
        let drawn = self.drawn_values(seed)?;
        self.with_values(&drawn, work)
    }

    /// A draw of all that is learnt.
    fn drawn_values(&mut self, seed: u64) -> Result<LearntValues> {
        let mut drawn = self.learnt_values()?;
        if let Some(swag) = &self.swag {
            swag.draw(&mut drawn, seed)?;
            return Ok(drawn);
        }
        let id = self.load(NAME, draw_program)?;
        self.executor.run(id, &[Step { seed: Step::seed_words(seed), ..Step::default() }])?;
        for (set, values) in self.layout.learnt().iter().zip(&mut drawn) {
            for parameter in &set.parameters {
                let output = format!("output.{}", output_of(&parameter.name));
                if self.executor.words(&output).is_some() {
                    let draw = self.executor.read_f32(&output)?;
                    values[parameter.offset..][..parameter.len()].copy_from_slice(&draw);
                }
            }
        }
        Ok(drawn)
    }

    /// Does `work` with other values of what is learnt, and puts those back that there were in any case.
    fn with_values<T>(&mut self, values: &LearntValues, work: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
        let own = self.exchange(values)?;
        let found = work(self);
        self.exchange(&own)?;
        found
    }
}
