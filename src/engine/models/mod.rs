//! Models: one file each, saying how its graph is put together.

mod adversarial;
mod autoencoder;
mod capability;
mod checks;
mod classifier;
mod classifier_network;
mod coding_steps;
mod config;
mod decoded;
mod entry;
mod fitted_prior;
mod hamiltonian;
mod hierarchical;
mod layers;
mod list;
mod m2;
mod networks;
mod normalised;
mod parts;
mod plan;
mod quantised;
mod rae;
mod second_stage;
mod uncertain_weights;
mod vae;
mod very_deep;

pub use adversarial::{
    Aae, AdversarialLoss, Critic, FactorVae, Gan, GanOptions, Judged, LOG_RATIO, VaeGan, gradient_penalty, permuted,
};
pub use autoencoder::Autoencoder;
pub use capability::{
    Can, Capability, Classify, Coded, CodedAs, CodingStep, Compress, Decode, Density, Encode, FitPrior, GaussianCodes,
    Generate, IndexCodes, PosteriorSample, Reconstruct, SamplePosterior, Variable, Weighted,
};
pub use classifier::Classifier;
pub use coding_steps::{bit_swap_steps, bits_back_steps};
pub(crate) use config::perceptron;
pub use config::{MAX_LAYERS, ModelConfig, ModelOptions};
pub use decoded::{Decoded, Explained};
pub use entry::{Architecture, LabelUse, ModelEntry, OwnTraining, RowForm, Sizes};
pub use fitted_prior::FittedPrior;
pub use hamiltonian::Dynamics;
pub use hierarchical::{Hierarchical, Layer, Moments, Recognition};
pub use layers::{MOST_LAYERS, StochasticLayers};
pub use list::ARCHITECTURES;
pub use m2::M2;
pub use networks::{NetworkPair, Networks};
pub use normalised::Normalised;
pub use parts::Parts;
pub use plan::{Group, GroupLoss, Losses, Phase, TrainingPlan, WHOLE};
pub use quantised::VqVae;
pub use rae::{Rae, Regulariser};
pub use second_stage::{FIRST, SecondStage, carries};
pub use uncertain_weights::{KL_WEIGHTS, UncertainWeights};
pub use vae::Vae;
pub use very_deep::{Depths, VeryDeep, described as described_layers};

use crate::catalogue::About;
use crate::distributions::{Measure, WeightDistribution};
use crate::graph::{Graph, ParameterSpec, Tensor};

/// What there is to say of every model, and of what stands on another.
pub fn abouts() -> impl Iterator<Item = &'static About> {
    ARCHITECTURES.iter().map(|entry| &entry.about).chain([&second_stage::ABOUT])
}

/// Rows of data, and what is known of them.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'g> {
    /// The values `[rows, features]`.
    pub x: Tensor<'g>,
    /// What is known of each besides `[rows, condition]`, see [`Model::condition`].
    pub y: Option<Tensor<'g>>,
    /// 1 for each value that was observed, 0 for each that was not, `[rows, features]`; `None` if all were. A value that was
    /// not is 0 in `x`, or a guess.
    pub observed: Option<Tensor<'g>>,
    /// Whether `x` holds guesses of what was not observed, which encoders see.
    pub is_guessed: bool,
    /// What encoders are shown in place of the values, where rows are corrupted `[rows, features]`; reconstructions are held against
    /// `x`.
    pub shown: Option<Tensor<'g>>,
}

impl<'g> Rows<'g> {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.x.shape()[0]
    }

    /// What an encoder is given: the values, or what is shown in their place `[rows, features]`.
    pub fn input(&self) -> Tensor<'g> {
        self.shown.unwrap_or(self.x)
    }

    /// Each row so many times, one behind the other.
    pub fn repeat(self, times: usize) -> Rows<'g> {
        let repeat = |t: Tensor<'g>| t.repeat_rows(times);
        let [y, observed, shown] = [self.y, self.observed, self.shown].map(|t| t.map(repeat));
        Rows { x: repeat(self.x), y, observed, shown, ..self }
    }
}

impl<'g> From<Tensor<'g>> for Rows<'g> {
    fn from(x: Tensor<'g>) -> Rows<'g> {
        Rows { x, y: None, observed: None, is_guessed: false, shown: None }
    }
}

/// Rows of a data set, as a model sees them in a step.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'g> {
    /// The rows.
    pub rows: Rows<'g>,
    /// The weight of each in a mean over the live ones `[rows, 1]`, see [`Graph::row_weights`]. Where rows of the data set are weighed,
    /// that is multiplied with what each weighs, so that they sum to 1 over the data set and not over a batch.
    pub weights: Tensor<'g>,
    /// Examples in the data set.
    pub count: usize,
    /// Rows whose labels are known, beside those of which nothing is; of semi-supervised models only.
    pub labelled: Option<Labelled<'g>>,
}

/// Rows of the labelled part of a data set, all of them live.
#[derive(Clone, Copy, Debug)]
pub struct Labelled<'g> {
    /// The rows.
    pub rows: Rows<'g>,
    /// Examples in the labelled part.
    pub count: usize,
}

