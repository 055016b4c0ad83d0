//! The classifier of M2 by itself: it learns q(y | x) from the labelled rows and looks at no others. What a semi-supervised
//! model is held against.

use std::sync::Arc;

use super::checks::check_unused;
use super::classifier_network::{ClassifierNetwork, cross_entropy, is_right, mean_in_every_row};
use super::{Batch, Can, Classify, Condition, Encode, LabelUse, Model, ModelEntry, Rows, Sizes, Terms, TrainingPlan};
use crate::catalogue::{About, Kind};
use crate::distributions::Measure;
use crate::graph::Tensor;
use crate::nn::{Activation, Mlp, Network};

/// The model `classifier`.
pub(super) static ENTRY: ModelEntry = ModelEntry {
    about: About {
        kind: Kind::Model,
        id: "classifier",
        aliases: &[],
        name: "the classifier of M2 alone, trained on the labelled rows: what M2 is held against",
        formula: "−ln q(y|x)",
        source: "Kingma et al. 2014, table 1",
        settings: &[],
        example: "elbo train --model classifier --data mnist --labels 100",
    },
    labels: LabelUse::Learnt,
    is_variational: false,
    layers: None,
    stands_on_vae: false,
    explains_gaps: false,
    quantises: false,
    training: None,
    build: |config, form| {
        let hidden = config.encoder_network(form.schema.shape(), form.condition)?;
        Ok(Box::new(Classifier::with_network(form.sizes(), hidden)))
    },
    check: |config, _, problems| check_unused(config, problems),
};

/// A classifier; its code is what its last hidden layer gives.
#[derive(Clone, Debug)]
pub struct Classifier {
    network: ClassifierNetwork,
}

impl Classifier {
    /// A classifier of rows of `features` values into `classes`, a multilayer perceptron of these widths.
    pub fn new(features: usize, classes: usize, hidden: &[usize], activation: Activation) -> Classifier {
        let hidden = Mlp::new(hidden.to_vec(), activation);
        Classifier::with_network(Sizes::vector(features, classes), Arc::new(hidden))
    }

    /// A classifier of rows into `sizes.condition` classes, with these hidden layers.
    pub fn with_network(sizes: Sizes, hidden: Arc<dyn Network>) -> Classifier {
        Classifier { network: ClassifierNetwork::new(sizes, hidden) }
    }

    /// The terms of labelled rows, told in each of `rows` rows where they are others.
    fn terms_of<'g>(&self, given: Rows<'g>, rows: Option<usize>) -> Terms<'g> {
        let log_probs = self.network.log_probs(given.input());
        let zero = given.x.graph().full(0.0, &[given.count(), 1]);
        let (loss, right) = match given.y {
            Some(y) => (cross_entropy(log_probs, y), is_right(log_probs, y)),
            None => (zero, zero),
        };
        let [loss, right] = match rows {
            Some(rows) => [loss, right].map(|t| mean_in_every_row(t, rows)),
            None => [loss, right],
        };
        let mu = self.network.hidden(given.input());
        let parts = if given.y.is_some() { vec![("accuracy", right)] } else { vec![] };
        Terms { loss, reconstruction: loss, kl: None, mu, parts, gradient_scale: None }
    }
}

impl Model for Classifier {
    fn features(&self) -> usize {
        self.network.features()
    }

    fn condition(&self) -> Condition {
        Condition::Inferred(self.network.classes())
    }

    fn measure(&self, _: bool) -> Measure {
        Measure::Labels
    }

    fn plan(&self) -> TrainingPlan<'_> {
        TrainingPlan::of_one_loss(self)
    }

    fn terms<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        match &batch.labelled {
            Some(labelled) => {
                let all = batch.rows;
                all.x.graph().beside_batch(|| self.terms_of(labelled.rows, Some(all.count())))
            }
            None => self.terms_of(batch.rows, None),
        }
    }

    /// How unsure it is: the entropy of q(y | x).
    fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let log_probs = self.network.log_probs(rows.x);
        cross_entropy(log_probs, log_probs.exp())
    }

    fn scalar(&self, _: &str, _: f64) -> Option<f64> {
        None
    }

    /// The labelled rows.
    fn examples(&self, batch: &Batch) -> usize {
        batch.labelled.map_or(batch.count, |labelled| labelled.count)
    }

    fn can(&self) -> Can<'_> {
        Can {
            encode: Some(self),
            decode: None,
            reconstruct: None,
            generate: None,
            density: None,
            posterior: None,
            classify: Some(self),
            fit_prior: None,
            compress: None,
        }
    }
}

impl Encode for Classifier {
    fn latent(&self) -> usize {
        self.network.width()
    }

    fn mean<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.network.hidden(rows.x)
    }

    fn draw<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        self.mean(rows).repeat_rows(samples)
    }

    fn variance<'g>(&self, rows: Rows<'g>) -> Option<Tensor<'g>> {
        Some(rows.x.graph().full(0.0, &[rows.count(), self.network.width()]))
    }
}

impl Classify for Classifier {
    fn probabilities<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        self.network.log_probs(x).exp()
    }
}
