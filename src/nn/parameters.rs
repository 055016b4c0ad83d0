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
