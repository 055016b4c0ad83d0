//! What is known about the choices of kernels that have several: recorded for a run, remembered from an earlier start, or found by timing.

use std::time::Duration;

use crate::kernels::{Kernel, Traits};
use crate::program::Choices;

/// What is known about choices.
#[derive(Default)]
pub(super) struct Tuner {
    /// How long timing may take for one program; nothing if it is not wanted.
    pub budget: Option<Duration>,
    /// What every shape that was met runs with.
    pub decided: Choices,
    /// What an earlier start found.
    pub remembered: Choices,
}

impl Tuner {
    /// The choice of a kernel, by index.
    pub fn index(&self, kernel: &dyn Kernel, traits: &Traits) -> usize {
        let Some(choices) = kernel.choices(traits) else { return 0 };
        let name = self.decided.get(&choices.shape);
        name.and_then(|name| choices.names.iter().position(|n| n == name)).unwrap_or(0)
    }
}
