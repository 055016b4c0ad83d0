//! Likelihoods and the KL divergence: values and derivatives, written out.

use super::faults::Fault;
use super::settings::held;

/// p(x | z), of the number `a` that the decoder gives for each value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Density {
    /// x ~ Bernoulli(σ(a)).
    Bernoulli,
    /// x ~ N(a, σ²) with this σ.
    Gaussian(f64),
    /// None: (x − a)² stands for −ln p.
    SquaredError,
}

impl Density {
    /// −ln p(x | a) in nats, and its derivative in a.
    pub fn loss(self, x: f64, a: f64, fault: Option<Fault>) -> [f64; 2] {
        match self {
            // −x ln σ(a) − (1 − x) ln(1 − σ(a)) = ln(1 + eᵃ) − x a (Kingma and Welling 2014, appendix C.1).
            Density::Bernoulli => [a.max(0.0) + (-a.abs()).exp().ln_1p() - x * a, 1.0 / (1.0 + (-a).exp()) - x],
            // ½ ln 2πσ² + (x − a)²/2σ² (appendix C.2).
            Density::Gaussian(sigma) => {
                let sigma = if fault == Some(Fault::SigmaOff) { 1.0 } else { held(sigma) };
                let e = (x - a) / sigma;
                [0.5 * std::f64::consts::TAU.ln() + sigma.ln() + 0.5 * e * e, -e / sigma]
            }
            Density::SquaredError => {
                let share = if fault == Some(Fault::ErrorHalved) { 0.5 } else { 1.0 };
                [share * (x - a) * (x - a), -2.0 * share * (x - a)]
            }
        }
    }
}

/// KL(N(μ, σ²) ‖ N(0, 1)) = ½(μ² + σ² − 1 − ln σ²) (Kingma and Welling 2014, appendix B), and its derivatives in μ and in
/// ln σ².
pub fn kl(mu: f64, log_var: f64) -> [f64; 3] {
    let var = log_var.exp();
    [0.5 * (mu * mu + var - 1.0 - log_var), mu, 0.5 * (var - 1.0)]
}
