//! A VAE of which nothing but the prior is learnt: by maximum likelihood of codes z ~ q(z | x), drawn anew at every step.
//!
//! ELBO = E_q\[ln p(x | z) − ln q(z | x)\] + E_q\[ln p(z)\], and only the last part depends on the prior, so that what makes
//! codes more likely raises the bound by as much. Ghosh et al. 2020 fit ten Gaussians with full covariances to the codes of
//! trained models, and draw from those.

use super::{Batch, Model, Rows, Terms, Vae};
use crate::distributions::Measure;
use crate::graph::{Graph, Tensor};
use crate::nn::ParameterSpec;

/// A VAE, all of which is frozen but for its prior, or all of it.
#[derive(Clone, Debug)]
pub struct FittedPrior {
    vae: Vae,
    learns: bool,
}

impl FittedPrior {
    /// A VAE whose prior is learnt.
    pub fn new(vae: Vae) -> FittedPrior {
        FittedPrior { vae, learns: true }
    }

    /// A VAE whose prior stays what it is, to be held against one that is learnt.
    pub fn as_it_is(vae: Vae) -> FittedPrior {
        FittedPrior { vae, learns: false }
    }
}

impl Model for FittedPrior {
    fn features(&self) -> usize {
        self.vae.features()
    }

    fn latent(&self) -> usize {
        self.vae.latent()
    }

    fn condition(&self) -> usize {
        self.vae.condition()
    }

    fn parameters(&self) -> Vec<ParameterSpec> {
        if self.learns { self.vae.parameters_of_prior() } else { vec![] }
    }

    fn frozen(&self) -> Vec<ParameterSpec> {
        let trained = self.parameters();
        self.vae.parameters().into_iter().filter(|spec| !trained.contains(spec)).collect()
    }

    fn note_on_likelihood(&self) -> Option<&'static str> {
        self.vae.note_on_likelihood()
    }

    fn measure(&self, black_and_white: bool) -> Measure {
        self.vae.measure(black_and_white)
    }

    fn terms(&self, graph: &mut Graph, batch: &Batch) -> Terms {
        self.vae.terms_of_prior(graph, batch)
    }

    fn score(&self, graph: &mut Graph, rows: Rows) -> Tensor {
        self.vae.score(graph, rows)
    }

    fn log_weights(&self, graph: &mut Graph, rows: Rows, samples: usize) -> Option<Tensor> {
        self.vae.log_weights(graph, rows, samples)
    }

    fn draw_code(&self, graph: &mut Graph, rows: Rows) -> Tensor {
        self.vae.draw_code(graph, rows)
    }

    fn encode(&self, graph: &mut Graph, rows: Rows) -> Tensor {
        self.vae.encode(graph, rows)
    }

    fn decode(&self, graph: &mut Graph, z: Tensor, y: Option<Tensor>) -> Tensor {
        self.vae.decode(graph, z, y)
    }

    fn prior_sample(&self, graph: &mut Graph, rows: usize) -> Option<Tensor> {
        self.vae.prior_sample(graph, rows)
    }

    fn scalar(&self, name: &str, _: f64) -> Option<f64> {
        // The model is as it was when its training ended.
        self.vae.scalar(name, f64::INFINITY)
    }
}
