//! The model: an autoencoder whose encodings are vectors of a codebook.

use std::sync::Arc;

use super::level::{Coded, Level};
use super::top::Top;
use crate::distributions::{Above, IndexPrior, Likelihood, Measure};
use crate::graph::Tensor;
use crate::models::networks::Networks;
use crate::models::{Batch, Can, Condition, Decode, Encode, Model, Reconstruct, Rows, Terms, TrainingPlan};

/// An autoencoder of quantised codes.
#[derive(Clone, Debug)]
pub struct VqVae {
    pub(super) networks: Networks,
    pub(super) likelihood: Arc<dyn Likelihood>,
    /// The level of codes that is nearest to the data.
    pub(super) bottom: Level,
    /// The one above it.
    pub(super) top: Option<Top>,
    /// β, the weight of ‖z − sg e‖².
    pub(super) commitment: f32,
    /// p(k) of the indices of a row.
    pub(super) prior: Arc<dyn IndexPrior>,
}

/// What the log calls the perplexity of each level and its vectors in use, from the data upwards.
const STATISTICS: [[&str; 2]; 2] = [["perplexity", "codes_used"], ["top_perplexity", "top_codes_used"]];

impl VqVae {
    /// Its levels, from the data upwards.
    pub(super) fn levels(&self) -> Vec<&Level> {
        [Some(&self.bottom), self.top.as_ref().map(|top| &top.level)].into_iter().flatten().collect()
    }

    /// Indices of a row, of all levels.
    pub(super) fn index_count(&self) -> usize {
        self.levels().into_iter().map(|level| level.index_grid().indices()).sum()
    }

    /// What becomes of rows with a weight each `[rows, 1]`, one of so many batches of an epoch, level by level from the data upwards.
    fn code<'g>(&self, rows: Rows<'g>, weights: Tensor<'g>, window: usize) -> Vec<Coded<'g>> {
        let Some(top) = &self.top else {
            return vec![self.bottom.code(self.networks.encode(rows), weights, window)];
        };
        let features = self.networks.hidden(rows);
        let above = top.level.code(top.encode(features), weights, window);
        let numbers = top.beneath(features, top.level.grid.together(above.quantised.through()));
        vec![self.bottom.code(numbers, weights, window), above]
    }

    /// What rows are quantised to, level by level from the data upwards.
    pub(super) fn coded<'g>(&self, rows: Rows<'g>) -> Vec<Coded<'g>> {
        self.code(rows, rows.x.graph().row_weights(rows.count()), 1)
    }

    /// Vectors of every level, as codes `[rows, latent]`.
    pub(super) fn together<'g>(&self, coded: &[Coded<'g>], vectors: impl Fn(&Coded<'g>) -> Tensor<'g>) -> Tensor<'g> {
        let each = self.levels().into_iter().zip(coded).map(|(level, coded)| level.grid.together(vectors(coded)));
        let each: Vec<Tensor> = each.collect();
        each[0].graph().concat(&each, 1)
    }

    /// The vectors of rows, as codes `[rows, latent]`.
    fn codes_of<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.together(&self.coded(rows), |coded| coded.quantised.vectors)
    }

    /// The decoder's outputs for codes `[rows, latent]`.
    pub(super) fn outputs<'g>(&self, codes: Tensor<'g>) -> Tensor<'g> {
        let seen = match &self.top {
            None => codes,
            Some(top) => {
                let (bottom, above) = (self.bottom.width(), top.level.width());
                let grown = top.grown(codes.slice(1, bottom, above));
                codes.graph().concat(&[codes.slice(1, 0, bottom), grown], 1)
            }
        };
        self.networks.decode(seen, None)
    }

    /// ln p(k) of the indices of rows `[rows, 1]`, the top's first and those below given these.
    pub(super) fn log_prior<'g>(&self, coded: &[Coded<'g>]) -> Tensor<'g> {
        let (mut above, mut total) = (None, None);
        for (level, coded) in self.levels().into_iter().zip(coded).rev() {
            let chosen = level.chosen_by_place(coded);
            total = Some(self.prior.log_prob(chosen, level.prior_level(above)).added_to(total));
            above = Some(Above { grid: level.index_grid(), chosen });
        }
        total.expect("there is a level")
    }

    /// The terms of a batch, and −ln p(k) of its rows `[rows, 1]`, which is the KL of a code that is certain.
    pub(super) fn terms_and_kl<'g>(&self, batch: &Batch<'g>) -> (Terms<'g>, Tensor<'g>) {
        let rows = batch.rows;
        let window = batch.count.div_ceil(rows.count());
        let coded = self.code(rows, batch.weights, window);
        let outputs = self.outputs(self.together(&coded, |coded| coded.quantised.through()));
        let reconstruction = -rows.log_likelihood(&*self.likelihood, outputs);
        let (mut loss, mut commitment, mut parts) = (reconstruction, None, vec![]);
        for (level, coded) in self.levels().into_iter().zip(&coded) {
            let Some(drawn) = coded.quantised.drawn else { continue };
            let of_level = level.over_rows(drawn.encodings);
            loss = loss + of_level * self.commitment;
            if let Some(vectors) = drawn.vectors {
                loss = loss + level.over_rows(vectors);
            }
            commitment = Some(of_level.added_to(commitment));
        }
        parts.extend(commitment.map(|commitment| ("commitment", commitment)));
        let kl = -self.log_prior(&coded);
        // A prior that learns does so beside all else: indices have no gradient.
        if self.prior.is_learnt() {
            loss = loss + kl;
        }
        let each = |t: Tensor<'g>| t.expand(&[rows.count(), 1]);
        for (Coded { encodings, quantised }, [perplexity, codes_used]) in coded.iter().zip(STATISTICS) {
            parts.push((perplexity, each(quantised.perplexity(encodings.weights))));
            parts.extend(quantised.used.map(|used| (codes_used, each(used))));
        }
        let mu = self.together(&coded, |coded| coded.quantised.vectors.detach());
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
        self.levels().into_iter().map(Level::width).sum()
    }

    fn mean<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.codes_of(rows)
    }

    fn draw<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        self.codes_of(rows).repeat_rows(samples)
    }

    fn variance<'g>(&self, rows: Rows<'g>) -> Option<Tensor<'g>> {
        Some(rows.x.graph().full(0.0, &[rows.count(), Encode::latent(self)]))
    }

    fn indices<'g>(&self, rows: Rows<'g>) -> Option<Tensor<'g>> {
        let coded = self.coded(rows);
        let each: Vec<Tensor> =
            self.levels().into_iter().zip(&coded).map(|(level, coded)| level.indices(coded)).collect();
        Some(rows.x.graph().concat(&each, 1))
    }
}

impl Decode for VqVae {
    fn mean<'g>(&self, z: Tensor<'g>, _: Option<Tensor<'g>>) -> Tensor<'g> {
        self.likelihood.mean(self.outputs(z))
    }

    fn variance<'g>(&self, z: Tensor<'g>, _: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        self.likelihood.variance(self.outputs(z))
    }

    fn draw<'g>(&self, z: Tensor<'g>, _: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        self.likelihood.sample(self.outputs(z))
    }
}

impl Reconstruct for VqVae {
    fn reconstruct<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        Decode::mean(self, self.codes_of(rows), None)
    }

    fn feature_losses<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        -rows.log_likelihoods(&*self.likelihood, self.outputs(self.codes_of(rows)))
    }
}
