// The uniform distribution on [0, 1], tilted by e^(a x): its cumulant and its mean. Both cancel near a = 0, where their
// Taylor series stand instead. CPU twins and formulas stand in `kernels::func` and `kernels::special`.

// ln((e^a - 1) / a), the logarithm of the integral of e^(a x) over [0, 1].
fn uniform_cumulant(a: f32) -> f32 {
    let z = min(a * a, 1.0);
    let near = 0.5 * a + z * (0.041666668 + z * (-3.4722222e-4 + z * (5.5114637e-6 - z * 1.0333995e-7)));
    let t = max(abs(a), 1.0);
    let far = max(a, 0.0) + log((1.0 - exp(-t)) / t);
    return select(far, near, abs(a) < 1.0);
}

// Its derivative, 1 / (1 - e^-a) - 1 / a.
fn tilted_mean(a: f32) -> f32 {
    let z = min(a * a, 1.0);
    let slope = 0.083333336 + z * (-1.3888889e-3 + z * (3.3068783e-5 + z * (-8.2671957e-7 + z * 2.0876756e-8)));
    let t = max(abs(a), 1.0);
    let e = exp(-t);
    let far = select(1.0 / t - e / (1.0 - e), 1.0 / (1.0 - e) - 1.0 / t, a > 0.0);
    return select(far, 0.5 + a * slope, abs(a) < 1.0);
}

// g times the derivative of that, the variance 1 / a^2 - e^-a / (1 - e^-a)^2.
fn tilted_mean_grad(g: f32, a: f32) -> f32 {
    let z = min(a * a, 1.0);
    let near = 0.083333336 + z * (-4.166667e-3 + z * (1.6534392e-4 + z * (-5.787037e-6 + z * 1.878908e-7)));
    let t = max(abs(a), 1.0);
    let e = exp(-t);
    let far = 1.0 / (t * t) - e / ((1.0 - e) * (1.0 - e));
    return g * select(far, near, abs(a) < 1.0);
}
