//! What a layer says of its parameters, and how they start.

use crate::kernels::Step;
use crate::kernels::random::{normal4, uniform4};

/// How a parameter starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// The same number everywhere.
    Constant(f32),
    /// Uniform in ±bound.
    Uniform(f32),
    /// Normal, so that what would otherwise be alike starts apart.
    Normal {
        /// The mean.
        mean: f32,
        /// The standard deviation.
        deviation: f32,
    },
}

/// A parameter of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpec {
    /// Its name, unique in the model.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// How it starts.
    pub init: Init,
}

impl ParameterSpec {
    /// The same under the name that [`Graph::scoped`](crate::graph::Graph::scoped) gives it.
    #[must_use]
    pub fn scoped(self, scope: &str) -> ParameterSpec {
        ParameterSpec { name: format!("{scope}{}", self.name), ..self }
    }

    /// The starting values, a function of the seed and of the parameter's place among the model's.
    pub fn start(&self, seed: u64, place: usize) -> Vec<f32> {
        let count: usize = self.shape.iter().product();
        // Streams of initial values stand far above those of graphs, which count from 1.
        let (step, stream) = (Step { seed: Step::seed_words(seed), ..Step::default() }, 0x8000_0000 + place as u32);
        match self.init {
            Init::Constant(c) => vec![c; count],
            Init::Uniform(bound) => {
                (0..count).map(|e| bound * (2.0 * uniform4(&step, stream, e as u32 / 4)[e % 4] - 1.0)).collect()
            }
            Init::Normal { mean, deviation } => {
                (0..count).map(|e| mean + deviation * normal4(&step, stream, e as u32 / 4)[e % 4]).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_values_have_the_mean_and_the_deviation_that_are_asked_for() {
        let init = Init::Normal { mean: -1.0, deviation: 0.5 };
        let spec = ParameterSpec { name: "a".into(), shape: vec![100, 100], init };
        let values = spec.start(1, 2);
        let mean = values.iter().sum::<f32>() / 1e4;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 1e4;
        assert!((mean + 1.0).abs() < 0.025 && (variance.sqrt() - 0.5).abs() < 0.02, "{mean}, {variance}");
        assert!(values != spec.start(1, 3) && values != spec.start(2, 2) && values == spec.start(1, 2));
    }
}
