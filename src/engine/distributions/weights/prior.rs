//! How weights are spread before anything is seen, and how far a Gaussian is from that.

use crate::graph::Tensor;

/// p(w), the same for every weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WeightPrior {
    /// N(0, σ²).
    Gaussian {
        /// σ.
        sigma: f32,
    },
    /// π N(0, σ₁²) + (1 − π) N(0, σ₂²) (Blundell et al. 2015, equation 7).
    ScaleMixture {
        /// π.
        share: f32,
        /// σ₁.
        sigma: f32,
        /// σ₂.
        narrow: f32,
    },
}

/// ln √(2π).
const LOG_ROOT_2_PI: f32 = 0.918_938_5;

impl WeightPrior {
    /// KL(N(μ, σ²) ‖ p) of every weight, in nats. For the Gaussian in closed form; for the mixture −H(q) − ln p(w) with the entropy
    /// H(q) = ln σ + ½ ln 2πe in closed form and the cross-entropy at the draw w, which has the gradient of ln q(w) − ln p(w) and less
    /// noise. All are of one shape.
    pub fn kl<'g>(self, mean: Tensor<'g>, deviation: Tensor<'g>, draw: Tensor<'g>) -> Tensor<'g> {
        match self {
            WeightPrior::Gaussian { sigma } => {
                let squares = (mean.square() + deviation.square()) * (0.5 / (sigma * sigma));
                squares - deviation.ln() + (libm::logf(sigma) - 0.5)
            }
            WeightPrior::ScaleMixture { .. } => -(deviation.ln() + (LOG_ROOT_2_PI + 0.5)) - self.log_prob(draw),
        }
    }

    /// ln p(w) of every weight, in nats.
    pub fn log_prob(self, draw: Tensor) -> Tensor {
        let squares = draw.square();
        // ln π N(w; 0, σ²).
        let component = |share: f32, sigma: f32| {
            let constant = libm::logf(share) - libm::logf(sigma) - LOG_ROOT_2_PI;
            constant - squares * (0.5 / (sigma * sigma))
        };
        match self {
            WeightPrior::Gaussian { sigma } => component(1.0, sigma),
            WeightPrior::ScaleMixture { share, sigma, narrow } => {
                let (wide, narrow) = (component(share, sigma), component(1.0 - share, narrow));
                // ln(eᵃ + eᵇ) = a + ln(1 + eᵇ⁻ᵃ).
                wide + (narrow - wide).softplus()
            }
        }
    }
}
