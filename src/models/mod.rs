//! Models: one file each, saying how its graph is put together.

mod autoencoder;
mod classifier;
mod fitted_prior;
mod hierarchical;
mod labeller;
mod m2;
mod networks;
mod second_stage;
mod vae;

pub use autoencoder::Autoencoder;
pub use classifier::Classifier;
pub use fitted_prior::FittedPrior;
pub use hierarchical::{Hierarchical, Layer, MAX_LAYERS, Moments, Recognition};
pub use m2::M2;
pub use networks::Networks;
pub use second_stage::{FIRST, SecondStage, cannot_be_stood_on};
pub use vae::{Parts, Vae};

use crate::catalogue::About;
use crate::distributions::Measure;
use crate::graph::{Graph, Tensor};
use crate::nn::ParameterSpec;

/// Every kind of model.
pub static MODELS: &[&About] = &[
    &vae::ABOUT,
    &autoencoder::ABOUT,
    &vae::CONDITIONAL,
    &m2::ABOUT,
    &m2::STACKED,
    &classifier::ABOUT,
    &hierarchical::HIERARCHICAL,
    &hierarchical::LADDER,
    &second_stage::ABOUT,
];

/// Rows of data, and what is known of them.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    /// The values `[rows, features]`.
    pub x: Tensor,
    /// What is known of each besides `[rows, condition]`, see [`Model::condition`].
    pub y: Option<Tensor>,
}

impl From<Tensor> for Rows {
    fn from(x: Tensor) -> Rows {
        Rows { x, y: None }
    }
}

/// Rows of a data set, as a model sees them in a step.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// The rows.
    pub rows: Rows,
    /// The weight of each in a mean over the live ones `[rows, 1]`, see [`Graph::row_weights`].
    pub weights: Tensor,
    /// Examples in the data set.
    pub count: usize,
    /// Rows whose labels are known, beside those of which nothing is; of semi-supervised models only.
    pub labelled: Option<Labelled>,
}

/// Rows of the labelled part of a data set, all of them live.
#[derive(Clone, Copy, Debug)]
pub struct Labelled {
    /// The rows.
    pub rows: Rows,
    /// Examples in the labelled part.
    pub count: usize,
}

impl Batch {
    /// A batch of rows that is a data set of its own.
    pub fn whole(graph: &mut Graph, rows: impl Into<Rows>) -> Batch {
        let rows = rows.into();
        let count = graph.shape(rows.x)[0];
        Batch { rows, weights: graph.row_weights(count), count, labelled: None }
    }
}

/// What a model says of a batch, each in nats per example and `[rows, 1]` unless it says otherwise.
#[derive(Clone, Debug)]
pub struct Terms {
    /// What is minimised.
    pub loss: Tensor,
    /// −ln p(x | z).
    pub reconstruction: Tensor,
    /// KL(q(z | x) ‖ p(z)), unweighted: per dimension, or per variable of several, `[rows, latent]` where that is known,
    /// else `[rows, 1]`; of several stochastic layers, those of all behind each other, from the data upwards; `None` for a
    /// deterministic code.
    pub kl: Option<Tensor>,
    /// The code's mean `[rows, latent]`.
    pub mu: Tensor,
    /// What else the objective is made of, by name.
    pub parts: Vec<(&'static str, Tensor)>,
    /// A tensor, and what the gradient that comes back through it is multiplied by.
    pub reweigh: Option<(Tensor, Tensor)>,
}

/// Codes of rows, drawn from the posterior, with what a model says of them: what another model can stand on.
///
/// For every row `samples` codes, those of one row behind each other.
#[derive(Clone, Copy, Debug)]
pub struct DrawnCodes {
    /// The codes, as [`Model::decode`] takes them `[rows·samples, latent]`.
    pub z: Tensor,
    /// ln q(z | x), in nats `[rows, samples]`.
    pub log_posterior: Tensor,
    /// ln p(x | z), in nats `[rows, samples]`.
    pub log_likelihood: Tensor,
}

/// A model with a code: it encodes, decodes, and says what to minimise.
pub trait Model: std::fmt::Debug + Send + Sync {
    /// Values per example.
    fn features(&self) -> usize;

    /// Dimensions of the code.
    fn latent(&self) -> usize;

    /// Values per row that the decoder is given besides the code: one of each class for labels, else any; 0 for none.
    fn condition(&self) -> usize {
        0
    }

    /// Whether it tells the label of a row itself ([`Model::classify`]), so that encoding needs none, and learns that from
    /// labelled rows.
    fn infers_label(&self) -> bool {
        false
    }

