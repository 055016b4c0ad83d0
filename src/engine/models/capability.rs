//! What a model can do, asked once and refused once.
//!
//! A model answers [`Model::can`](super::Model::can) with a [`Can`]: a literal that names every capability, so that a model that
//! wraps another must say of each whether it passes it on. Who needs one asks [`Can::encode`] and its like, which refuse in one
//! wording.

use super::{Batch, Rows, Terms};
use crate::distributions::Discrete;
use crate::distributions::prior::Points;
use crate::error::{Error, Result};
use crate::graph::{Graph, Tensor};

/// Gives rows codes.
pub trait Encode {
    /// Dimensions of a code.
    fn latent(&self) -> usize;

    /// The code's mean `[rows, latent]`.
    fn mean<'g>(&self, rows: Rows<'g>) -> Tensor<'g>;

    /// `samples` codes of each row, drawn from its posterior, those of one row behind each other `[rows·samples, latent]`; where
    /// codes are deterministic, the code.
    fn draw<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g>;

    /// The variance of each dimension of a row's code under its posterior, around [`Encode::mean`], where that has a closed form:
    /// 0 where codes are deterministic. `[rows, latent]`
    fn variance<'g>(&self, rows: Rows<'g>) -> Option<Tensor<'g>>;

    /// Where codes are vectors of a codebook: which vector each of those of a row is, counted from 0 `[rows, vectors of a code]`.
    fn indices<'g>(&self, _: Rows<'g>) -> Option<Tensor<'g>> {
        None
    }
}

/// Gives codes rows.
pub trait Decode {
    /// E\[x | z, y\] for codes `[rows, latent]` and, of a model that is given them, conditions `[rows, condition]`.
    fn mean<'g>(&self, z: Tensor<'g>, y: Option<Tensor<'g>>) -> Tensor<'g>;

    /// Var\[x | z, y\] of codes and conditions as for [`Decode::mean`] `[rows, features]`; `None` where it has no closed form.
    fn variance<'g>(&self, _: Tensor<'g>, _: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        None
    }

    /// Rows drawn from p(x | z, y), of codes and conditions as for [`Decode::mean`] `[rows, features]`; `None` where the
    /// reconstruction is a loss and no density.
    fn draw<'g>(&self, z: Tensor<'g>, y: Option<Tensor<'g>>) -> Option<Tensor<'g>>;
}

/// Gives rows again: what is made of their own codes.
pub trait Reconstruct {
    /// E\[x | z, y\] at the codes' means: what comes out for what goes in. `[rows, features]`
    fn reconstruct<'g>(&self, rows: Rows<'g>) -> Tensor<'g>;

    /// −ln p(x_j | z) of every value x_j of a row, in nats, at one code drawn from the row's posterior, or at its code where that is
    /// deterministic: the terms of the reconstruction term. 0 of a value that was not observed, but for what it costs that it was not, where a model says
    /// why values are missing. `[rows, features]`
    fn feature_losses<'g>(&self, rows: Rows<'g>) -> Tensor<'g>;
}

/// Has a prior, and draws new data.
pub trait Generate {
    /// Codes drawn from the prior `[rows, latent]`.
    fn codes<'g>(&self, graph: &'g Graph, rows: usize) -> Tensor<'g>;

    /// Whether the prior is one of choices, whose logits a temperature divides; otherwise it is a density of numbers.
    fn is_of_choices(&self) -> bool {
        false
    }

    /// Codes drawn from the prior, of choices with logits that are divided by a temperature (at 0 the likeliest choice each time)
    /// `[rows, latent]`; of numbers as [`Generate::codes`].
    fn tempered_codes<'g>(&self, graph: &'g Graph, rows: usize, _: f32) -> Tensor<'g> {
        self.codes(graph, rows)
    }

    /// The mean and ln σ² of each dimension of a code `[1, latent]`, where the prior is a product of Gaussians.
    fn gaussian<'g>(&self, graph: &'g Graph) -> Option<[Tensor<'g>; 2]>;

    /// New rows, as people are shown them: E\[x | z, y\] for codes drawn from the prior, and conditions where the model is
    /// given them. `[rows, features]`
    fn rows<'g>(&self, graph: &'g Graph, rows: usize, y: Option<Tensor<'g>>) -> Tensor<'g>;
}

