// Activations and their derivatives; CPU twins and formulas stand in `kernels::func`.
// A `_grad` takes the upstream gradient g and either the output y (where the derivative follows from it) or the input x.

fn relu(x: f32) -> f32 { return max(x, 0.0); }
fn relu_grad(g: f32, y: f32) -> f32 { return select(0.0, g, y > 0.0); }

fn leaky_relu(x: f32) -> f32 { return select(x, 0.01 * x, x < 0.0); }
fn leaky_relu_grad(g: f32, y: f32) -> f32 { return select(0.01 * g, g, y > 0.0); }

fn elu(x: f32) -> f32 { return select(exp(min(x, 0.0)) - 1.0, x, x > 0.0); }
fn elu_grad(g: f32, y: f32) -> f32 { return select(g * (y + 1.0), g, y > 0.0); }

// exp overflows to infinity for large negative x on every device, and 1 / infinity is 0; the clamp keeps fast-math honest.
fn sigmoid(x: f32) -> f32 { return 1.0 / (1.0 + exp(min(-x, 88.0))); }
fn sigmoid_grad(g: f32, y: f32) -> f32 { return g * y * (1.0 - y); }

fn silu(x: f32) -> f32 { return x * sigmoid(x); }
fn silu_grad(g: f32, x: f32) -> f32 {
    let s = sigmoid(x);
    return g * s * (1.0 + x * (1.0 - s));
}

// Some drivers overflow tanh far from 0; at +-9, f32 has reached +-1.
fn tanh_clamped(x: f32) -> f32 { return tanh(clamp(x, -9.0, 9.0)); }
fn tanh_grad(g: f32, y: f32) -> f32 { return g * (1.0 - y * y); }

fn softplus(x: f32) -> f32 { return max(x, 0.0) + log(1.0 + exp(-abs(x))); }
fn softplus_grad(g: f32, x: f32) -> f32 { return g * sigmoid(x); }

// The error function (Abramowitz and Stegun 7.1.26, absolute error below 7e-7).
fn erf(x: f32) -> f32 {
    let a = abs(x);
    let t = 1.0 / (1.0 + 0.3275911 * a);
    let p = t * (0.2548296 + t * (-0.28449674 + t * (1.4214138 + t * (-1.4531521 + t * 1.0614054))));
    let y = 1.0 - p * exp(-a * a);
    return select(y, -y, x < 0.0);
}
fn normal_cdf(x: f32) -> f32 { return 0.5 * (1.0 + erf(x * 0.70710677)); }

fn gelu(x: f32) -> f32 { return x * normal_cdf(x); }
fn gelu_grad(g: f32, x: f32) -> f32 { return g * (normal_cdf(x) + x * 0.3989423 * exp(-0.5 * x * x)); }
