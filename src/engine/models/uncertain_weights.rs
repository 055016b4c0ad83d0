//! A model whose weights are not known but for a distribution q(w): what is minimised of N rows is
//!
//! ```text
//! −ln p(rows) ≤ E_q(w)[Σ_n loss_n(w)] + KL(q(w) ‖ p(w))        (Blundell et al. 2015, equation 1)
//! ```
//!
//! so that each row bears KL/N, and an epoch the whole of it once. Training draws the weights once a step, all rows of a batch having them
//! in common. All else works by their means, which the parameters of the model hold.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::{Batch, Can, Condition, Losses, Model, Phase, Rows, Terms, TrainingPlan, example, minimises_one_loss};
use crate::distributions::{Measure, WeightDistribution};
use crate::error::{Error, Result};
use crate::graph::{Graph, NodeId, Tensor};

/// The statistic KL(q(w) ‖ p(w))/N, in nats per row.
pub const KL_WEIGHTS: &str = "kl_weights";

/// A model with a distribution of its weights.
#[derive(Debug)]
pub struct UncertainWeights {
    model: Box<dyn Model>,
    weights: Arc<dyn WeightDistribution>,
}

impl UncertainWeights {
    /// A model with this distribution of its weights; the model itself where all of them are points.
    ///
    /// # Errors
    /// If it minimises several losses, has none of the weights that the distribution is of, or layers that cannot draw them as it says.
    pub fn of(model: Box<dyn Model>, weights: Arc<dyn WeightDistribution>) -> Result<Box<dyn Model>> {
        if weights.is_point() {
            return Ok(model);
        }
        if !minimises_one_loss(&*model) {
            return Err(Error::invalid(
                "the weights of this model cannot have a distribution: its networks minimise losses against each other, and the KL of \
                 weights belongs to one; leave `network-weights` out",
            ));
        }
        let uncertain = UncertainWeights { model, weights };
        let graph = Graph::of_training();
        let (_, draws) =
            uncertain.drawn(&graph, || (uncertain.model.plan().phases[0].losses)(&example(&*uncertain.model, &graph)));
        if draws.is_empty() {
            return Err(Error::invalid(
                "this model has none of the weights that `network-weights` is about: give another scope, such as all",
            ));
        }
        if uncertain.weights.is_of_rows_alone() && !graph.all_draws_are_of_rows() {
            return Err(Error::invalid(
                "the noise `local` is drawn for what dense layers give, and this model has weights of others: convolutions, in which the outputs of \
                 a row share weights and are not independent, or normalisation. Leave `noise` out, or give another scope",
            ));
        }
        Ok(Box::new(uncertain))
    }

    /// Does `work` with weights that are drawn, but for those that are frozen; gives the KL of each parameter besides, `[1, 1]`.
    fn drawn<'g, T>(&self, graph: &'g Graph, work: impl FnOnce() -> T) -> (T, Vec<Tensor<'g>>) {
        let found: Rc<RefCell<Vec<NodeId>>> = Rc::default();
        let (weights, kl) = (self.weights.clone(), found.clone());
        let out = graph.transform_parameters(move |name, mean| drawn_parameter(&*weights, &kl, name, mean), work);
        let draws = found.borrow().iter().map(|id| graph.tensor(*id)).collect();
        (out, draws)
    }

    /// What a phase makes of a batch with weights that are drawn.
    fn losses<'g>(&self, batch: &Batch<'g>, of: impl FnOnce(&Batch<'g>) -> Losses<'g>) -> Losses<'g> {
        let (Losses { mut losses, mut statistics }, draws) = self.drawn(batch.rows.x.graph(), || of(batch));
        let total = draws.into_iter().reduce(|all, kl| all + kl).expect("some weights are drawn, which was checked");
        let of_row = total * (1.0 / self.model.examples(batch) as f32);
        let of_rows = of_row.expand(&[batch.rows.count(), 1]);
        losses[0].loss = losses[0].loss + of_rows;
        // The first statistic is the loss itself.
        statistics[0].1 = losses[0].loss;
        statistics.push((KL_WEIGHTS, of_rows));
        Losses { losses, statistics }
    }
}

fn drawn_parameter<'g>(
    weights: &dyn WeightDistribution,
    kl: &RefCell<Vec<NodeId>>,
    name: &str,
    mean: Tensor<'g>,
) -> Tensor<'g> {
    let is_trained = mean.graph().is_trained(name);
    let Some(draw) = is_trained.then(|| weights.draw(name, mean)).flatten() else { return mean };
    kl.borrow_mut().push(draw.kl.id());
    if let Some(around) = draw.around {
        mean.graph().is_around(draw.weights, around);
    }
    draw.weights
}