/// Gives rows a likelihood.
pub trait Density {
    /// Whether its KL is computed in closed form, or else estimated by Monte Carlo from the codes that are drawn.
    fn kl_is_closed_form(&self) -> bool;

    /// ln p(x, z_k) − ln q(z_k | x) of K codes of each row, in nats `[rows, K]`: what the marginal likelihood is estimated
    /// from.
    fn log_weights<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g>;

    /// Draws `samples` times codes of each row, with what each says of the row's values.
    fn weighted<'g>(&self, rows: Rows<'g>, samples: usize) -> Weighted<'g>;

    /// How many codes one sample is in [`Density::weighted`], and how many numbers each of these is.
    fn code_shape(&self) -> [usize; 2];

    /// E\[x | z, y\] of codes as [`Weighted::codes`] holds them and conditions as for [`Decode::mean`]. `[rows, features]`
    fn mean_given<'g>(&self, codes: Tensor<'g>, y: Option<Tensor<'g>>) -> Tensor<'g>;

    /// Rows drawn from p(x | z, y), of codes as [`Weighted::codes`] holds them and conditions as for [`Decode::mean`]
    /// `[rows, features]`; `None` where the reconstruction is a loss and no density.
    fn draw_given<'g>(&self, codes: Tensor<'g>, y: Option<Tensor<'g>>) -> Option<Tensor<'g>>;

    /// Whether it models why values are missing: then what is missing says something of a row, also where that is all of it.
    fn explains_gaps(&self) -> bool {
        false
    }

    /// What must be known to read its likelihoods beside its ELBO, in a sentence or two.
    fn note(&self) -> Option<&'static str>;
}

/// Rows that are coded without loss: the code of each, and its values, of which there are finitely many, given the code.
pub trait Compress {
    /// What codes are.
    fn coded_as(&self) -> CodedAs<'_>;

    /// What outputs say of the values of a row.
    fn values(&self) -> &dyn Discrete;
}

/// Codes that are coded without loss.
pub enum CodedAs<'a> {
    /// Real numbers.
    Numbers(&'a dyn GaussianCodes),
    /// Indices of finitely many vectors.
    Indices(&'a dyn IndexCodes),
}

impl<'a> CodedAs<'a> {
    /// Real numbers.
    ///
    /// # Errors
    /// If they are indices.
    pub fn numbers(self) -> Result<&'a dyn GaussianCodes> {
        match self {
            CodedAs::Numbers(of) => Ok(of),
            CodedAs::Indices(_) => Err(Error::invalid("codes of this model are indices, and no real numbers")),
        }
    }

    /// Indices.
    ///
    /// # Errors
    /// If they are real numbers.
    pub fn indices(self) -> Result<&'a dyn IndexCodes> {
        match self {
            CodedAs::Indices(of) => Ok(of),
            CodedAs::Numbers(_) => Err(Error::invalid("codes of this model are real numbers, and no indices")),
        }
    }
}

/// Codes under diagonal Gaussian posteriors and priors, in one stochastic layer or several, of which the choice gives bits back (Townsend, Bird &
/// Barber 2019).
///
/// A row is coded step by step, and decoded by undoing them, the last first; [`bits_back_steps`](super::bits_back_steps) and
/// [`bit_swap_steps`](super::bit_swap_steps) are the two orders. Codes of a layer that is coded given nothing are relative to its prior's mean m and
/// deviation s, (z − m)/s, so that this is N(0, I); those of other layers are as the networks know them.
pub trait GaussianCodes {
    /// Dimensions of each stochastic layer, from the data upwards.
    fn widths(&self) -> Vec<usize>;

    /// What is done, in its order. What a step is given must be known before it when a row is coded, and behind it when it is decoded.
    fn steps(&self) -> Vec<CodingStep>;

