//! How it learns: the table `[training]`.

#[cfg(feature = "cli")]
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Augment;
use crate::catalogue::{Bounds, Spec, find, rename};
use crate::corruption::CORRUPTIONS;
use crate::error::Result;
use crate::kernels::OPTIMISERS;
use crate::models::ModelEntry;
use crate::problems::Problems;
#[cfg(feature = "cli")]
use crate::settings::whole;
use crate::settings::{set_short, settings};

/// Whole numbers in TOML have 63 bits and a sign.
const MAX_SEED: u64 = i64::MAX as u64;
/// More than anyone will wait for, and far from overflow once multiplied.
const MAX_COUNT: u64 = 1_000_000_000;
/// The most models of one ensemble.
const MAX_MEMBERS: u64 = 1000;
/// The most columns of a covariance of weights, each as large as the model.
const MAX_COLUMNS: u64 = 1000;
/// The most rows in one batch.
const MAX_BATCH: u64 = 1 << 20;

settings! {
    /// How it learns: by an optimiser on batches drawn without replacement.
    TrainingConfig, options TrainingOptions, heading "Training", short by fold;

    own {
        /// Passes over the training rows
        #[arg(value_name = "N", value_parser = whole)]
        epochs: usize = 60 => (Bounds::Whole(1, MAX_COUNT));
        /// Rows per step
        #[arg(value_name = "ROWS", value_parser = whole, alias = "batch-size")]
        batch: usize = 128 => (Bounds::Whole(1, MAX_BATCH));
        /// Batches whose gradients are averaged before the weights are moved
        ///
        /// As if --batch were as many times larger, with the memory of one.
        #[arg(value_name = "N", value_parser = whole)]
        accumulate: usize = 1 => (Bounds::Whole(1, MAX_COUNT));
        /// How weights are moved along their gradients; `elbo models` lists the optimisers
        #[arg(value_name = "NAME[:SETTING=X,...]", value_parser = Spec::from_str, alias = "optimizer")]
        optimiser: Spec = Spec::new("adam").with("beta2", 0.98);
        /// Size of the optimiser's steps
        #[arg(value_name = "X", alias = "lr")]
        learning_rate: f64 = 0.004 => (Bounds::Positive, "0.001");
        /// How the learning rate goes on after the warm-up
        #[arg(value_name = "NAME")]
        schedule: Schedule = Schedule::Cosine;
        /// Steps of the optimiser over which the learning rate grows from 0
        #[arg(value_name = "STEPS", value_parser = whole)]
        warmup_steps: usize = 0 => (Bounds::Whole(0, MAX_COUNT));
        /// Epochs between two reductions, with --schedule step
        #[arg(value_name = "EPOCHS", value_parser = whole)]
        step_every: usize = 10 => (Bounds::Whole(1, MAX_COUNT));
        /// What the learning rate is then multiplied with
        #[arg(value_name = "X")]
        step_factor: f64 = 0.5 => (Bounds::PositiveTo(1.0), "0.5");
        /// Epochs over which the weight of the KL term grows from 0 to beta
        ///
        /// Helps where codes would otherwise say nothing at all (posterior collapse).
        #[arg(value_name = "EPOCHS", value_parser = whole)]
        kl_warmup_epochs: usize = 15 => (Bounds::Whole(0, MAX_COUNT));
        /// Epochs after which the weight of the KL term starts over from 0; 0 for never
        ///
        /// Cyclical annealing (Fu et al. 2019): in each cycle the weight grows over --kl-warmup-epochs, then stays.
        #[arg(value_name = "EPOCHS", value_parser = whole)]
        kl_cycle_epochs: usize = 0 => (Bounds::Whole(0, MAX_COUNT));
        /// The most the gradient's norm may be; longer ones are scaled down [default: no limit]
        #[arg(value_name = "X")]
        clip_norm: f64 => (Bounds::Positive, "1, or leave it out to not limit the gradient");
        /// The gradient's norm above which a step moves nothing; 0 for none
        ///
        /// Weights, what the optimiser keeps of them and their running mean (--average) stay as they are (Child 2021, section 4). The norm is
        /// that before --clip-norm; metrics.jsonl tells the share of steps as skipped. Give several times the gradient_norm of a
        /// run that goes well.
        #[arg(value_name = "X")]
        skip_norm: f64 = 0.0 => (Bounds::NotNegative, "several times the usual gradient_norm, or 0 to skip nothing");
        /// Decay of the running mean of the weights that is used in place of them; 0 for none
        ///
        /// An exponential moving average, as 0.999. All figures and pictures but those of training itself are then of the mean.
        #[arg(value_name = "X", alias = "ema")]
        average: f64 = 0.0 => (Bounds::Below(1.0), "0.999, or 0 to keep none");
        /// Columns of the covariance that a Gaussian over the weights gets from the last epochs, as 20; 0 for no such Gaussian
        ///
        /// SWAG (Maddox et al. 2019): N(mean, diagonal/2 + D Dᵀ/(2(K - 1))) of the weights behind each of the last epochs, D being how far the
        /// last K of them lie from the mean of those taken up to it. The mean is used in place of the weights; `elbo score`,
        /// `reconstruct --uncertainty`, and with --weight-draws `evaluate` and `sample`, draw from it. The schedule of the learning
        /// rate stays where it is when those epochs begin. A patience or an average that is not asked for gives way.
        #[arg(value_name = "K", value_parser = whole)]
        swag: usize = 0 => (Bounds::Whole(0, MAX_COLUMNS));
        /// The share of the epochs that passes before the first whose weights --swag takes
        #[arg(value_name = "SHARE")]
        swag_start: f64 = 0.75 => (Bounds::Below(1.0), "0.75");
    }
    short {
        /// Short for --optimiser adam:beta1=X, the decay of the gradient's running mean
        #[arg(value_name = "X")]
        beta1: f64;
        /// Short for --optimiser adam:beta2=X, the decay of the running mean of its square
        #[arg(value_name = "X")]
        beta2: f64;
        /// Short for --optimiser adam:epsilon=X, what is added to the denominator
        #[arg(value_name = "X", alias = "eps")]
        epsilon: f64;
    }
    own {
        /// How pictures are changed at random each time they are learnt from: flip, flip-vertical, shift=N, crop=N [default: not at all]
        ///
        /// Left and right, or up and down, are exchanged in half of the cases; shifts are of up to N pixels along either axis, edges being
        /// repeated; crop cuts pictures out of a frame of N pixels of 0. Held-out rows are never changed.
        #[arg(value_name = "HOW,...", value_parser = Augment::from_str)]
        augment: Augment;
        /// How rows are corrupted on their way into the encoder, which learns to clean them; `elbo models` lists the ways [default: not at all]
        ///
        /// Reconstructions are held against the rows as they are (Vincent et al. 2008; Im et al. 2017). gaussian:sigma=0.3 adds noise in
        /// the units that the model sees: pictures from 0 to 1, scaled columns. Held-out rows are never corrupted.
        #[arg(value_name = "NAME[:SETTING=X,...]", value_parser = Spec::from_str)]
        corrupt: Spec;
        /// Whether training rows are weighed so that all classes count alike, however many rows each has
        ///
        /// A row weighs the reciprocal of its class's frequency. Held-out rows count as they are.
        #[arg(value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
        class_balance: bool = false;
        /// Decides all that is random; the same seed gives the same run
        #[arg(value_name = "N")]
        seed: u64 = 0 => (Bounds::Whole(0, MAX_SEED));
        /// Models that are trained alike but for what is random, as one ensemble
        ///
        /// Each has its own first weights, order of rows and noise, and its own folder in that of the run; rows are held out alike
        /// (Lakshminarayanan et al. 2017). `elbo evaluate`, `score`, `reconstruct` and `sample` use all of them, other commands the first.
        #[arg(value_name = "N", value_parser = whole)]
        members: usize = 1 => (Bounds::Whole(1, MAX_MEMBERS));
        /// Which of the --members alone is trained, as a run of its own, counted from 1 [default: all, one after the other]
        ///
        /// For machines that share an ensemble: the run belongs into the folder member-N of that of the first.
        #[arg(value_name = "N", value_parser = whole)]
        member: usize => (Bounds::Whole(1, MAX_MEMBERS));
        /// Epochs without a better loss of the validation rows after which training ends [default: all epochs are done]
        ///
        /// The weights of the best epoch are then those that are kept.
        #[arg(value_name = "EPOCHS", value_parser = whole)]
        patience: usize => (Bounds::Whole(1, MAX_COUNT));
        /// Steps between two records of the loss
        #[arg(value_name = "STEPS", value_parser = whole)]
        log_every: usize = 50 => (Bounds::Whole(1, MAX_COUNT));
        /// Epochs between two checkpoints, from which --resume goes on
        #[arg(value_name = "EPOCHS", value_parser = whole)]
        checkpoint_every: usize = 1 => (Bounds::Whole(1, MAX_COUNT));
        /// Minutes after which a checkpoint is written within an epoch, too
        #[arg(value_name = "MINUTES")]
        checkpoint_minutes: f64 = 5.0 => (Bounds::PositiveTo(100_000.0), "5");
        /// How often a run whose numbers run away goes back to its last checkpoint and goes on with a quarter of the learning rate; 0 for
        /// never
        ///
        /// Noise is drawn anew then. What happened, and in which rows, is said and kept in retries.jsonl.
        #[arg(value_name = "N", value_parser = whole)]
        retries: usize = 3 => (Bounds::Whole(0, 1000));
        /// Steps sent to the device at once; with a number, no clock decides that [default: measured]
        #[arg(value_name = "STEPS", value_parser = whole)]
        steps_per_submit: usize => (Bounds::Whole(1, MAX_COUNT));
    }
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

impl TrainingOptions {
    /// Writes what is short for settings of the optimiser where it belongs.
    fn fold(&self, config: &mut TrainingConfig) -> Result<()> {
        let mut all = [("beta1", self.beta1), ("beta2", self.beta2), ("epsilon", self.epsilon)].into_iter();
        all.try_for_each(|(name, value)| set_short(name, value, ("optimiser", &self.optimiser), &mut config.optimiser))
    }
}

impl TrainingConfig {
    /// Has batches of no more rows than there are.
    pub(crate) fn fit_batch(&mut self, rows: usize) {
        self.batch = self.batch.min(rows);
    }

    /// Calls pieces by their own names where they are known by others, so that equal settings are equal.
    pub(crate) fn name_pieces(&mut self) {
        rename(OPTIMISERS, &mut self.optimiser);
        if let Some(way) = &mut self.corrupt {
            rename(CORRUPTIONS, way);
        }
    }

    /// How many models a run of these settings trains: 1, but for ensembles.
    pub fn models(&self) -> usize {
        if self.member.is_some() { 1 } else { self.members }
    }

    /// How many models the folder of such a run holds: those of an ensemble lie in that of its first, however they were trained.
    pub fn models_in_folder(&self) -> usize {
        if self.member.is_none_or(|member| member == 1) { self.members } else { 1 }
    }

    /// Epochs that are done before the first whose weights SWAG takes: a share of all, rounded down. A share in decimals, as 0.57 of 100, may lie
    /// a little below the whole number that it stands for.
    pub(crate) fn epochs_before_swag(&self) -> u64 {
        libm::floor(self.swag_start * self.epochs as f64 + 1e-9) as u64
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        problems.all(self.out_of_bounds());
        self.check_swag(problems);
        problems.note(
            self.member.is_some_and(|member| member > self.members),
            format!(
                "`member` is {}, and `members` says that there are {}: give at least as many, or another of them",
                self.member.unwrap_or(1),
                self.members
            ),
        );
        problems.note(
            self.kl_cycle_epochs > 0 && !(1..=self.kl_cycle_epochs).contains(&self.kl_warmup_epochs),
            format!(
                "`kl-cycle-epochs` is {} and `kl-warmup-epochs` {}: in each cycle the weight of the KL term grows over the \
                 warm-up, which must take at least 1 epoch and at most the cycle",
                self.kl_cycle_epochs, self.kl_warmup_epochs
            ),
        );
        problems.result(find(OPTIMISERS, &self.optimiser));
        if let Some(way) = &self.corrupt {
            problems.result(find(CORRUPTIONS, way));
        }
    }

    fn check_swag(&self, problems: &mut Problems) {
        if self.swag == 0 {
            return;
        }
        problems.note(
            self.swag == 1,
            "`swag` is 1, and a covariance of K columns is divided by K - 1: give 2 or more, such as 20, or 0 for none",
        );
        let taken = (self.epochs as u64).saturating_sub(self.epochs_before_swag());
        problems.note(
            taken < 2,
            format!(
                "`swag` takes the weights behind the last {taken} of {} epochs (`swag-start` {}), and a spread takes 2 or more, better 10: give \
                 more `epochs`, or a smaller `swag-start`",
                self.epochs, self.swag_start
            ),
        );
        for (is_given, what) in [
            (
                self.average > 0.0,
                "`average` has a running mean used in place of the weights, and `swag` the mean of the last epochs",
            ),
            (self.patience.is_some(), "`patience` keeps the weights of one epoch, and `swag` takes those of many"),
            (
                self.members > 1,
                "`members` trains several models, and of `swag` every model is a distribution of models already",
            ),
        ] {
            problems.note(is_given, format!("{what}: leave one of the two out"));
        }
    }

    /// What a kind of model has no use for; what only comes with the preset does no harm.
    pub(super) fn check_kind(&self, kind: &ModelEntry, preset: &TrainingConfig, problems: &mut Problems) {
        problems.note(
            kind.training.is_some() && self.patience.is_some(),
            format!(
                "`patience` waits for a better loss of the validation rows, and that of a model of `kind` {kind} is one side's of a game: \
                 leave it out"
            ),
        );
        problems.note(
            !kind.is_variational && ![0, preset.kl_warmup_epochs].contains(&self.kl_warmup_epochs),
            format!(
                "`kl-warmup-epochs` is about the KL term, and a model of `kind` {kind} has none: leave it out, or train a vae"
            ),
        );
    }
}
