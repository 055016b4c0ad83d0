//! Densities as pieces of a graph: how codes are drawn, and what a decoder's outputs mean.

pub(crate) mod choice;
mod codes;
pub mod index_prior;
pub mod likelihood;
pub mod missing;
pub mod posterior;
pub mod prior;
mod relaxed;
mod special;
mod sphere;
pub mod weights;

pub use codes::{Code, CodeSpace, Encoder, PosteriorNetwork};
pub use index_prior::{Above, INDEX_PRIORS, IndexGrid, IndexLevel, IndexPrior};
pub use likelihood::{
    Bernoulli, BetaBinomial, Categorical, ContinuousBernoulli, Discrete, DiscretizedLogistic, Gaussian, Heads,
    LIKELIHOODS, Laplace, LearnedGaussian, LearnedLaplace, Likelihood, LogisticMixture, Measure, NegativeBinomial,
    OneHot, SharedGaussian, SquaredError, StudentT, Support,
};
pub use missing::{MISSING_MECHANISMS, MissingMechanism, MissingModel};
pub use posterior::{DiagonalGaussian, Draw, POSTERIORS, Posterior};
pub use prior::{PRIORS, Prior, StandardNormal};
pub use weights::{WEIGHT_DISTRIBUTIONS, WeightDistribution};
