//! The model: an autoencoder whose encodings are vectors of a codebook.

use std::sync::Arc;

use super::book::Encodings;
use super::grid::Grid;
use super::quantiser::{Quantised, Quantiser};
use crate::distributions::{IndexGrid, IndexPrior, Likelihood, Measure};
use crate::graph::Tensor;
use crate::models::networks::Networks;
use crate::models::{Batch, Can, Condition, Decode, Encode, Model, Reconstruct, Rows, Terms, TrainingPlan};

/// An autoencoder of quantised codes.
#[derive(Clone, Debug)]
pub struct VqVae {
    pub(super) networks: Networks,
    pub(super) likelihood: Arc<dyn Likelihood>,
    pub(super) grid: Grid,
    pub(super) quantiser: Arc<dyn Quantiser>,
    /// β, the weight of ‖z − sg e‖².
    pub(super) commitment: f32,
    /// p(k) of the indices of a row.
    pub(super) prior: Arc<dyn IndexPrior>,
}

/// What becomes of rows: the encodings that the encoder gives, and what they are quantised to.
struct Coded<'g> {
    encodings: Encodings<'g>,
    quantised: Quantised<'g>,
}

impl VqVae {
    /// What its prior is over.
    pub(super) fn index_grid(&self) -> IndexGrid {
        let depth = self.grid.groups * self.quantiser.stages();
        IndexGrid { image: self.grid.image, depth, codes: self.quantiser.codes() }
    }

    /// Rows with a weight each `[rows, 1]`, one of so many batches of an epoch.
    fn code<'g>(&self, rows: Rows<'g>, weights: Tensor<'g>, window: usize) -> Coded<'g> {
        let (z, each) = (self.grid.apart(self.networks.encode(rows)), self.grid.encodings());
        let weights = (weights * (1.0 / each as f32)).repeat_rows(each);
        let encodings = Encodings { z, weights, each };
        Coded { encodings, quantised: self.quantiser.quantise(encodings, window) }
    }

    /// What rows are quantised to.
    pub(super) fn quantised<'g>(&self, rows: Rows<'g>) -> Quantised<'g> {
        self.code(rows, rows.x.graph().row_weights(rows.count()), 1).quantised
    }

    /// The vectors of rows, as codes `[rows, latent]`.
    fn codes_of<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.grid.together(self.quantised(rows).vectors)
    }

    /// ln p(k) of the indices of rows `[rows, 1]`.
    pub(super) fn log_prior<'g>(&self, quantised: &Quantised<'g>) -> Tensor<'g> {
        let (by_place, indices) = (self.grid.by_place(quantised.chosen()), self.index_grid());
        let [encodings, width] = by_place.dims();
        let chosen = by_place.reshape(&[encodings * width / indices.codes, indices.codes]);
        self.prior.log_prob(chosen, indices)
    }

    /// Σ over the encodings of each row `[rows, 1]`.
    fn over_rows<'g>(&self, t: Tensor<'g>) -> Tensor<'g> {
        let rows = t.shape()[0] / self.grid.encodings();
        t.reshape(&[rows, t.shape().iter().product::<usize>() / rows]).sum_rows()
    }

    /// The terms of a batch, and −ln p(k) of its rows `[rows, 1]`, which is the KL of a code that is certain.
    pub(super) fn terms_and_kl<'g>(&self, batch: &Batch<'g>) -> (Terms<'g>, Tensor<'g>) {
        let rows = batch.rows;
        let window = batch.count.div_ceil(rows.count());
        let Coded { encodings, quantised } = self.code(rows, batch.weights, window);
        let outputs = self.networks.decode(self.grid.together(quantised.through()), None);
        let reconstruction = -rows.log_likelihood(&*self.likelihood, outputs);
        let (mut loss, mut parts) = (reconstruction, vec![]);
        if let Some(drawn) = quantised.drawn {
            let commitment = self.over_rows(drawn.encodings);
            loss = loss + commitment * self.commitment;
            if let Some(vectors) = drawn.vectors {
                loss = loss + self.over_rows(vectors);
            }
            parts.push(("commitment", commitment));
        }
        let kl = -self.log_prior(&quantised);
        // A prior that learns does so beside all else: indices have no gradient.
        if self.prior.is_learnt() {
            loss = loss + kl;
        }
        let each = |t: Tensor<'g>| t.expand(&[rows.count(), 1]);
        parts.push(("perplexity", each(quantised.perplexity(encodings.weights))));
        parts.extend(quantised.used.map(|used| ("codes_used", each(used))));
        let mu = self.grid.together(quantised.vectors.detach());
        (Terms { loss, reconstruction, kl: Some(kl), mu, parts, gradient_scale: None }, kl)
    }
}

impl Model for VqVae {
    fn features(&self) -> usize {
        self.networks.features()
    }

    fn condition(&self) -> Condition {
        Condition::None
    }

    fn measure(&self, black_and_white: bool) -> Measure {
        Measure::of(self.likelihood.support(), black_and_white)
    }

    fn plan(&self) -> TrainingPlan<'_> {
        TrainingPlan::of_one_loss(self)
    }

    fn terms<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        self.terms_and_kl(batch).0
    }

    /// With a prior that was learnt, −ln p(x, k) of the row's indices k, which is its negative ELBO; else the loss.
    fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let (terms, kl) = self.terms_and_kl(&Batch::whole(rows));
        if self.prior.is_learnt() { terms.reconstruction + kl } else { terms.loss }
    }

    fn scalar(&self, _: &str, _: f64) -> Option<f64> {
        None
    }

    fn can(&self) -> Can<'_> {
        Can {
            encode: Some(self),
            decode: Some(self),
            reconstruct: Some(self),
            generate: self.prior.is_learnt().then_some(self),
            density: self.prior.is_learnt().then_some(self),
            posterior: None,
            classify: None,
            fit_prior: Some(self),
            compress: self.likelihood.discrete().is_some().then_some(self),
        }
    }
}

impl Encode for VqVae {
    fn latent(&self) -> usize {
        self.networks.latent()
    }

    fn mean<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.codes_of(rows)
    }

    fn draw<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        self.codes_of(rows).repeat_rows(samples)
    }

    fn variance<'g>(&self, rows: Rows<'g>) -> Option<Tensor<'g>> {
        Some(rows.x.graph().full(0.0, &[rows.count(), self.networks.latent()]))
    }

    fn indices<'g>(&self, rows: Rows<'g>) -> Option<Tensor<'g>> {
        let indices = self.quantised(rows).indices();
        Some(indices.reshape(&[rows.count(), self.grid.encodings() * self.quantiser.stages()]))
    }
}

impl Decode for VqVae {
    fn mean<'g>(&self, z: Tensor<'g>, _: Option<Tensor<'g>>) -> Tensor<'g> {
        self.likelihood.mean(self.networks.decode(z, None))
    }

    fn variance<'g>(&self, z: Tensor<'g>, _: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        self.likelihood.variance(self.networks.decode(z, None))
    }

    fn draw<'g>(&self, z: Tensor<'g>, _: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        self.likelihood.sample(self.networks.decode(z, None))
    }
}

impl Reconstruct for VqVae {
    fn reconstruct<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        Decode::mean(self, self.codes_of(rows), None)
    }

    fn feature_losses<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        -rows.log_likelihoods(&*self.likelihood, self.networks.decode(self.codes_of(rows), None))
    }
}
