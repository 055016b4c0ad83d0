//! Diagonal Gaussians as the layers of a stack pass them up and down: means and logarithms of variances, `[rows, width]`.
//!
//! Two of them about one variable, an estimate N(μ̂, σ̂²) from the data and a prior N(μ_p, σ_p²) from the layer above, merge by
//! their precisions (Sønderby et al. 2016, section 2):
//!
//! σ⁻² = σ̂⁻² + σ_p⁻², μ = (μ̂ σ̂⁻² + μ_p σ_p⁻²) σ².
//!
//! With the gap g = ln σ_p² − ln σ̂² that is μ = μ_p + sigmoid(g)·(μ̂ − μ_p) and ln σ² = ln σ_p² − softplus(g), which overflows
//! nowhere.

use crate::distributions::DiagonalGaussian;
use crate::graph::Tensor;
use crate::kernels::Func;

/// N(μ, diag σ²) of each row.
#[derive(Clone, Copy, Debug)]
pub struct Moments<'g> {
    /// μ `[rows, width]`.
    pub mu: Tensor<'g>,
    /// ln σ² `[rows, width]`.
    pub log_var: Tensor<'g>,
}

/// ln σ² is kept in this range before anything takes its exponential: σ between 0.0025 and 150. Priors that are learnt from
/// layer to layer would otherwise become so narrow that one code beside them gives a gradient beyond all numbers; the layers
/// are free to choose the scale of their codes.
const LOG_VAR: (f32, f32) = (-12.0, 10.0);

impl<'g> Moments<'g> {
    /// What a network's outputs `[rows, 2·width]` mean: the first half are the means, the second ln σ².
    pub fn split(outputs: Tensor<'g>) -> Moments<'g> {
        let [mu, log_var] = DiagonalGaussian.split(outputs);
        Moments { mu, log_var: log_var.clamp(LOG_VAR.0, LOG_VAR.1) }
    }

    /// The estimate `self` merged with a prior: the product of both densities, normalised.
    pub fn merge(self, prior: Moments<'g>) -> Moments<'g> {
        let gap = prior.log_var - self.log_var;
        Moments { mu: prior.mu + gap.sigmoid() * (self.mu - prior.mu), log_var: prior.log_var - gap.softplus() }
    }

    /// ln N(z; μ, σ²) per dimension, in nats `[rows, width]`.
    pub fn log_prob(self, z: Tensor<'g>) -> Tensor<'g> {
        z.graph().call(Func::GaussianLogProb, &[z, self.mu, self.log_var])
    }

    /// KL(self ‖ prior) per dimension, in nats `[rows, width]`: that to N(0, I) of what is left when the prior's moments are
    /// taken out.
    pub fn kl(self, prior: Moments<'g>) -> Tensor<'g> {
        let Moments { mu, log_var } = self.relative_to(prior);
        mu.graph().call(Func::KlStandardNormal, &[mu, log_var])
    }

    /// The codes that lie so many deviations from the mean. `[rows, width]`
    pub fn at(self, relative: Tensor<'g>) -> Tensor<'g> {
        self.mu + (self.log_var * 0.5).exp() * relative
    }

    /// How many deviations from the mean codes lie, the inverse of [`Moments::at`]. `[rows, width]`
    pub fn relative(self, z: Tensor<'g>) -> Tensor<'g> {
        (z - self.mu) * (self.log_var * -0.5).exp()
    }

    /// Means relative to a prior's, (μ − μ_p)/σ_p, and likewise σ²/σ_p².
    pub fn relative_to(self, prior: Moments<'g>) -> Moments<'g> {
        Moments { mu: prior.relative(self.mu), log_var: self.log_var - prior.log_var }
    }

    /// Means, and behind them standard deviations `[rows, 2·width]`.
    pub fn behind_each_other(self) -> Tensor<'g> {
        self.mu.graph().concat(&[self.mu, (self.log_var * 0.5).exp()], 1)
    }
}
