// likelihood Bernoulli 128×784

// What changes from step to step, and one call's sizes. Mirrors `kernels::Step`; 128 bytes.
struct Immediates {
    seed: vec2<u32>,
    step: u32,
    slot: u32,
    rows: u32,
    epoch: u32,
    position: u32,
    row_offset: u32,
    s0: vec4<f32>,
    s1: vec4<f32>,
    d0: vec4<u32>,
    d1: vec4<u32>,
    d2: vec4<u32>,
    d3: vec4<u32>,
}
var<immediate> im: Immediates;
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
@group(0) @binding(0) var<storage, read> b0: array<f32>;
@group(0) @binding(1) var<storage, read> b1: array<f32>;
@group(0) @binding(2) var<storage, read_write> b2: array<f32>;
@group(0) @binding(3) var<storage, read_write> b3: array<f32>;
// A fused expression summed over the trailing dimensions: one workgroup per kept index. Each of 64 threads strides over
// the reduced points; their sums meet in a fixed tree, so the same adapter gives the same bits every time.
const LINE = 128u; // workgroups along x of the launch
const KEPT = 128u;

var<workgroup> tree0: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let point = group.x + group.y * LINE;
    if (point >= KEPT) {
        return;
    }
    let i0 = point;
    var fold0 = 0.0f;
    // The expression at every point r, and what becomes of it.
    for (var r = lane; r < 784u; r += 64u) {
        let i1 = r;
        let v0 = b0[i0 * 784u + i1];
        let v1 = b1[i0 * 784u + i1];
        let v2 = bernoulli_log_prob(v0, v1);
        let v3 = sigmoid(v0);
        let v4 = v3 - v1;
        let v5 = f32(i0 + 0u);
        let v6 = f32(im.rows);
        let v7 = select(0.0, 1.0, v5 < v6);
        let v8 = v7 / v6;
        let v9 = v8 * v4;
        b3[i0 * 784u + i1] = v9;
        fold0 += v2;
    }
    tree0[lane] = fold0;
    workgroupBarrier();
    for (var half = 32u; half > 0u; half /= 2u) {
        if (lane < half) {
            tree0[lane] += tree0[lane + half];
        }
        workgroupBarrier();
    }
    if (lane == 0u) {
        b2[i0] = tree0[0];
    }
}
