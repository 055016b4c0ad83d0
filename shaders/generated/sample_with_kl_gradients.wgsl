// gaussian gradients of sample and KL 128×20

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
// The reparameterised diagonal Gaussian and its KL divergence to the standard normal (Kingma and Welling 2014, eq. 10
// and appendix B), per latent dimension; CPU twins and formulas stand in `kernels::func`.

fn reparameterise(mu: f32, log_var: f32, eps: f32) -> f32 { return mu + exp(0.5 * log_var) * eps; }
fn reparameterise_grad_log_var(g: f32, log_var: f32, eps: f32) -> f32 { return 0.5 * g * exp(0.5 * log_var) * eps; }

fn kl_standard_normal(mu: f32, log_var: f32) -> f32 { return 0.5 * (mu * mu + exp(log_var) - 1.0 - log_var); }
fn kl_standard_normal_grad_log_var(g: f32, log_var: f32) -> f32 { return 0.5 * g * (exp(log_var) - 1.0); }
@group(0) @binding(0) var<storage, read> b0: array<f32>;
@group(0) @binding(1) var<storage, read> b1: array<f32>;
@group(0) @binding(2) var<storage, read> b2: array<f32>;
@group(0) @binding(3) var<storage, read_write> b3: array<f32>;
// A fused elementwise expression: one thread per point, or per four consecutive points of the last dimension.
// The host writes the body: indices i0, i1, … from the linear `point`, the expression, the stores.
const LINE = 640u; // threads along x of the launch
const POINTS = 2560u;
const UNROLL = 4u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let point = (id.x + id.y * LINE) * UNROLL;
    if (point >= POINTS) {
        return;
    }
    let i0 = point / 20u;
    let i1 = (point) % 20u;
    let v0_0 = b0[i0 * 40u + i1];
    let v1_0 = b0[20u + i0 * 40u + i1];
    let v2_0 = b1[i0 * 20u + i1];
    let v3_0 = b2[i0 * 20u + i1];
    let v4_0 = f32(i0 + 0u);
    let v5_0 = f32(im.rows);
    let v6_0 = select(0.0, 1.0, v4_0 < v5_0);
    let v7_0 = v6_0 / v5_0;
    let v8_0 = im.s0[2];
    let v9_0 = v7_0 * v8_0;
    let v10_0 = v9_0 * v0_0;
    let v11_0 = v2_0 + v10_0;
    let v12_0 = reparameterise_grad_log_var(v2_0, v1_0, v3_0);
    let v13_0 = kl_standard_normal_grad_log_var(v9_0, v1_0);
    let v14_0 = v12_0 + v13_0;
    b3[i0 * 40u + i1] = v11_0;
    b3[20u + i0 * 40u + i1] = v14_0;
    let v0_1 = b0[i0 * 40u + (i1 + 1u)];
    let v1_1 = b0[20u + i0 * 40u + (i1 + 1u)];
    let v2_1 = b1[i0 * 20u + (i1 + 1u)];
    let v3_1 = b2[i0 * 20u + (i1 + 1u)];
    let v4_1 = f32(i0 + 0u);
    let v5_1 = f32(im.rows);
    let v6_1 = select(0.0, 1.0, v4_1 < v5_1);
    let v7_1 = v6_1 / v5_1;
    let v8_1 = im.s0[2];
    let v9_1 = v7_1 * v8_1;
    let v10_1 = v9_1 * v0_1;
    let v11_1 = v2_1 + v10_1;
    let v12_1 = reparameterise_grad_log_var(v2_1, v1_1, v3_1);
    let v13_1 = kl_standard_normal_grad_log_var(v9_1, v1_1);
    let v14_1 = v12_1 + v13_1;
    b3[i0 * 40u + (i1 + 1u)] = v11_1;
    b3[20u + i0 * 40u + (i1 + 1u)] = v14_1;
    let v0_2 = b0[i0 * 40u + (i1 + 2u)];
    let v1_2 = b0[20u + i0 * 40u + (i1 + 2u)];
    let v2_2 = b1[i0 * 20u + (i1 + 2u)];
    let v3_2 = b2[i0 * 20u + (i1 + 2u)];
    let v4_2 = f32(i0 + 0u);
    let v5_2 = f32(im.rows);
    let v6_2 = select(0.0, 1.0, v4_2 < v5_2);
    let v7_2 = v6_2 / v5_2;
    let v8_2 = im.s0[2];
    let v9_2 = v7_2 * v8_2;
    let v10_2 = v9_2 * v0_2;
    let v11_2 = v2_2 + v10_2;
    let v12_2 = reparameterise_grad_log_var(v2_2, v1_2, v3_2);
    let v13_2 = kl_standard_normal_grad_log_var(v9_2, v1_2);
    let v14_2 = v12_2 + v13_2;
    b3[i0 * 40u + (i1 + 2u)] = v11_2;
    b3[20u + i0 * 40u + (i1 + 2u)] = v14_2;
    let v0_3 = b0[i0 * 40u + (i1 + 3u)];
    let v1_3 = b0[20u + i0 * 40u + (i1 + 3u)];
    let v2_3 = b1[i0 * 20u + (i1 + 3u)];
    let v3_3 = b2[i0 * 20u + (i1 + 3u)];
    let v4_3 = f32(i0 + 0u);
    let v5_3 = f32(im.rows);
    let v6_3 = select(0.0, 1.0, v4_3 < v5_3);
    let v7_3 = v6_3 / v5_3;
    let v8_3 = im.s0[2];
    let v9_3 = v7_3 * v8_3;
    let v10_3 = v9_3 * v0_3;
    let v11_3 = v2_3 + v10_3;
    let v12_3 = reparameterise_grad_log_var(v2_3, v1_3, v3_3);
    let v13_3 = kl_standard_normal_grad_log_var(v9_3, v1_3);
    let v14_3 = v12_3 + v13_3;
    b3[i0 * 40u + (i1 + 3u)] = v11_3;
    b3[20u + i0 * 40u + (i1 + 3u)] = v14_3;
}