    /// What networks say of a step that is given something, of that `[rows, …]` each: of values the decoder's outputs `[rows, outputs]`,
    /// which [`Compress::values`] reads; of codes mean and standard deviation of each dimension, those behind these `[rows, 2·width]`.
    fn outputs<'g>(&self, step: &CodingStep, given: &[Tensor<'g>]) -> Tensor<'g>;

    /// Codes of all layers behind each other as the model draws them `[rows, Σ widths]`, where there are layers that are coded given something:
    /// what such codes are about is told by these.
    fn drawn_codes<'g>(&self, _: &'g Graph, _rows: usize) -> Option<Tensor<'g>> {
        None
    }
}

/// A step of coding a row, with what its distribution is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodingStep {
    /// What is done.
    pub what: Coded,
    /// What is known then; nothing of a layer whose codes are under N(0, I).
    pub given: Vec<Variable>,
}

/// What a step of coding does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coded {
    /// Codes of a layer are drawn from its posterior, by bits that are there already.
    Draw(usize),
    /// The row is coded.
    Row,
    /// Codes of a layer are coded under its prior.
    Codes(usize),
}

/// What is known of a row when it is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variable {
    /// Its values.
    Row,
    /// Its codes of a layer.
    Codes(usize),
}

/// Codes that are certain and consist of indices: a row takes −log₂ p(k) − log₂ p(x | k) bits, k being its indices.
pub trait IndexCodes {
    /// How many indices a row has, and how many there are to choose from.
    fn sizes(&self) -> [usize; 2];

    /// The indices of rows, in the order in which each is told those before it `[rows, indices]`.
    fn indices<'g>(&self, rows: Rows<'g>) -> Tensor<'g>;

    /// The logits of one index of each row, with the memory for the next one behind them `[rows, K + memory]`. `given` is the index before it
    /// (anything, of the first) with the memory that this was told with `[rows, 1 + memory]`.
    fn next<'g>(&self, number: usize, given: Tensor<'g>) -> Tensor<'g>;

    /// The decoder's outputs for indices in their order `[rows, indices]`, which [`Compress::values`] reads. `[rows, outputs]`
    fn outputs<'g>(&self, indices: Tensor<'g>) -> Tensor<'g>;
}

/// Draws codes with their densities, so that another model can stand on it.
pub trait SamplePosterior {
    /// `samples` codes of each row.
    fn sample_posterior<'g>(&self, rows: Rows<'g>, samples: usize) -> PosteriorSample<'g>;
}

/// Can learn its prior alone, all else being as it is.
pub trait FitPrior {
    /// The terms of a batch where the loss is −ln p(z) of a code of each row; the prior's parameters are those in the scope
    /// `prior`.
    fn terms_of_prior<'g>(&self, batch: &Batch<'g>) -> Terms<'g>;

    /// Values of the prior's parameters to start from, by name, where it knows better ones for given codes than those that they start from
    /// otherwise.
    ///
    /// # Errors
    /// If the codes are too few.
    fn data_dependent_init(&self, points: &Points) -> Result<Vec<(&'static str, Vec<f32>)>>;
}

/// Tells labels.
pub trait Classify {
    /// q(y | x): how likely each label is. `[rows, classes]`
    fn probabilities<'g>(&self, x: Tensor<'g>) -> Tensor<'g>;
}

/// Codes of rows, drawn from the posterior, with what a model says of them.
///
/// For every row `samples` codes, those of one row behind each other.
#[derive(Clone, Copy, Debug)]
pub struct PosteriorSample<'g> {
    /// The codes, as [`Decode::mean`] takes them `[rows·samples, latent]`.
    pub z: Tensor<'g>,
    /// ln q(z | x), in nats `[rows, samples]`.
    pub log_posterior: Tensor<'g>,
    /// ln p(x | z), in nats `[rows, samples]`.
    pub log_likelihood: Tensor<'g>,
}

