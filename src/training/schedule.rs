//! What varies with the step: the learning rate, the weight of the KL term, and Adam's bias corrections.

use crate::catalogue::{About, Kind};
use crate::config::{Schedule, TrainingConfig};
use crate::kernels::SCALARS;
use crate::models::Model;
use crate::objectives::BETA;
use crate::program::{CORRECTION, Program, STEP_SIZE};

/// The ways in which the weight of the KL term grows.
pub static KL_SCHEDULES: &[&About] = &[&LINEAR, &CYCLIC];

static LINEAR: About = About {
    kind: Kind::KlSchedule,
    id: "linear-warmup",
    aliases: &["kl-warmup"],
    name: "the KL term's weight grows linearly from 0 over the first epochs",
    formula: "β·min(1, t/R) after t of R epochs",
    source: "Bowman et al. 2016, section 3.1; Sønderby et al. 2016, section 2.3",
    settings: &[],
    example: "elbo train --kl-warmup-epochs 10",
};

static CYCLIC: About = About {
    kind: Kind::KlSchedule,
    id: "cyclic-warmup",
    aliases: &["kl-cycles"],
    name: "the same, starting over after every cycle",
    formula: "β·min(1, (t mod C)/R) after t epochs, in cycles of C",
    source: "Fu et al. 2019, equation 6",
    settings: &[],
    example: "elbo train --kl-warmup-epochs 5 --kl-cycle-epochs 10",
};

/// The rates of a run, as functions of the step.
#[derive(Clone, Debug)]
pub struct Rates {
    training: TrainingConfig,
    beta: f64,
    steps_per_epoch: u64,
}

impl Rates {
    /// The rates that a configuration asks for, β at its full weight being `beta`.
    pub fn new(training: &TrainingConfig, beta: f64, steps_per_epoch: u64) -> Rates {
        Rates { training: training.clone(), beta, steps_per_epoch: steps_per_epoch.max(1) }
    }

    /// The learning rate of step `step`, counted from 0: a linear warm-up, times what the schedule says.
    pub fn learning_rate(&self, step: u64) -> f64 {
        let t = &self.training;
        let warm = if t.warmup_steps == 0 { 1.0 } else { ((step + 1) as f64 / t.warmup_steps as f64).min(1.0) };
        let factor = match t.schedule {
            Schedule::Constant => 1.0,
            Schedule::Step => t.step_factor.powf((step / self.steps_per_epoch / t.step_every.max(1) as u64) as f64),
            Schedule::Cosine => {
                let (start, end) = (t.warmup_steps as f64, (t.epochs as u64 * self.steps_per_epoch) as f64);
                let along = ((step as f64 - start) / (end - start).max(1.0)).clamp(0.0, 1.0);
                0.5 * (1.0 + (std::f64::consts::PI * along).cos())
            }
        };
        t.learning_rate * warm * factor
    }

    /// The weight of the KL term at a step: β, reached linearly over the warm-up (Bowman et al. 2016); with cycles, anew in
    /// each of them (Fu et al. 2019).
    pub fn beta(&self, step: u64) -> f64 {
        let steps = |epochs: usize| epochs as u64 * self.steps_per_epoch;
        let (warm, cycle) = (steps(self.training.kl_warmup_epochs), steps(self.training.kl_cycle_epochs));
        let step = if cycle == 0 { step } else { step % cycle };
        if warm == 0 { self.beta } else { self.beta * ((step + 1) as f64 / warm as f64).min(1.0) }
    }

    /// β at its full weight.
    pub fn full_beta(&self) -> f64 {
        self.beta
    }

    /// The scalars of a program at a step. α̂ = α/(1 − β₁ᵗ) and ĉ = 1/√(1 − β₂ᵗ) with t = step + 1 are computed here, in
    /// f64, so that every device gets the same numbers; of the decay rates that devices hold, in f32: of 0.999 itself, 1 − β₂
    /// would differ from theirs by 1.3e-5.
    pub fn scalars(&self, program: &Program, model: &dyn Model, step: u64) -> [f32; SCALARS] {
        let decay = |beta: f64| 1.0 - f64::from(beta as f32).powf((step + 1) as f64);
        let mut scalars = [0.0; SCALARS];
        for (slot, name) in scalars.iter_mut().zip(&program.scalars) {
            let value = match name.as_str() {
                STEP_SIZE => self.learning_rate(step) / decay(self.training.beta1),
                CORRECTION => 1.0 / decay(self.training.beta2).sqrt(),
                BETA => self.beta(step),
                name => model.scalar(name, step as f64 / self.steps_per_epoch as f64).unwrap_or(0.0),
            };
            *slot = value as f32;
        }
        scalars
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(change: impl Fn(&mut TrainingConfig)) -> Rates {
        let mut training = TrainingConfig { epochs: 10, learning_rate: 0.1, ..TrainingConfig::default() };
        (training.schedule, training.warmup_steps, training.kl_warmup_epochs) = (Schedule::Constant, 0, 0);
        change(&mut training);
        Rates::new(&training, 2.0, 100)
    }

    #[test]
    fn schedules_at_their_corners() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        close(rates(|_| ()).learning_rate(999), 0.1);
        let step = rates(|t| (t.schedule, t.step_every, t.step_factor) = (Schedule::Step, 2, 0.5));
        close(step.learning_rate(199), 0.1);
        close(step.learning_rate(200), 0.05);
        let cosine = rates(|t| t.schedule = Schedule::Cosine);
        close(cosine.learning_rate(0), 0.1);
        close(cosine.learning_rate(500), 0.05);
        close(cosine.learning_rate(1000), 0.0);
        let warm = rates(|t| t.warmup_steps = 4);
        close(warm.learning_rate(0), 0.025);
        close(warm.learning_rate(3), 0.1);
        let kl = rates(|t| t.kl_warmup_epochs = 1);
        close(kl.beta(49), 1.0);
        close(kl.beta(5000), 2.0);
        let cyclic = rates(|t| (t.kl_warmup_epochs, t.kl_cycle_epochs) = (1, 4));
        close(cyclic.beta(399), 2.0);
        close(cyclic.beta(449), 1.0);
    }
}
