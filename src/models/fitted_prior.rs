//! A VAE of which nothing but the prior is learnt: by maximum likelihood of codes z ~ q(z | x), drawn anew at every step.
//!
//! ELBO = E_q\[ln p(x | z) − ln q(z | x)\] + E_q\[ln p(z)\], and only the last part depends on the prior, so that what makes
//! codes more likely raises the bound by as much. Ghosh et al. 2020 fit ten Gaussians with full covariances to the codes of
//! trained models, and draw from those.

use super::{Batch, Can, Condition, Model, Rows, Terms, Vae};
use crate::distributions::Measure;
use crate::graph::Tensor;

/// A VAE, all of which is frozen but for its prior, or all of it.
///
/// What it does besides training is what the VAE does, with parameters that only its training program declares as frozen: the
/// values are the same.
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

    fn condition(&self) -> Condition {
        self.vae.condition()
    }

    fn measure(&self, black_and_white: bool) -> Measure {
        self.vae.measure(black_and_white)
    }

    fn terms<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        let learns = self.learns;
        let is_frozen = move |name: &str| !(learns && name.starts_with("prior."));
        batch.rows.x.graph().freeze(is_frozen, || self.vae.terms_of_prior(batch))
    }

    fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.vae.score(rows)
    }

    fn scalar(&self, name: &str, _: f64) -> Option<f64> {
        // The model is as it was when its training ended.
        self.vae.scalar(name, f64::INFINITY)
    }

    fn can(&self) -> Can<'_> {
        self.vae.can()
    }
}