impl Model for UncertainWeights {
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
        let TrainingPlan { groups, phases } = self.model.plan();
        let drawn = |Phase { name, every, after, losses }| Phase {
            every,
            after,
            ..Phase::new(name, move |batch| self.losses(batch, &losses))
        };
        TrainingPlan { groups, phases: phases.into_iter().map(drawn).collect() }
    }

    fn terms<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        self.model.terms(batch)
    }

    fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.model.score(rows)
    }

    fn scalar(&self, name: &str, epochs: f64) -> Option<f64> {
        self.model.scalar(name, epochs)
    }

    fn couples_rows(&self) -> Option<String> {
        self.model.couples_rows()
    }

    fn examples(&self, batch: &Batch) -> usize {
        self.model.examples(batch)
    }

    fn weights(&self) -> Option<&dyn WeightDistribution> {
        Some(&*self.weights)
    }

    fn can(&self) -> Can<'_> {
        self.model.can()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::SquaredError;
    use crate::distributions::weights::{GaussianWeights, Noise, SPREAD, Scope, WeightPrior};
    use crate::graph::eval::{Values, evaluate};
    use crate::models::{Autoencoder, Classifier, Labelled, parameters};
    use crate::nn::Activation;

    const SIGMA: f32 = 0.5;

    fn gaussian(scope: Scope) -> Arc<dyn WeightDistribution> {
        Arc::new(GaussianWeights {
            scope,
            prior: WeightPrior::Gaussian { sigma: SIGMA },
            start: 0.1,
            noise: Noise::Shared,
        })
    }

    fn autoencoder() -> Box<dyn Model> {
        Box::new(Autoencoder::new(3, 2, (&[4], &[4]), Activation::Tanh, Arc::new(SquaredError)))
    }

    fn started(model: &dyn Model) -> Values {
        let mut values = Values::default();
        for (place, spec) in parameters(model).into_iter().enumerate() {
            let start = spec.start(3, place).into_iter().map(f64::from).collect();
            values.tensors.insert(spec.name, start);
        }
        values.tensors.insert("x".into(), vec![0.2, -0.7, 0.4, 1.0, 0.1, -0.3]);
        values.tensors.insert("y".into(), vec![1.0, 0.0, 0.0, 1.0]);
        (values.step.rows, values.step.seed) = (2, [5, 0]);
        values
    }

    /// What training is told of two rows of a data set, by the name of the statistic.
    fn told(
        model: &dyn Model,
        values: &Values,
        batch: impl for<'g> Fn(&Batch<'g>) -> Batch<'g>,
    ) -> Vec<(&'static str, f64)> {
        let graph = Graph::of_training();
        let found = (model.plan().phases[0].losses)(&batch(&example(model, &graph)));
        let (names, tensors): (Vec<_>, Vec<_>) = found.statistics.into_iter().unzip();
        let minimised = found.losses[0].loss;
        let all = evaluate(values, &[tensors, vec![minimised]].concat());
        assert_eq!(all[0], all[all.len() - 1], "what is minimised is what is told as the loss");
        assert!(all.iter().all(|list| list.len() == 2));
        names.into_iter().zip(all).map(|(name, list)| (name, list[1])).collect()
    }

    fn of(told: &[(&'static str, f64)], name: &str) -> f64 {
        told.iter().find(|known| known.0 == name).unwrap().1
    }

    /// The KL of all weights by hand.
    fn kl(values: &Values) -> f64 {
        let spreads = values.tensors.iter().filter_map(|(name, rho)| Some((name.strip_suffix(SPREAD)?, rho)));
        let sigma = f64::from(SIGMA);
        let one = |mean: f64, rho: f64| {
            let q = rho.exp().ln_1p();
            (sigma / q).ln() + (q * q + mean * mean) / (2.0 * sigma * sigma) - 0.5
        };
        spreads.map(|(name, rho)| values.tensors[name].iter().zip(rho).map(|(m, r)| one(*m, *r)).sum::<f64>()).sum()
    }

    #[test]
    fn each_row_bears_its_share_of_the_kl_of_an_epoch() {
        let model = UncertainWeights::of(autoencoder(), gaussian(Scope::All)).unwrap();
        let values = started(&*model);
        let found = told(&*model, &values, |batch| Batch { count: 70, ..*batch });
        let share = kl(&values) / 70.0;
        assert!(share > 0.1 && (of(&found, KL_WEIGHTS) - share).abs() < 1e-6, "{found:?}, {share}");
        assert!((of(&found, "loss") - of(&found, "reconstruction") - share).abs() < 1e-6, "{found:?}");
        // Counted once a batch of two, it would be another number.
        assert!((of(&found, KL_WEIGHTS) - kl(&values) / 2.0).abs() > 1.0);
    }

    #[test]
    fn a_classifier_learns_from_labelled_rows_alone() {
        let classifier = Box::new(Classifier::new(3, 2, &[4], Activation::Tanh));
        let model = UncertainWeights::of(classifier, gaussian(Scope::Encoder)).unwrap();
        let values = started(&*model);
        let found = told(&*model, &values, |batch| Batch {
            count: 70,
            labelled: Some(Labelled { rows: batch.rows, count: 9 }),
            ..*batch
        });
        assert!((of(&found, KL_WEIGHTS) - kl(&values) / 9.0).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn training_draws_and_all_else_works_by_the_means() {
        let (plain, model) = (autoencoder(), UncertainWeights::of(autoencoder(), gaussian(Scope::Decoder)).unwrap());
        let mut values = started(&*model);
        let terms =
            |model: &dyn Model, graph: &Graph| evaluate(&values.clone(), &[model.terms(&example(model, graph)).loss]);
        assert_eq!(terms(&*model, &Graph::new()), terms(&*plain, &Graph::new()));
        let by_means = terms(&*plain, &Graph::new())[0][1];
        let first = of(&told(&*model, &values, |batch| *batch), "reconstruction");
        assert!((first - by_means).abs() > 1e-3, "{first}, {by_means}");
        // Another step is another draw.
        values.step.step = 1;
        assert!((of(&told(&*model, &values, |batch| *batch), "reconstruction") - first).abs() > 1e-3);
        // Only the decoder's weights have a spread.
        assert!(parameters(&*model).iter().all(|p| !p.name.ends_with(SPREAD) || p.name.starts_with("decoder.")));
    }

    #[test]
    fn what_is_frozen_is_not_drawn() {
        let model = UncertainWeights { model: autoencoder(), weights: gaussian(Scope::All) };
        let graph = Graph::of_training();
        let is_frozen = |name: &str| name.starts_with("encoder.");
        let (_, draws) =
            graph.freeze(is_frozen, || model.drawn(&graph, || model.model.terms(&example(&model, &graph))));
        let names: Vec<String> = graph.parameters().into_iter().map(|p| p.name).collect();
        let spreads = names.iter().filter(|name| name.ends_with(SPREAD)).count();
        // Weight and bias of the code's layer and of both of the decoder's.
        assert_eq!((spreads, draws.len()), (6, 6), "{names:?}");
        assert!(names.iter().all(|name| !(name.starts_with("encoder.") && name.ends_with(SPREAD))));
    }

    #[test]
    fn what_has_no_such_weights_is_refused() {
        let classifier = Box::new(Classifier::new(3, 2, &[4], Activation::Tanh));
        let refused = UncertainWeights::of(classifier, gaussian(Scope::Decoder)).unwrap_err().to_string();
        assert!(refused.contains("none of the weights that `network-weights` is about"), "{refused}");
    }

    /// Two networks that each minimise a loss of their own.
    #[derive(Debug)]
    struct Apart(Box<dyn Model>);

    impl Model for Apart {
        fn features(&self) -> usize {
            self.0.features()
        }

        fn condition(&self) -> Condition {
            self.0.condition()
        }

        fn measure(&self, black_and_white: bool) -> Measure {
            self.0.measure(black_and_white)
        }

        fn plan(&self) -> TrainingPlan<'_> {
            let TrainingPlan { groups, mut phases } = self.0.plan();
            phases.extend(self.0.plan().phases);
            TrainingPlan { groups, phases }
        }

        fn terms<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
            self.0.terms(batch)
        }

        fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
            self.0.score(rows)
        }

        fn scalar(&self, _: &str, _: f64) -> Option<f64> {
            None
        }

        fn can(&self) -> Can<'_> {
            self.0.can()
        }
    }

    #[test]
    fn losses_against_each_other_are_refused() {
        let refused =
            UncertainWeights::of(Box::new(Apart(autoencoder())), gaussian(Scope::All)).unwrap_err().to_string();
        assert!(refused.contains("minimise losses against each other"), "{refused}");
    }
}
