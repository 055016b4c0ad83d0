// Log-densities per element, from unconstrained outputs; CPU twins and formulas stand in `kernels::func`.

// ln Bernoulli(x; sigmoid(logit)), also for x between 0 and 1.
fn bernoulli_log_prob(logit: f32, x: f32) -> f32 {
    return x * logit - (max(logit, 0.0) + log(1.0 + exp(-abs(logit))));
}

// ln N(x; mu, exp(log_var)).
fn gaussian_log_prob(x: f32, mu: f32, log_var: f32) -> f32 {
    let d = x - mu;
    return -0.5 * (1.837877 + log_var + d * d * exp(-log_var));
}
