// The logarithm of the beta function and its gradient, for positive arguments; CPU twins and formulas stand in
// `kernels::func` and `kernels::special`.

// What Stirling's formula lacks: ln Gamma(z) - (z - 1/2) ln z + z - ln(2 pi) / 2. Below 3 by the recurrence from z + 3.
fn stirling_rest(z: f32) -> f32 {
    let low = min(z, 3.0);
    let high = low + 3.0;
    let ratio = high * high * high / (low * (low + 1.0) * (low + 2.0));
    let lift = (low - 0.5) * log(high / low) + log(ratio) - 3.0;
    let r = 1.0 / select(z, high, z < 3.0);
    let s = r * r;
    let series = r * (0.083333336 + s * (-2.7777778e-3 + s * (7.936508e-4 - s * 5.952381e-4)));
    return series + select(0.0, lift, z < 3.0);
}

// ln(1 - p) for p in [0, 1/2], by the series of the inverse hyperbolic tangent: exact in proportion, also near 0.
fn log_rest(p: f32) -> f32 {
    let v = p / (2.0 - p);
    let w = v * v;
    let tail = 0.14285715 + w * (0.11111111 + w * (0.09090909 + w * (0.07692308 + w * 0.06666667)));
    return -2.0 * v * (1.0 + w * (0.33333334 + w * (0.2 + w * tail)));
}

// ln B(a, b) by Stirling's formula with its rest, in which nothing as large as ln Gamma(a + b) is cancelled.
fn log_beta(a: f32, b: f32) -> f32 {
    let least = min(a, b);
    let most = max(a, b);
    let n = least + most;
    let p = least / n;
    let rests = stirling_rest(least) + stirling_rest(most) - stirling_rest(n);
    return (least - 0.5) * log(p) + (most - 0.5) * log_rest(p) - 0.5 * log(n) + 0.9189385 + rests;
}

// What the asymptotic series of the digamma function lacks of ln(z + 4).
fn digamma_rest(z: f32) -> f32 {
    let r = 1.0 / (z + 4.0);
    let s = r * r;
    let series = -0.5 * r - s * (0.083333336 - s * (8.333334e-3 - s * 3.968254e-3));
    return series - 1.0 / z - 1.0 / (z + 1.0) - 1.0 / (z + 2.0) - 1.0 / (z + 3.0);
}

// g times the derivative of ln B(a, b) in a, psi(a) - psi(a + b).
fn log_beta_grad(g: f32, a: f32, b: f32) -> f32 {
    let n = a + b;
    return g * (log((a + 4.0) / (n + 4.0)) + digamma_rest(a) - digamma_rest(n));
}
