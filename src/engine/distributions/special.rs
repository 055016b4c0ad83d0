//! The gamma function's logarithm and its derivative, of which the constants of some densities are made.
//!
//! Both by recurrence up to 12 and the asymptotic series there (Abramowitz and Stegun 6.1.41 and 6.3.18).

/// ln 2π.
pub(super) const LN_TAU: f32 = 1.837_877;

/// From here on the series are exact to the last bits.
const LARGE: f64 = 12.0;

/// ln Γ(x) for x > 0.
pub(super) fn ln_gamma(mut x: f64) -> f64 {
    let mut below = 0.0;
    while x < LARGE {
        below += libm::log(x);
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series = (1.0 / 12.0 - y * (1.0 / 360.0 - y * (1.0 / 1260.0 - y * (1.0 / 1680.0 - y / 1188.0)))) / x;
    (x - 0.5) * libm::log(x) - x + 0.5 * libm::log(std::f64::consts::TAU) + series - below
}

/// ψ(x) = d ln Γ(x)/dx for x > 0.
pub(super) fn digamma(mut x: f64) -> f64 {
    let mut below = 0.0;
    while x < LARGE {
        below += 1.0 / x;
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series = y * (1.0 / 12.0 - y * (1.0 / 120.0 - y * (1.0 / 252.0 - y * (1.0 / 240.0 - y / 132.0))));
    libm::log(x) - 0.5 / x - series - below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12 * b.abs().max(1.0), "{a} is not {b}");
        close(ln_gamma(0.5), 0.5 * std::f64::consts::PI.ln());
        close(ln_gamma(1.0), 0.0);
        close(ln_gamma(6.0), 120.0_f64.ln());
        close(ln_gamma(30.0), (1..30).map(|k| f64::from(k).ln()).sum());
        let euler = 0.577_215_664_901_532_9;
        close(digamma(1.0), -euler);
        close(digamma(0.5), -euler - 2.0 * 2.0_f64.ln());
        close(digamma(20.0), (1..20).map(|k| 1.0 / f64::from(k)).sum::<f64>() - euler);
        assert!((digamma(3.0) - digamma(3.01)).abs() > 1e-3);
    }
}
