//! What varies with the step: the learning rate, and the weight of the KL term.

use crate::catalogue::{About, Kind};
use crate::config::{Schedule, TrainingConfig};

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
    /// What the learning rate is multiplied with since the run went back.
    slowed: f64,
}

/// What the learning rate is multiplied with every time that a run goes back because its numbers ran away.
pub const SLOWED: f64 = 0.25;

impl Rates {
    /// The rates that a configuration asks for, β at its full weight being `beta`.
    pub fn new(training: &TrainingConfig, beta: f64, steps_per_epoch: u64) -> Rates {
        Rates { training: training.clone(), beta, steps_per_epoch: steps_per_epoch.max(1), slowed: 1.0 }
    }

    /// Those of a run whose epochs have so many steps.
    pub fn with_epochs_of(self, steps: u64) -> Rates {
        Rates { steps_per_epoch: steps.max(1), ..self }
    }

    /// Those of a run that has gone back so many times.
    pub fn after(self, retries: u64) -> Rates {
        Rates { slowed: Rates::slowed(retries), ..self }
    }

    /// What the learning rate of a run that has gone back so many times is multiplied with: [`SLOWED`] to that power.
    pub fn slowed(retries: u64) -> f64 {
        (0..retries.min(1000)).fold(1.0, |factor, _| factor * SLOWED)
    }

    /// Iterations of an epoch: batches, or as many together as gradients are gathered of.
    fn iterations_per_epoch(&self) -> u64 {
        self.steps_per_epoch.div_ceil(self.training.accumulate as u64)
    }

    /// The iteration that a step belongs to, both counted from 0. None reaches beyond the end of an epoch.
    pub fn iteration(&self, step: u64) -> u64 {
        let (epoch, batch) = (step / self.steps_per_epoch, step % self.steps_per_epoch);
        epoch * self.iterations_per_epoch() + batch / self.training.accumulate as u64
    }

    /// The epochs that have gone by at a step.
    pub fn epochs(&self, step: u64) -> f64 {
        step as f64 / self.steps_per_epoch as f64
    }

    /// The learning rate of step `step`, counted from 0: a linear warm-up, times what the schedule says. Both count iterations, and of a run
    /// that takes weights for SWAG the schedule stays where it is at the first epoch of which it does: all of them are then of one rate, unless
    /// the warm-up is so long that it goes on. Less by [`SLOWED`] for every time that the run has gone back.
    pub fn learning_rate(&self, step: u64) -> f64 {
        let (t, per_epoch) = (&self.training, self.iterations_per_epoch());
        let last = if t.swag > 0 { t.epochs_before_swag() * per_epoch } else { u64::MAX };
        let step = self.iteration(step);
        let warm = if t.warmup_steps == 0 { 1.0 } else { ((step + 1) as f64 / t.warmup_steps as f64).min(1.0) };
        let step = step.min(last);
        let factor = match t.schedule {
            Schedule::Constant => 1.0,
            Schedule::Step => libm::pow(t.step_factor, (step / per_epoch / t.step_every.max(1) as u64) as f64),
            Schedule::Cosine => {
                let (start, end) = (t.warmup_steps as f64, (t.epochs as u64 * per_epoch) as f64);
                let along = ((step as f64 - start) / (end - start).max(1.0)).clamp(0.0, 1.0);
                0.5 * (1.0 + libm::cos(std::f64::consts::PI * along))
            }
        };
        t.learning_rate * warm * factor * self.slowed
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
        close(step.clone().after(2).learning_rate(200), 0.05 / 16.0);
        assert_eq!(step.clone().after(0).learning_rate(200).to_bits(), step.learning_rate(200).to_bits());
        let cosine = rates(|t| t.schedule = Schedule::Cosine);
        close(cosine.learning_rate(0), 0.1);
        close(cosine.learning_rate(500), 0.05);
        close(cosine.learning_rate(1000), 0.0);
        // From the sixth of ten epochs on, where their weights are taken.
        let held = rates(|t| (t.schedule, t.swag, t.swag_start) = (Schedule::Cosine, 20, 0.5));
        close(held.learning_rate(250), cosine.learning_rate(250));
        close(held.learning_rate(500), 0.05);
        close(held.learning_rate(999), 0.05);
        // A warm-up that is longer goes on.
        let warming = rates(|t| (t.warmup_steps, t.swag, t.swag_start) = (1000, 20, 0.5));
        close(warming.learning_rate(500), 0.0501);
        close(warming.learning_rate(999), 0.1);
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
