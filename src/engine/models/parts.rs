//! What a VAE is made of besides its networks.

use std::sync::Arc;

use crate::distributions::{DiagonalGaussian, Discrete, Likelihood, Posterior, Prior, StandardNormal};
use crate::graph::{Graph, Tensor};
use crate::objectives::{Elbo, Objective};

/// What a VAE is made of besides its networks.
#[derive(Clone, Debug)]
pub struct Parts {
    /// p(x | z).
    pub likelihood: Arc<dyn Likelihood>,
    /// q(z | x).
    pub posterior: Arc<dyn Posterior>,
    /// p(z).
    pub prior: Arc<dyn Prior>,
    /// What is minimised.
    pub objective: Arc<dyn Objective>,
}

impl Parts {
    /// The VAE of Kingma and Welling 2014 with this likelihood: a diagonal Gaussian posterior, a standard normal prior, the
    /// ELBO.
    pub fn new(likelihood: Arc<dyn Likelihood>) -> Parts {
        Parts {
            likelihood,
            posterior: Arc::new(DiagonalGaussian),
            prior: Arc::new(StandardNormal),
            objective: Arc::new(Elbo),
        }
    }

    /// Why rows cannot be weighed, if they cannot.
    pub(super) fn couples_rows(&self) -> Option<String> {
        let why = "the objective sees the rows of a batch together: what it minimises is no sum over rows, so that none can weigh more";
        self.objective.couples_rows().then(|| why.to_owned())
    }

    /// What must be known to read their likelihoods.
    pub(super) fn note_on_likelihood(&self) -> Option<&'static str> {
        self.posterior.note_on_likelihood().or_else(|| self.prior.note_on_likelihood())
    }

    /// Whether KL(q(z | x) ‖ p(z)) of so many dimensions has a closed form; else it is estimated from the codes that are
    /// drawn.
    pub fn kl_is_closed_form(&self, latent: usize) -> bool {
        let graph = Graph::new();
        let outputs = graph.input("outputs", &[1, self.posterior.outputs(latent)]);
        self.posterior.kl(outputs, &*self.prior).is_some()
    }

    /// Whether values are finitely many and the prior of so many dimensions is a product of Gaussians, so that both can be coded.
    pub(super) fn can_be_coded(&self, latent: usize) -> bool {
        self.likelihood.discrete().is_some() && self.prior.gaussian(&Graph::new(), latent).is_some()
    }

    /// Mean and ln σ² of each dimension of the prior, of parts that can be coded. `[1, latent]`
    pub(super) fn coded_prior<'g>(&self, graph: &'g Graph, latent: usize) -> [Tensor<'g>; 2] {
        self.prior.gaussian(graph, latent).expect("it was asked for before the capability was given")
    }

    /// The likelihood on the host, of parts that can be coded.
    pub(super) fn coded_values(&self) -> &dyn Discrete {
        self.likelihood.discrete().expect("it was asked for before the capability was given")
    }
}