impl<'g> Batch<'g> {
    /// A batch of rows that is a data set of its own.
    pub fn whole(rows: impl Into<Rows<'g>>) -> Batch<'g> {
        let rows = rows.into();
        let count = rows.count();
        Batch { rows, weights: rows.x.graph().row_weights(count), count, labelled: None }
    }
}

/// Loss terms of one batch, each in nats per example and `[rows, 1]` unless it says otherwise.
#[derive(Clone, Debug)]
pub struct Terms<'g> {
    /// What is minimised.
    pub loss: Tensor<'g>,
    /// −ln p(x | z).
    pub reconstruction: Tensor<'g>,
    /// KL(q(z | x) ‖ p(z)), unweighted: per dimension, or per variable of several, `[rows, latent]` where that is known,
    /// else `[rows, 1]`; of several stochastic layers, those of all behind each other, from the data upwards; `None` for a
    /// deterministic code.
    pub kl: Option<Tensor<'g>>,
    /// The code's mean `[rows, latent]`.
    pub mu: Tensor<'g>,
    /// What else the objective is made of, by name.
    pub parts: Vec<(&'static str, Tensor<'g>)>,
    /// A tensor, and what the gradient that comes back through it is multiplied by.
    pub gradient_scale: Option<(Tensor<'g>, Tensor<'g>)>,
}

/// What a model is told of a row besides its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    None,
    /// So many values of every row: one of each class for labels, else any.
    Given(usize),
    /// Which of so many labels some rows have; it infers those of all others itself.
    Inferred(usize),
}

impl Condition {
    /// Values per row that the decoder is given besides the code.
    pub fn width(self) -> usize {
        match self {
            Condition::None => 0,
            Condition::Given(width) | Condition::Inferred(width) => width,
        }
    }

    /// Values that must be known of a row that is encoded.
    pub fn given(self) -> usize {
        match self {
            Condition::Given(width) => width,
            Condition::None | Condition::Inferred(_) => 0,
        }
    }
}

/// A model: what it minimises, and what it can do.
pub trait Model: std::fmt::Debug + Send + Sync {
    /// Values per example.
    fn features(&self) -> usize;

    /// What it is told of a row besides its values.
    fn condition(&self) -> Condition;

    /// What its reconstruction term measures of rows, which are all black and white (0 and 1), or not.
    fn measure(&self, black_and_white: bool) -> Measure;

    /// How it is trained.
    fn plan(&self) -> TrainingPlan<'_>;

    /// What it is measured by: the terms of a batch.
    fn terms<'g>(&self, batch: &Batch<'g>) -> Terms<'g>;

    /// What a row costs by itself, in nats `[rows, 1]`: the negative ELBO from one sample, whatever the objective; of a
    /// model without one, its loss.
    fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g>;

    /// The value of a scalar of its own after so many epochs of training; `None` if it has none of that name.
    fn scalar(&self, name: &str, epochs: f64) -> Option<f64>;

    /// Why its rows cannot be weighed, as half a sentence, where what is minimised of a row depends on the other rows of its batch.
    fn couples_rows(&self) -> Option<String> {
        None
    }

    /// How many examples of the whole data set what it minimises is a mean over, of which this batch is a part.
    fn examples(&self, batch: &Batch) -> usize {
        batch.count
    }

    /// What is known of its weights, where they are no points.
    fn weights(&self) -> Option<&dyn WeightDistribution> {
        None
    }

    /// What it can do.
    fn can(&self) -> Can<'_>;
}

/// Rows that a model could be given, to be looked at and not computed.
pub(crate) fn example<'g>(model: &dyn Model, graph: &'g Graph) -> Batch<'g> {
    // Objectives over pairs of rows need two.
    let rows = 2;
    let y = match model.condition().width() {
        0 => None,
        width => Some(graph.input("y", &[rows, width])),
    };
    Batch::whole(Rows { y, ..graph.input("x", &[rows, model.features()]).into() })
}

/// Whether a step of training is one pass whose one loss all that is trained minimises, and not a game of networks.
pub(crate) fn minimises_one_loss(model: &dyn Model) -> bool {
    let (plan, graph) = (model.plan(), Graph::of_training());
    plan.phases.len() == 1 && (plan.phases[0].losses)(&example(model, &graph)).losses.len() == 1
}

/// The parameters of a model, in the order in which its losses first use them.
pub fn parameters(model: &dyn Model) -> Vec<ParameterSpec> {
    let mut all: Vec<ParameterSpec> = Vec::new();
    for phase in model.plan().phases {
        let graph = Graph::of_training();
        (phase.losses)(&example(model, &graph));
        for spec in graph.parameters() {
            match all.iter().find(|known| known.name == spec.name) {
                Some(known) => assert_eq!(*known, spec, "the phases declare {} differently", spec.name),
                None => all.push(spec),
            }
        }
    }
    all
}
