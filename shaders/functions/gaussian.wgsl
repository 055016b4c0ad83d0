// The reparameterised diagonal Gaussian and its KL divergence to the standard normal (Kingma and Welling 2014, eq. 10
// and appendix B), per latent dimension; CPU twins and formulas stand in `kernels::func`.

fn reparameterise(mu: f32, log_var: f32, eps: f32) -> f32 { return mu + exp(0.5 * log_var) * eps; }
fn reparameterise_grad_log_var(g: f32, log_var: f32, eps: f32) -> f32 { return 0.5 * g * exp(0.5 * log_var) * eps; }

fn kl_standard_normal(mu: f32, log_var: f32) -> f32 { return 0.5 * (mu * mu + exp(log_var) - 1.0 - log_var); }
fn kl_standard_normal_grad_log_var(g: f32, log_var: f32) -> f32 { return 0.5 * g * (exp(log_var) - 1.0); }
