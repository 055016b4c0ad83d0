//! Rows beside what a decoder says of codes: the likelihood of what was observed of them.

use super::Rows;
use crate::distributions::{Likelihood, MissingModel};
use crate::graph::Tensor;

/// What a decoder says of the values of rows, of some codes of each.
#[derive(Clone, Copy, Debug)]
pub struct Decoded<'g> {
    /// s_j ln p(x_j | z), in nats, s_j being 1 for a value that was observed and 0 for one that was not, and ln p(s_j | x) where why values
    /// are missing is modelled: of one code of each row `[rows, features]`, of several `[rows, codes, features]`.
    pub log_likelihoods: Tensor<'g>,
    /// What is made of the values that were not observed, where why they are missing is modelled.
    pub explained: Option<Explained<'g>>,
}

/// Rows whose missing values were drawn, for a mechanism to say how likely it is that those are missing (Ipsen, Mattei & Frellsen 2021,
/// equation 8).
#[derive(Clone, Copy, Debug)]
pub struct Explained<'g> {
    /// The values, those that were not observed drawn from p(x | z) `[rows·codes, features]`.
    pub filled: Tensor<'g>,
    /// ln p(s | x) of which values were observed, in nats `[rows, codes]`.
    pub log_mask: Tensor<'g>,
}

impl<'g> Rows<'g> {
    /// Of each of so many codes of every row, ln p(x | z) of the values that were observed: Σ_j m_j ln p(x_j | z), which is what
    /// is left of p(x | z) once the other values are integrated out (Mattei & Frellsen 2019, equation 3). Of values that a likelihood
    /// [takes together](Likelihood::together), all count or none. `outputs` are those
    /// of the decoder, `[rows·codes, …]`. `[rows, codes]`
    pub fn log_likelihood(&self, likelihood: &dyn Likelihood, outputs: Tensor<'g>) -> Tensor<'g> {
        self.decoded(likelihood, outputs).log_likelihood()
    }

    /// The terms of [`Rows::log_likelihood`], see [`Decoded::log_likelihoods`].
    pub fn log_likelihoods(&self, likelihood: &dyn Likelihood, outputs: Tensor<'g>) -> Tensor<'g> {
        self.decoded(likelihood, outputs).log_likelihoods
    }

    /// What a decoder's outputs `[rows·codes, …]` say of rows. Where why values are missing is modelled, those are drawn.
    pub fn decoded(&self, likelihood: &dyn Likelihood, outputs: Tensor<'g>) -> Decoded<'g> {
        let [rows, features] = self.x.dims();
        let codes = outputs.shape()[0] / rows;
        // Beside several codes of a row, its values stand once.
        let beside = |t: Tensor<'g>| if codes > 1 { t.reshape(&[rows, 1, features]) } else { t };
        let of_row = if codes > 1 { outputs.reshape(&[rows, codes, outputs.width()]) } else { outputs };
        let log_probs = likelihood.log_prob(of_row, beside(self.x));
        let observed = self.observed.map(|observed| wholly(observed, likelihood.together()));
        let log_likelihoods = observed.map_or(log_probs, |observed| log_probs * beside(observed));
        let Some(missing) = likelihood.missing() else { return Decoded { log_likelihoods, explained: None } };
        let filled = self.filled(likelihood, outputs);
        let log_masks = missing.log_mask(filled, self.observed.map(|observed| observed.repeat_rows(codes)));
        let log_mask = log_masks.sum_rows().reshape(&[rows, codes]);
        let log_likelihoods = log_likelihoods + log_masks.reshape(log_likelihoods.shape());
        Decoded { log_likelihoods, explained: Some(Explained { filled, log_mask }) }
    }

    /// The values of rows, as often as there are codes, those that were not observed drawn from p(x | z). `[rows·codes, features]`
    fn filled(&self, likelihood: &dyn Likelihood, outputs: Tensor<'g>) -> Tensor<'g> {
        let codes = outputs.shape()[0] / self.count();
        let Some(observed) = self.observed else { return self.x.repeat_rows(codes) };
        let drawn = likelihood.sample(outputs).expect("a likelihood that draws was asked for");
        observed.repeat_rows(codes).select(self.x.repeat_rows(codes), drawn)
    }
}

/// Of features that are taken together, so many each, 1 where all are observed and 0 where one is not: what one that is not known says of the others
/// is not known either. `[rows, features]`
fn wholly(observed: Tensor, together: usize) -> Tensor {
    if together == 1 {
        return observed;
    }
    let [rows, features] = observed.dims();
    let each = observed.reshape(&[rows, features / together, together]);
    let all = (0..together).map(|i| each.slice(2, i, 1)).reduce(|a, b| a * b).expect("there is a feature");
    all.expand(&[rows, features / together, together]).reshape(&[rows, features])
}

impl<'g> Decoded<'g> {
    /// The sum over the values of a row, in nats `[rows, codes]`.
    pub fn log_likelihood(&self) -> Tensor<'g> {
        let shape = self.log_likelihoods.shape();
        let codes = if shape.len() == 3 { shape[1] } else { 1 };
        self.log_likelihoods.sum_rows().reshape(&[shape[0], codes])
    }
}

impl<'g> Explained<'g> {
    /// What a code says of the values of its row: of columns that the mechanism is about what was drawn, which the weight of the code is
    /// of; else what is expected, `means`. `[rows·codes, features]`
    pub fn values(&self, missing: &MissingModel, means: Tensor<'g>) -> Tensor<'g> {
        missing.numbers_or(self.filled, means)
    }
}