/// Codes of rows, weighed, with what each says of a row's values: n codes of each row, those of one row behind each other.
#[derive(Clone, Copy, Debug)]
pub struct Weighted<'g> {
    /// ln w_k = ln p(x, z_k) − ln q(z_k | x), x being what was observed, in nats `[rows, n]`.
    pub log_weights: Tensor<'g>,
    /// The codes z_k `[rows·n, width]`, as [`Density::draw_given`] takes them.
    pub codes: Tensor<'g>,
    /// E\[x | z_k\] `[rows·n, features]`.
    pub means: Tensor<'g>,
}

impl<'g> Weighted<'g> {
    /// Σ_k w_k E\[x | z_k\]/Σ_k w_k `[rows, features]`: what is expected of all values, given those that were observed, by
    /// self-normalised importance sampling (Mattei & Frellsen 2019, section 4.1); and ln Σ_k w_k `[rows, 1]`.
    pub fn mean(self) -> [Tensor<'g>; 2] {
        let ([rows, n], features) = (self.log_weights.dims(), self.means.width());
        let log_total = self.log_weights.log_sum_exp(&[1]);
        let shares = (self.log_weights - log_total).exp().reshape(&[rows, n, 1]);
        let mean = (self.means.reshape(&[rows, n, features]) * shares).sum(&[1]);
        [mean.reshape(&[rows, features]), log_total.reshape(&[rows, 1])]
    }
}

/// What a model can do.
pub struct Can<'a> {
    /// Gives rows codes.
    pub encode: Option<&'a dyn Encode>,
    /// Gives codes rows.
    pub decode: Option<&'a dyn Decode>,
    /// Gives rows again.
    pub reconstruct: Option<&'a dyn Reconstruct>,
    /// Draws new data.
    pub generate: Option<&'a dyn Generate>,
    /// Gives rows a likelihood.
    pub density: Option<&'a dyn Density>,
    /// Draws codes with densities.
    pub posterior: Option<&'a dyn SamplePosterior>,
    /// Tells labels.
    pub classify: Option<&'a dyn Classify>,
    /// Learns its prior alone.
    pub fit_prior: Option<&'a dyn FitPrior>,
    /// Codes rows without loss.
    pub compress: Option<&'a dyn Compress>,
}

/// A capability, for tables and refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// [`Encode`].
    Encode,
    /// [`Decode`].
    Decode,
    /// [`Reconstruct`].
    Reconstruct,
    /// [`Generate`].
    Generate,
    /// [`Density`].
    Density,
    /// [`SamplePosterior`].
    SamplePosterior,
    /// [`Classify`].
    Classify,
    /// [`FitPrior`].
    FitPrior,
    /// [`Compress`].
    Compress,
}

impl Capability {
    /// All of them.
    pub const ALL: [Capability; 9] = [
        Capability::Encode,
        Capability::Decode,
        Capability::Reconstruct,
        Capability::Generate,
        Capability::Density,
        Capability::SamplePosterior,
        Capability::Classify,
        Capability::FitPrior,
        Capability::Compress,
    ];

    /// A word or two for the head of a column.
    pub fn name(self) -> &'static str {
        match self {
            Capability::Encode => "encode",
            Capability::Decode => "decode",
            Capability::Reconstruct => "reconstruct",
            Capability::Generate => "generate",
            Capability::Density => "likelihood",
            Capability::SamplePosterior => "second stage",
            Capability::Classify => "classify",
            Capability::FitPrior => "fit-prior",
            Capability::Compress => "compress",
        }
    }

    /// What a model does that can.
    fn deed(self) -> &'static str {
        match self {
            Capability::Encode => "give rows codes",
            Capability::Decode => "make rows of codes",
            Capability::Reconstruct => "rebuild rows",
            Capability::Generate => "draw new rows",
            Capability::Density => "give rows a likelihood",
            Capability::SamplePosterior => "carry a second model",
            Capability::Classify => "tell labels",
            Capability::FitPrior => "have its prior fitted",
            Capability::Compress => "compress rows without loss",
        }
    }

    /// What that takes, and which model has it.
    fn needs(self) -> &'static str {
        match self {
            Capability::Encode => "an encoder, as a vae or an ae has",
            Capability::Decode => "a decoder, as a vae or an ae has",
            Capability::Reconstruct => "an encoder and a decoder, as a vae or an ae has",
            Capability::Generate => "a prior over codes, as a vae has, or as elbo fit-prior gives a vq-vae",
            Capability::Density => "a prior and a posterior with densities, as a vae has",
            Capability::SamplePosterior => {
                "codes with a density q(z|x) over real numbers, as a vae with a Gaussian posterior has"
            }
            Capability::Classify => "a network that infers them, as an m2 or a classifier has",
            Capability::FitPrior => "one code of each row and one prior, as a vae, a cvae, a rae or a vq-vae has",
            Capability::Compress => {
                "a vq-vae or an fsq, a very-deep, or a vae with the posterior diagonal-gaussian, a hierarchical or a ladder, these three with the \
                 prior standard-normal or diagonal-gaussian, each with a likelihood of finitely many values (bernoulli, categorical, \
                 beta-binomial, discretized-logistic or discretized-logistic-mixture)"
            }
        }
    }
}

