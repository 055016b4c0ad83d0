//! How it learns: the table `[training]`.

use serde::{Deserialize, Serialize};

use super::{Architecture, Preset};
use crate::catalogue::{Spec, find, rename};
use crate::kernels::OPTIMISERS;
use crate::problems::Problems;

/// Whole numbers in TOML have 63 bits and a sign.
const MAX_SEED: u64 = i64::MAX as u64;
/// More than anyone will wait for, and far from overflow once multiplied.
const MAX_COUNT: u64 = 1_000_000_000;
/// The most rows in one batch.
const MAX_BATCH: u64 = 1 << 20;

/// How it learns: by an optimiser on batches drawn without replacement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TrainingConfig {
    /// Passes over the training rows.
    pub epochs: usize,
    /// Rows per step.
    pub batch: usize,
    /// Batches whose gradients are averaged before the parameters are moved: an iteration sees as many times the rows of a step.
    pub accumulate: usize,
    /// How parameters are moved along their gradients, a piece of [`OPTIMISERS`].
    pub optimiser: Spec,
    /// The step size, at its highest where a schedule changes it.
    pub learning_rate: f64,
    /// How the learning rate goes on after the warm-up.
    pub schedule: Schedule,
    /// Iterations over which the learning rate grows linearly from 0; 0 for none.
    pub warmup_steps: usize,
    /// Epochs between two reductions of the learning rate, with the schedule `step`.
    pub step_every: usize,
    /// What the learning rate is multiplied with at each of them.
    pub step_factor: f64,
    /// Epochs over which the weight of the KL term grows linearly from 0 to `beta`; 0 for none.
    pub kl_warmup_epochs: usize,
    /// Epochs after which the weight of the KL term starts over from 0; 0 for never.
    pub kl_cycle_epochs: usize,
    /// The most the gradient's Euclidean norm may be; longer ones are scaled down. Not limited when not given.
    pub clip_norm: Option<f64>,
    /// The decay of the running mean of the parameters that is used in place of them; none is kept when not given.
    pub average: Option<f64>,
    /// Short for the optimiser's setting of that name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta1: Option<f64>,
    /// Short for the optimiser's setting of that name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta2: Option<f64>,
    /// Short for the optimiser's setting of that name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
    /// Decides all that is random: the split, the order of rows, the first weights, the noise.
    pub seed: u64,
    /// Epochs without a better loss of the validation rows after which training ends; the weights of the best epoch are then those
    /// that are kept. All epochs are done, and the last weights are kept, when not given.
    pub patience: Option<usize>,
    /// Steps between two records of the loss.
    pub log_every: usize,
    /// Epochs between two checkpoints; one is always written at the end.
    pub checkpoint_every: usize,
    /// Steps sent to the device at once; measured and chosen when not given.
    pub steps_per_submit: Option<usize>,
}

/// How the learning rate goes on after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// It stays as it is
    #[default]
    Constant,
    /// It is multiplied with --step-factor every --step-every epochs
    Step,
    /// It falls along half a cosine, which is 0 one step after the last
    Cosine,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Preset::default().config().training
    }
}

impl TrainingConfig {
    /// The optimiser under the name that its piece has, with the settings that were given apart from it.
    pub fn whole_optimiser(&self) -> Spec {
        let mut spec = self.optimiser.clone();
        rename(OPTIMISERS, &mut spec);
        let apart = [("beta1", self.beta1), ("beta2", self.beta2), ("epsilon", self.epsilon)];
        apart.into_iter().fold(spec, |spec, (name, value)| match value {
            Some(value) => spec.with(name, value),
            None => spec,
        })
    }

    /// Writes settings in the one way that a file has them, so that equal settings are equal.
    pub(crate) fn name_pieces(&mut self) {
        self.optimiser = self.whole_optimiser();
        (self.beta1, self.beta2, self.epsilon) = (None, None, None);
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        problems.within("epochs", self.epochs as u64, 1..=MAX_COUNT);
        problems.within("batch", self.batch as u64, 1..=MAX_BATCH);
        problems.positive("learning-rate", self.learning_rate, "0.001");
        problems.within("warmup-steps", self.warmup_steps as u64, 0..=MAX_COUNT);
        problems.within("step-every", self.step_every as u64, 1..=MAX_COUNT);
        problems.positive("step-factor", self.step_factor, "0.5");
        problems.note(
            self.step_factor > 1.0 && (self.step_factor as f32).is_finite(),
            format!("`step-factor` is {}: give a number from above 0 to 1, such as 0.5", self.step_factor),
        );
        problems.within("kl-warmup-epochs", self.kl_warmup_epochs as u64, 0..=MAX_COUNT);
        problems.within("kl-cycle-epochs", self.kl_cycle_epochs as u64, 0..=MAX_COUNT);
        problems.note(
            self.kl_cycle_epochs > 0 && !(1..=self.kl_cycle_epochs).contains(&self.kl_warmup_epochs),
            format!(
                "`kl-cycle-epochs` is {} and `kl-warmup-epochs` {}: in each cycle the weight of the KL term grows over the \
                 warm-up, which must take at least 1 epoch and at most the cycle",
                self.kl_cycle_epochs, self.kl_warmup_epochs
            ),
        );
        if let Some(norm) = self.clip_norm {
            problems.positive("clip-norm", norm, "1, or leave it out to not limit the gradient");
        }
        problems.within("accumulate", self.accumulate as u64, 1..=MAX_COUNT);
        problems.result(find(OPTIMISERS, &self.whole_optimiser()));
        if let Some(decay) = self.average {
            let is_wrong = !(decay > 0.0 && (decay as f32) < 1.0);
            problems
                .note(is_wrong, format!("`average` is {decay}: give a number from above 0 to below 1, such as 0.999"));
        }
        problems.within("seed", self.seed, 0..=MAX_SEED);
        if let Some(epochs) = self.patience {
            problems.within("patience", epochs as u64, 1..=MAX_COUNT);
        }
        problems.within("log-every", self.log_every as u64, 1..=MAX_COUNT);
        problems.within("checkpoint-every", self.checkpoint_every as u64, 1..=MAX_COUNT);
        if let Some(steps) = self.steps_per_submit {
            problems.within("steps-per-submit", steps as u64, 1..=MAX_COUNT);
        }
    }

    /// What a kind of model has no use for; what only comes with the preset does no harm.
    pub(super) fn check_kind(&self, kind: Architecture, preset: &TrainingConfig, problems: &mut Problems) {
        problems.note(
            !kind.is_variational && ![0, preset.kl_warmup_epochs].contains(&self.kl_warmup_epochs),
            format!(
                "`kl-warmup-epochs` is about the KL term, and a model of `kind` {kind} has none: leave it out, or train a vae"
            ),
        );
    }
}
