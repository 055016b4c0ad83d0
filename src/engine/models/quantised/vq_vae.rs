//! The model: an autoencoder whose encodings are vectors of a codebook.

use std::sync::Arc;

use super::book::Encodings;
use super::codebook::{Codebook, Quantised};
use super::grid::Grid;
use crate::distributions::{Likelihood, Measure};
use crate::graph::Tensor;
use crate::models::networks::Networks;
use crate::models::{Batch, Can, Condition, Decode, Encode, Model, Reconstruct, Rows, Terms, TrainingPlan};

/// An autoencoder of quantised codes.
#[derive(Clone, Debug)]
pub struct VqVae {
    pub(super) networks: Networks,
    pub(super) likelihood: Arc<dyn Likelihood>,
    pub(super) grid: Grid,
    pub(super) codebook: Codebook,
    /// β, the weight of ‖z − sg e‖².
    pub(super) commitment: f32,
}

/// What becomes of rows: the encodings that the encoder gives, and what the codebook makes of them.
struct Coded<'g> {
    encodings: Encodings<'g>,
    quantised: Quantised<'g>,
}

impl VqVae {
    /// Rows with a weight each `[rows, 1]`, one of so many batches of an epoch.
    fn code<'g>(&self, rows: Rows<'g>, weights: Tensor<'g>, window: usize) -> Coded<'g> {
        let (z, each) = (self.grid.apart(self.networks.encode(rows)), self.grid.encodings());
        let weights = (weights * (1.0 / each as f32)).repeat_rows(each);
        let encodings = Encodings { z, weights, each };
        Coded { encodings, quantised: self.codebook.quantise(encodings, window) }
    }

    /// The vectors of rows, as codes `[rows, latent]`.
    fn codes<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let weights = rows.x.graph().row_weights(rows.count());
        self.grid.together(self.code(rows, weights, 1).quantised.vectors)
    }

    /// Σ (a − b)² over the encodings of each row `[rows, 1]`.
    fn distance<'g>(&self, a: Tensor<'g>, b: Tensor<'g>) -> Tensor<'g> {
        let apart = (a - b).square();
        let rows = apart.shape()[0] / self.grid.encodings();
        apart.reshape(&[rows, apart.shape().iter().product::<usize>() / rows]).sum_rows()
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
        let rows = batch.rows;
        let window = batch.count.div_ceil(rows.count());
        let Coded { encodings: Encodings { z, weights, .. }, quantised } = self.code(rows, batch.weights, window);
        let Quantised { assignment, vectors, used } = quantised;
        let through = z + (vectors - z).detach();
        let outputs = self.networks.decode(self.grid.together(through), None);
        let reconstruction = -rows.log_likelihood(&*self.likelihood, outputs);
        let commitment = self.distance(z, vectors.detach());
        let drawn = self.distance(z.detach(), vectors);
        let loss = reconstruction + commitment * self.commitment;
        // By averages the vectors are state, and what draws them to encodings has no gradient.
        let loss = if self.codebook.is_descended() { loss + drawn } else { loss };
        let each = |t: Tensor<'g>| t.expand(&[rows.count(), 1]);
        let mut parts = vec![("commitment", commitment), ("perplexity", each(assignment.perplexity(weights)))];
        parts.extend(used.map(|used| ("codes_used", each(used))));
        let mu = self.grid.together(vectors.detach());
        // Of a code that is certain, under a prior by which all are as likely: ln K for each vector, whatever is learnt.
        let nats = self.grid.encodings() as f32 * libm::logf(self.codebook.codes as f32);
        let kl = Some(loss.graph().full(nats, loss.shape()));
        Terms { loss, reconstruction, kl, mu, parts, gradient_scale: None }
    }

    fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.terms(&Batch::whole(rows)).loss
    }

    fn scalar(&self, _: &str, _: f64) -> Option<f64> {
        None
    }

    fn can(&self) -> Can<'_> {
        Can {
            encode: Some(self),
            decode: Some(self),
            reconstruct: Some(self),
            generate: None,
            density: None,
            posterior: None,
            classify: None,
            fit_prior: None,
            compress: None,
        }
    }
}

impl Encode for VqVae {
    fn latent(&self) -> usize {
        self.networks.latent()
    }

    fn mean<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.codes(rows)
    }

    fn draw<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        self.codes(rows).repeat_rows(samples)
    }

    fn variance<'g>(&self, rows: Rows<'g>) -> Option<Tensor<'g>> {
        Some(rows.x.graph().full(0.0, &[rows.count(), self.networks.latent()]))
    }

    fn indices<'g>(&self, rows: Rows<'g>) -> Option<Tensor<'g>> {
        let weights = rows.x.graph().row_weights(rows.count());
        let index = self.code(rows, weights, 1).quantised.assignment.index;
        Some(index.reshape(&[rows.count(), self.grid.encodings()]))
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
        Decode::mean(self, self.codes(rows), None)
    }

    fn feature_losses<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        -rows.log_likelihoods(&*self.likelihood, self.networks.decode(self.codes(rows), None))
    }
}
