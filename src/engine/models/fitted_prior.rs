//! A model of which nothing but the prior is learnt: by maximum likelihood of codes z ~ q(z | x), drawn anew at every step.
//!
//! ELBO = E_q\[ln p(x | z) − ln q(z | x)\] + E_q\[ln p(z)\], and only the last part depends on the prior, so that what makes
//! codes more likely raises the bound by as much. Ghosh et al. 2020 fit ten Gaussians with full covariances to the codes of
//! trained models, and draw from those.

use super::{Batch, Can, Condition, Model, Rows, Terms, TrainingPlan};
use crate::distributions::Measure;
use crate::error::Result;
use crate::graph::Tensor;

/// A model, all of which is frozen but for its prior, or all of it.
///
/// What it does besides training is what the model does, with parameters that only its training program declares as frozen: the
/// values are the same.
#[derive(Debug)]
pub struct FittedPrior {
    model: Box<dyn Model>,
    learns: bool,
}

impl FittedPrior {
    /// A model whose prior is learnt.
    ///
    /// # Errors
    /// If its prior cannot be learnt alone.
    pub fn new(model: Box<dyn Model>) -> Result<FittedPrior> {
        model.can().fit_prior()?;
        Ok(FittedPrior { model, learns: true })
    }

    /// A model whose prior stays what it is, to be held against one that is learnt.
    ///
    /// # Errors
    /// As for [`FittedPrior::new`].
    pub fn as_it_is(model: Box<dyn Model>) -> Result<FittedPrior> {
        Ok(FittedPrior { learns: false, ..FittedPrior::new(model)? })
    }
}

impl Model for FittedPrior {
    fn features(&self) -> usize {
        self.model.features()
    }

    fn condition(&self) -> Condition {
        self.model.condition()
    }

    fn measure(&self, black_and_white: bool) -> Measure {
        self.model.measure(black_and_white)
    }

    fn plan(&self) -> TrainingPlan<'_> {
        TrainingPlan::of_one_loss(self)
    }

    fn terms<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        let learns = self.learns;
        let is_frozen = move |name: &str| !(learns && name.starts_with("prior."));
        let prior = self.model.can().fit_prior().expect("it can be fitted, which was checked");
        batch.rows.x.graph().freeze(is_frozen, || prior.terms_of_prior(batch))
    }

    fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.model.score(rows)
    }

    fn scalar(&self, name: &str, _: f64) -> Option<f64> {
        // The model is as it was when its training ended.
        self.model.scalar(name, f64::INFINITY)
    }

    fn can(&self) -> Can<'_> {
        self.model.can()
    }
}
