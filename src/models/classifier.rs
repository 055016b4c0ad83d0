//! The classifier of M2 by itself: it learns q(y | x) from the labelled rows and looks at no others. What a semi-supervised
//! model is held against.

use super::labeller::{Labeller, cross_entropy, is_right, mean_in_every_row};
use super::{Batch, Model, Rows, Terms};
use crate::catalogue::{About, Kind};
use crate::distributions::Measure;
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;
use crate::nn::{Activation, ParameterSpec};

/// The model `classifier`.
pub(super) static ABOUT: About = About {
    kind: Kind::Model,
    id: "classifier",
    aliases: &[],
    name: "the classifier of M2 alone, trained on the labelled rows: what M2 is held against",
    formula: "−ln q(y|x)",
    source: "Kingma et al. 2014, table 1",
    settings: &[],
    example: "elbo train --model classifier --data mnist --labels 100",
};

/// A classifier; its code is what its last hidden layer gives.
#[derive(Clone, Debug)]
pub struct Classifier {
    labeller: Labeller,
}

impl Classifier {
    /// A classifier of rows of `features` values into `classes`, with hidden layers of these widths.
    pub fn new(features: usize, classes: usize, hidden: &[usize], activation: Activation) -> Classifier {
        Classifier { labeller: Labeller::new((features, classes), hidden, activation) }
    }

    /// The terms of labelled rows, told in each of `rows` rows where they are others.
    fn terms_of(&self, graph: &mut Graph, given: Rows, rows: Option<usize>) -> Terms {
        let log_probs = self.labeller.log_probs(graph, given.x);
        let zero = graph.full(0.0, &[graph.shape(log_probs)[0], 1]);
        let (loss, right) = match given.y {
            Some(y) => (cross_entropy(graph, log_probs, y), is_right(graph, log_probs, y)),
            None => (zero, zero),
        };
        let [loss, right] = match rows {
            Some(rows) => [loss, right].map(|t| mean_in_every_row(graph, t, rows)),
            None => [loss, right],
        };
        let mu = self.labeller.hidden_of(graph, given.x);
        let parts = if given.y.is_some() { vec![("accuracy", right)] } else { vec![] };
        Terms { loss, reconstruction: loss, kl: None, mu, parts, reweigh: None }
    }
}

impl Model for Classifier {
    fn features(&self) -> usize {
        self.labeller.features()
    }

    fn latent(&self) -> usize {
        self.labeller.hidden()
    }

    fn condition(&self) -> usize {
        self.labeller.classes()
    }

    fn infers_label(&self) -> bool {
        true
    }

    fn has_decoder(&self) -> bool {
        false
    }

    fn parameters(&self) -> Vec<ParameterSpec> {
        self.labeller.parameters()
    }

    fn measure(&self, _: bool) -> Measure {
        Measure::Labels
    }

    fn terms(&self, graph: &mut Graph, batch: &Batch) -> Terms {
        match &batch.labelled {
            Some(labelled) => {
                let rows = graph.shape(batch.rows.x)[0];
                self.terms_of(graph, labelled.rows, Some(rows))
            }
            None => self.terms_of(graph, batch.rows, None),
        }
    }

    fn score(&self, graph: &mut Graph, rows: Rows) -> Tensor {
        // How unsure it is: the entropy of q(y | x).
        let log_probs = self.labeller.log_probs(graph, rows.x);
        let probs = graph.call(Func::Exp, &[log_probs]);
        cross_entropy(graph, log_probs, probs)
    }

    fn log_weights(&self, _: &mut Graph, _: Rows, _: usize) -> Option<Tensor> {
        None
    }

    fn draw_code(&self, graph: &mut Graph, rows: Rows) -> Tensor {
        self.encode(graph, rows)
    }

    fn encode(&self, graph: &mut Graph, rows: Rows) -> Tensor {
        self.labeller.hidden_of(graph, rows.x)
    }

    fn decode(&self, graph: &mut Graph, z: Tensor, _: Option<Tensor>) -> Tensor {
        let rows = graph.shape(z)[0];
        graph.full(0.0, &[rows, self.features()])
    }

    fn prior_sample(&self, _: &mut Graph, _: usize) -> Option<Tensor> {
        None
    }

    fn classify(&self, graph: &mut Graph, x: Tensor) -> Tensor {
        let log_probs = self.labeller.log_probs(graph, x);
        graph.call(Func::Exp, &[log_probs])
    }
}
