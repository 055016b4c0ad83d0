//! β-TCVAE: the KL term taken apart, and only the total correlation of the dimensions weighted.
//!
//! The aggregate posterior q(z) = E_n\[q(z | n)\] over the N examples of the data set is estimated from a batch of M:
//! - minibatch-weighted sampling: q(z) ≈ Σ_j q(z | x_j)/(N·M) (equation S3);
//! - minibatch stratified sampling, unbiased in the batch: row i itself weighs 1/N, one other row (N − M + 1)/(N·(M − 1)),
//!   the rest 1/(M − 1) each (appendix C.2).

use std::sync::Arc;

use super::{Inference, Loss, Need, Objective};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::graph::Tensor;

/// E_q\[−ln p(x | z)\] + α·I(z; n) + β·TC(z) + γ·Σ_d KL(q(z_d) ‖ p(z_d)), times the scalar β of the warm-up.
#[derive(Clone, Copy, Debug)]
pub struct BetaTcvae {
    alpha: f32,
    beta: f32,
    gamma: f32,
    stratified: bool,
}

pub(super) static PIECE: Piece<dyn Objective> = Piece {
    about: About {
        kind: Kind::Objective,
        id: "beta-tcvae",
        aliases: &[],
        name: "beta-TCVAE: index-code mutual information, total correlation and dimension-wise KL, each weighted",
        formula: "−E_q[ln p(x|z)] + α I(z; n) + β TC(z) + γ Σ_d KL(q(z_d) ‖ p(z_d))",
        source: "Chen et al. 2018, equation 4, estimators of section 4.1 and appendix C",
        settings: &[
            Setting {
                name: "beta",
                default: Usual::Number(6.0),
                bounds: Bounds::NotNegative,
                meaning: "β, of the total correlation",
            },
            Setting {
                name: "alpha",
                default: Usual::Number(1.0),
                bounds: Bounds::NotNegative,
                meaning: "α, of the mutual information",
            },
            Setting {
                name: "gamma",
                default: Usual::Number(1.0),
                bounds: Bounds::NotNegative,
                meaning: "γ, of the dimension-wise KL",
            },
            Setting {
                name: "stratified",
                default: Usual::Number(0.0),
                bounds: Bounds::Whole(0, 1),
                meaning: "0: minibatch-weighted sampling, as in the paper's experiments; 1: minibatch stratified sampling",
            },
        ],
        example: "elbo train --objective beta-tcvae:beta=6",
    },
    build: |settings| {
        Arc::new(BetaTcvae {
            alpha: settings.get("alpha") as f32,
            beta: settings.get("beta") as f32,
            gamma: settings.get("gamma") as f32,
            stratified: settings.get("stratified") > 0.0,
        })
    },
};

/// What the logarithm of a weight of 0 is taken to be: e to it is 0, and nothing becomes infinite.
const LOG_OF_NOTHING: f32 = -1e9;

impl BetaTcvae {
    /// ln of the weight of row j's density at the code of row i. `[rows, rows]`
    fn log_weights<'g>(&self, inference: &Inference<'_, 'g>) -> Tensor<'g> {
        let graph = inference.z.graph();
        let shape = [inference.rows(); 2];
        let (i, j, live) = (graph.coordinate(0, &shape), graph.coordinate(1, &shape), graph.rows());
        let total = graph.constant(inference.count as f32);
        let weight = if self.stratified {
            let others = (live - 1.0).maximum(graph.constant(1.0));
            let next = (i + 1.0).less(live).select(i + 1.0, graph.constant(0.0));
            let (own, of_next) = (1.0 / total, (total - others) / (total * others));
            equal(i, j).select(own, equal(j, next).select(of_next, 1.0 / others))
        } else {
            1.0 / (total * live)
        };
        j.less(live).select(weight.ln(), graph.constant(LOG_OF_NOTHING))
    }
}

/// 1 where two whole numbers are the same, else 0.
fn equal<'g>(a: Tensor<'g>, b: Tensor<'g>) -> Tensor<'g> {
    let graph = a.graph();
    (a.less(b) + b.less(a)).select(graph.constant(0.0), graph.constant(1.0))
}

impl Objective for BetaTcvae {
    fn needs(&self) -> &'static [Need] {
        &[Need::FactorisedPosterior, Need::Pairs, Need::OneLayer]
    }

    fn couples_rows(&self) -> bool {
        true
    }

    fn loss<'g>(&self, inference: &Inference<'_, 'g>) -> Loss<'g> {
        let (rows, latent) = (inference.rows(), inference.latent());
        let outputs = inference.outputs.reshape(&[1, rows, inference.outputs.width()]);
        let pairs = inference.posterior.log_prob_per_dimension(outputs, inference.z.reshape(&[rows, 1, latent]));
        let pairs = pairs.expect("the posterior is a product over dimensions, which was checked");
        let log_weights = self.log_weights(inference);
        // ln q(z) and Σ_d ln q(z_d), each from all rows.
        let joint = (pairs.sum(&[2]).reshape(&[rows, rows]) + log_weights).log_sum_exp(&[1]);
        let marginals = (pairs + log_weights.reshape(&[rows, rows, 1])).log_sum_exp(&[1]);
        let marginals = marginals.reshape(&[rows, latent]).sum_rows();
        let information = inference.log_posterior - joint;
        let correlation = joint - marginals;
        let dimensions = marginals - inference.log_prior;
        let sum = information * self.alpha + correlation * self.beta + dimensions * self.gamma;
        Loss {
            rows: inference.reconstruction() + inference.weighted_by_beta(sum),
            parts: vec![
                ("mutual_information", information),
                ("total_correlation", correlation),
                ("dimension_wise_kl", dimensions),
            ],
            gradient_scale: None,
        }
    }
}