/// The capability, or the refusal.
fn require<T>(found: Option<T>, wanted: Capability) -> Result<T> {
    found.ok_or_else(|| Error::invalid(format!("this model cannot {}: that takes {}", wanted.deed(), wanted.needs())))
}

impl<'a> Can<'a> {
    /// Whether it can do something.
    pub fn has(&self, capability: Capability) -> bool {
        match capability {
            Capability::Encode => self.encode.is_some(),
            Capability::Decode => self.decode.is_some(),
            Capability::Reconstruct => self.reconstruct.is_some(),
            Capability::Generate => self.generate.is_some(),
            Capability::Density => self.density.is_some(),
            Capability::SamplePosterior => self.posterior.is_some(),
            Capability::Classify => self.classify.is_some(),
            Capability::FitPrior => self.fit_prior.is_some(),
            Capability::Compress => self.compress.is_some(),
        }
    }

    /// Dimensions of codes: of those that rows are given, or else of those that are drawn.
    ///
    /// # Errors
    /// If there are none.
    pub fn latent(self) -> Result<usize> {
        match (self.encode, self.generate) {
            (None, Some(generate)) => Ok(generate.codes(&Graph::new(), 1).width()),
            _ => Ok(self.encode()?.latent()),
        }
    }

    /// Gives rows codes.
    ///
    /// # Errors
    /// If it cannot.
    pub fn encode(self) -> Result<&'a dyn Encode> {
        require(self.encode, Capability::Encode)
    }

    /// Gives codes rows.
    ///
    /// # Errors
    /// If it cannot.
    pub fn decode(self) -> Result<&'a dyn Decode> {
        require(self.decode, Capability::Decode)
    }

    /// Gives rows again.
    ///
    /// # Errors
    /// If it cannot.
    pub fn reconstruct(self) -> Result<&'a dyn Reconstruct> {
        require(self.reconstruct, Capability::Reconstruct)
    }

    /// Draws new data.
    ///
    /// # Errors
    /// If it cannot.
    pub fn generate(self) -> Result<&'a dyn Generate> {
        require(self.generate, Capability::Generate)
    }

    /// Gives rows a likelihood.
    ///
    /// # Errors
    /// If it cannot.
    pub fn density(self) -> Result<&'a dyn Density> {
        require(self.density, Capability::Density)
    }

    /// Draws codes with densities.
    ///
    /// # Errors
    /// If it cannot.
    pub fn posterior(self) -> Result<&'a dyn SamplePosterior> {
        require(self.posterior, Capability::SamplePosterior)
    }

    /// Tells labels.
    ///
    /// # Errors
    /// If it cannot.
    pub fn classify(self) -> Result<&'a dyn Classify> {
        require(self.classify, Capability::Classify)
    }

    /// Learns its prior alone.
    ///
    /// # Errors
    /// If it cannot.
    pub fn fit_prior(self) -> Result<&'a dyn FitPrior> {
        require(self.fit_prior, Capability::FitPrior)
    }

    /// Codes rows without loss.
    ///
    /// # Errors
    /// If it cannot.
    pub fn compress(self) -> Result<&'a dyn Compress> {
        require(self.compress, Capability::Compress)
    }
}