    /// Whether codes can be decoded; of a model where they cannot, [`Model::decode`] gives zeros.
    fn has_decoder(&self) -> bool {
        true
    }

    /// Its parameters, in a fixed order.
    fn parameters(&self) -> Vec<ParameterSpec>;

    /// Parameters that it reads and never trains, in a fixed order: those of a model that it stands on. Their names differ
    /// from those of [`Model::parameters`], and how they start does not matter, since they are always given.
    fn frozen(&self) -> Vec<ParameterSpec> {
        vec![]
    }

    /// What its reconstruction term measures of rows, which are all black and white (0 and 1), or not.
    fn measure(&self, black_and_white: bool) -> Measure;

    /// Whether its KL is computed in closed form, or else estimated by Monte Carlo from the codes that are drawn; `None`
    /// where codes are deterministic and there is none.
    fn kl_is_closed_form(&self) -> Option<bool> {
        None
    }

    /// What must be known to read its likelihoods beside its ELBO, in a sentence or two.
    fn note_on_likelihood(&self) -> Option<&'static str> {
        None
    }

    /// What is minimised for a batch.
    fn terms(&self, graph: &mut Graph, batch: &Batch) -> Terms;

    /// What a row costs by itself, in nats `[rows, 1]`: the negative ELBO from one sample, whatever the objective; of a
    /// model without one, its loss.
    fn score(&self, graph: &mut Graph, rows: Rows) -> Tensor;

    /// ln p(x, z_k) − ln q(z_k | x) of K codes of each row, in nats `[rows, K]`: what the marginal likelihood is estimated
    /// from. `None` where codes are deterministic.
    fn log_weights(&self, graph: &mut Graph, rows: Rows, samples: usize) -> Option<Tensor>;

    /// Codes of each row with their densities, for a model that stands on this one; `None` where codes have no density.
    fn codes(&self, graph: &mut Graph, rows: Rows, samples: usize) -> Option<DrawnCodes> {
        let _ = (graph, rows, samples);
        None
    }

    /// A code of each row, drawn from its posterior `[rows, latent]`; where codes are deterministic, the code.
    fn draw_code(&self, graph: &mut Graph, rows: Rows) -> Tensor;

    /// The code's mean `[rows, latent]`.
    fn encode(&self, graph: &mut Graph, rows: Rows) -> Tensor;

    /// E\[x | z, y\] for codes `[rows, latent]` and, of a model that is given them, conditions `[rows, condition]`.
    fn decode(&self, graph: &mut Graph, z: Tensor, y: Option<Tensor>) -> Tensor;

    /// Rows drawn from p(x | z, y), of codes and conditions as for [`Model::decode`] `[rows, features]`; `None` where only
    /// their mean is known.
    fn draw_rows(&self, graph: &mut Graph, z: Tensor, y: Option<Tensor>) -> Option<Tensor> {
        let _ = (graph, z, y);
        None
    }

    /// E\[x | z, y\] at the codes' means: what comes out for what goes in. `[rows, features]`
    fn reconstruct(&self, graph: &mut Graph, rows: Rows) -> Tensor {
        let z = self.encode(graph, rows);
        self.decode(graph, z, rows.y)
    }

    /// Codes drawn from the prior `[rows, latent]`; `None` where there is none.
    fn prior_sample(&self, graph: &mut Graph, rows: usize) -> Option<Tensor>;

    /// q(y | x): how likely each label is `[rows, condition]`, of a model that infers it; of another, all are alike.
    fn classify(&self, graph: &mut Graph, x: Tensor) -> Tensor {
        let shape = [graph.shape(x)[0], self.condition()];
        graph.full(1.0 / self.condition().max(1) as f32, &shape)
    }

    /// New rows, as people are shown them: E\[x | z, y\] for codes drawn from the prior, and conditions where the model is
    /// given them `[rows, features]`; `None` where there is no prior.
    fn sample(&self, graph: &mut Graph, rows: usize, y: Option<Tensor>) -> Option<Tensor> {
        let z = self.prior_sample(graph, rows)?;
        Some(self.decode(graph, z, y))
    }

    /// Whether it has a prior to draw codes from.
    fn is_generative(&self) -> bool {
        self.prior_sample(&mut Graph::new(), 1).is_some()
    }

    /// The value of a scalar of its own after so many epochs of training.
    fn scalar(&self, name: &str, epochs: f64) -> Option<f64> {
        let _ = (name, epochs);
        None
    }
}
