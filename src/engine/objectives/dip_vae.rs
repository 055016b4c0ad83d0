//! DIP-VAE: the covariance of the aggregate posterior is drawn towards the identity.

use std::sync::Arc;

use super::{Inference, Loss, Need, Objective};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Settings, Usual};
use crate::graph::Tensor;

/// −ELBO + λ_od·Σ_{i≠j} C_ij² + λ_d·Σ_i (C_ii − 1)², with C = Cov\[μ(x)\] (I) or C = E\[σ²(x)\] + Cov\[μ(x)\] (II), of the
/// batch.
#[derive(Clone, Copy, Debug)]
pub struct DipVae {
    off_diagonal: f32,
    diagonal: f32,
    with_variance: bool,
}

const fn settings(diagonal: f64) -> [Setting; 2] {
    [
        Setting {
            name: "off-diagonal",
            default: Usual::Number(10.0),
            bounds: Bounds::NotNegative,
            meaning: "λ_od, of the squared covariances",
        },
        Setting {
            name: "diagonal",
            default: Usual::Number(diagonal),
            bounds: Bounds::NotNegative,
            meaning: "λ_d, of the variances' squared distances from 1",
        },
    ]
}

pub(super) static DIP_VAE_I: Piece<dyn Objective> = Piece {
    about: About {
        kind: Kind::Objective,
        id: "dip-vae-i",
        aliases: &[],
        name: "DIP-VAE I: uncorrelated posterior means",
        formula: "−ELBO + λ_od Σ_{i≠j} C_ij² + λ_d Σ_i (C_ii − 1)², C = Cov[μ(x)]",
        source: "Kumar, Sattigeri & Balakrishnan 2018, equation 6",
        settings: &settings(100.0),
        example: "elbo train --objective dip-vae-i:off-diagonal=10,diagonal=100",
    },
    build: |s| Arc::new(build(s, false)),
};

pub(super) static DIP_VAE_II: Piece<dyn Objective> = Piece {
    about: About {
        kind: Kind::Objective,
        id: "dip-vae-ii",
        aliases: &[],
        name: "DIP-VAE II: an uncorrelated aggregate posterior",
        formula: "−ELBO + λ_od Σ_{i≠j} C_ij² + λ_d Σ_i (C_ii − 1)², C = E[σ²(x)] + Cov[μ(x)]",
        source: "Kumar, Sattigeri & Balakrishnan 2018, equation 7",
        settings: &settings(10.0),
        example: "elbo train --objective dip-vae-ii:off-diagonal=10,diagonal=10",
    },
    build: |s| Arc::new(build(s, true)),
};

fn build(settings: &Settings, with_variance: bool) -> DipVae {
    DipVae {
        off_diagonal: settings.get("off-diagonal") as f32,
        diagonal: settings.get("diagonal") as f32,
        with_variance,
    }
}

impl DipVae {
    /// Σ_i w_i (μ_i − μ̄)(μ_i − μ̄)ᵀ over the live rows `[latent, latent]`.
    fn covariance<'g>(inference: &Inference<'_, 'g>) -> Tensor<'g> {
        let mu = inference.mu();
        let centred = mu - inference.batch_mean(mu);
        centred.t().matmul(centred * inference.weights)
    }
}

impl Objective for DipVae {
    fn needs(&self) -> &'static [Need] {
        &[Need::FactorisedPosterior, Need::Pairs, Need::OneLayer]
    }

    fn couples_rows(&self) -> bool {
        true
    }

    fn loss<'g>(&self, inference: &Inference<'_, 'g>) -> Loss<'g> {
        let (graph, shape) = (inference.z.graph(), [inference.latent(); 2]);
        let mut covariance = DipVae::covariance(inference);
        let (i, j) = (graph.coordinate(0, &shape), graph.coordinate(1, &shape));
        let off = i.less(j) + j.less(i);
        if self.with_variance {
            let variance = inference.posterior.variance(inference.outputs);
            let variance = variance.expect("the posterior is a product over dimensions, which was checked");
            covariance = off.select(covariance, covariance + inference.batch_mean(variance));
        }
        let (outside, inside) = (covariance.square() * self.off_diagonal, (covariance - 1.0).square() * self.diagonal);
        let penalty = inference.in_every_row(off.select(outside, inside).sum(&[0, 1]));
        let bound = inference.reconstruction() + inference.weighted_by_beta(inference.kl_of_rows());
        Loss { rows: bound + penalty, parts: vec![("covariance_penalty", penalty)], gradient_scale: None }
    }
}
