//! β-TCVAE: the KL term taken apart, and only the total correlation of the dimensions weighted.
//!
//! The aggregate posterior q(z) = E_n\[q(z | n)\] over the N examples of the data set is estimated from a batch of M:
//! - minibatch-weighted sampling: q(z) ≈ Σ_j q(z | x_j)/(N·M) (equation S3);
//! - minibatch stratified sampling, unbiased in the batch: row i itself weighs 1/N, one other row (N − M + 1)/(N·(M − 1)),
//!   the rest 1/(M − 1) each (appendix C.2).

use std::sync::Arc;

use super::{Inference, Loss, Need, Objective};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting};
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

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
                name: "beta", default: 6.0, bounds: Bounds::NotNegative, meaning: "β, of the total correlation"
            },
            Setting {
                name: "alpha",
                default: 1.0,
                bounds: Bounds::NotNegative,
                meaning: "α, of the mutual information",
            },
            Setting {
                name: "gamma",
                default: 1.0,
                bounds: Bounds::NotNegative,
                meaning: "γ, of the dimension-wise KL",
            },
            Setting {
                name: "stratified",
                default: 0.0,
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
    fn log_weights(&self, graph: &mut Graph, inference: &Inference) -> Tensor {
        let rows = inference.rows(graph);
        let shape = [rows, rows];
        let (i, j, live) = (graph.coordinate(0, &shape), graph.coordinate(1, &shape), graph.rows());
        let (total, one) = (graph.constant(inference.count as f32), graph.constant(1.0));
        let weight = if self.stratified {
            let others = graph.sub(live, one);
            let others = graph.call(Func::Max, &[others, one]);
            let next = graph.add(i, one);
            let past_end = graph.call(Func::Less, &[next, live]);
            let zero = graph.constant(0.0);
            let next = graph.call(Func::Select, &[past_end, next, zero]);
            let rest = graph.sub(total, others);
            let scale = graph.mul(total, others);
            let (first, second, third) = (graph.div(one, total), graph.div(rest, scale), graph.div(one, others));
            let is_next = equal(graph, j, next);
            let weight = graph.call(Func::Select, &[is_next, second, third]);
            let is_own = equal(graph, i, j);
            graph.call(Func::Select, &[is_own, first, weight])
        } else {
            let scale = graph.mul(total, live);
            graph.div(one, scale)
        };
        let log = graph.call(Func::Log, &[weight]);
        let is_live = graph.call(Func::Less, &[j, live]);
        let nothing = graph.constant(LOG_OF_NOTHING);
        graph.call(Func::Select, &[is_live, log, nothing])
    }
}

/// 1 where two whole numbers are the same, else 0.
fn equal(graph: &mut Graph, a: Tensor, b: Tensor) -> Tensor {
    let (below, above) = (graph.call(Func::Less, &[a, b]), graph.call(Func::Less, &[b, a]));
    let (zero, one) = (graph.constant(0.0), graph.constant(1.0));
    let different = graph.add(below, above);
    graph.call(Func::Select, &[different, zero, one])
}

impl Objective for BetaTcvae {
    fn needs(&self) -> &'static [Need] {
        &[Need::FactorisedPosterior, Need::Pairs, Need::OneLayer]
    }

    fn loss(&self, graph: &mut Graph, inference: &Inference) -> Loss {
        let (rows, latent) = (inference.rows(graph), inference.latent(graph));
        let width = graph.shape(inference.outputs)[1];
        let outputs = graph.reshape(inference.outputs, &[1, rows, width]);
        let z = graph.reshape(inference.z, &[rows, 1, latent]);
        let pairs = inference.posterior.log_prob_per_dimension(graph, outputs, z);
        let pairs = pairs.expect("the posterior is a product over dimensions, which was checked");
        let log_weights = self.log_weights(graph, inference);
        // ln q(z) and Σ_d ln q(z_d), each from all rows.
        let joint = graph.sum(pairs, &[2]);
        let joint = graph.reshape(joint, &[rows, rows]);
        let joint = graph.add(joint, log_weights);
        let joint = graph.log_sum_exp(joint, &[1]);
        let log_weights = graph.reshape(log_weights, &[rows, rows, 1]);
        let marginals = graph.add(pairs, log_weights);
        let marginals = graph.log_sum_exp(marginals, &[1]);
        let marginals = graph.reshape(marginals, &[rows, latent]);
        let marginals = graph.sum_rows(marginals);
        let (log_posterior, log_prior) = (inference.log_posterior, inference.log_prior);
        let information = graph.sub(log_posterior, joint);
        let correlation = graph.sub(joint, marginals);
        let dimensions = graph.sub(marginals, log_prior);
        let parts = [
            ("mutual_information", information, self.alpha),
            ("total_correlation", correlation, self.beta),
            ("dimension_wise_kl", dimensions, self.gamma),
        ];
        let weighted = parts.map(|(_, t, weight)| graph.scale(t, weight));
        let sum = graph.add(weighted[0], weighted[1]);
        let sum = graph.add(sum, weighted[2]);
        let sum = inference.weighted_by_beta(graph, sum);
        let reconstruction = inference.reconstruction(graph);
        Loss {
            rows: graph.add(reconstruction, sum),
            parts: parts.map(|(name, t, _)| (name, t)).to_vec(),
            reweigh: None,
        }
    }
}
