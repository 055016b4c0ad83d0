// gaussian sample and KL 128×20

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
// Philox4x32-10 and what is drawn from it: operation for operation what `kernels::random` does on the CPU.
// A draw is a function of (seed, stream, step, element); element e takes word e % 4 of block e / 4.

fn multiply_high(a: u32, b: u32) -> u32 {
    let al = a & 0xffffu;
    let ah = a >> 16u;
    let bl = b & 0xffffu;
    let bh = b >> 16u;
    let low = al * bl;
    let cross = ah * bl + (low >> 16u);
    let middle = al * bh + (cross & 0xffffu);
    return ah * bh + (cross >> 16u) + (middle >> 16u);
}

fn philox(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
    var c = counter;
    var k = key;
    for (var round = 0u; round < 10u; round += 1u) {
        c = vec4<u32>(
            multiply_high(0xCD9E8D57u, c.z) ^ c.y ^ k.x,
            0xCD9E8D57u * c.z,
            multiply_high(0xD2511F53u, c.x) ^ c.w ^ k.y,
            0xD2511F53u * c.x,
        );
        k += vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
    }
    return c;
}

// Uniforms strictly between 0 and 1: the centres of 2^23 equal cells, all of them exact in f32.
fn uniform4(stream: u32, block: u32) -> vec4<f32> {
    let words = philox(vec4<u32>(block, im.step, stream, 0u), im.seed);
    return (vec4<f32>(words >> vec4<u32>(9u)) + 0.5) * (1.0 / 8388608.0);
}

// ln x for normal positive x: WGSL's own is too loosely specified to sample with.
fn log_exact(x: f32) -> f32 {
    let shifted = bitcast<u32>(x) - 0x3f3504f3u;
    let exponent = f32(bitcast<i32>(shifted) >> 23u);
    let m = bitcast<f32>((shifted & 0x007fffffu) + 0x3f3504f3u) - 1.0;
    let z = m * m;
    var p = 7.0376836e-2;
    p = p * m - 1.151461e-1;
    p = p * m + 1.1676999e-1;
    p = p * m - 1.2420141e-1;
    p = p * m + 1.4249323e-1;
    p = p * m - 1.6668057e-1;
    p = p * m + 2.0000715e-1;
    p = p * m - 2.4999994e-1;
    p = p * m + 3.333333e-1;
    let tail = p * m * z - 2.1219444e-4 * exponent - 0.5 * z;
    return m + tail + 0.6933594 * exponent;
}

// (sin, cos) of 2 pi u for u in [0, 1].
fn sin_cos_turns(u: f32) -> vec2<f32> {
    let q = u * 4.0;
    let j = floor(q + 0.5);
    let r = (q - j) * 1.5707964;
    let z = r * r;
    let s = r + r * z * (-1.6666655e-1 + z * (8.332161e-3 + z * -1.9515296e-4));
    let c = 1.0 - 0.5 * z + z * z * (4.1666646e-2 + z * (-1.3887316e-3 + z * 2.4433157e-5));
    let quadrant = u32(j) & 3u;
    let swap = (quadrant & 1u) == 1u;
    let a = select(s, c, swap);
    let b = select(c, s, swap);
    return vec2<f32>(
        select(a, -a, (quadrant & 2u) == 2u),
        select(b, -b, quadrant == 1u || quadrant == 2u),
    );
}

// Four standard normals (Box and Muller).
fn normal4(stream: u32, block: u32) -> vec4<f32> {
    let u = uniform4(stream, block);
    let r = sqrt(-2.0 * vec2<f32>(log_exact(u.x), log_exact(u.z)));
    let a = sin_cos_turns(u.y);
    let b = sin_cos_turns(u.w);
    return vec4<f32>(r.x * a.y, r.x * a.x, r.y * b.y, r.y * b.x);
}

fn mix_bits(x: u32) -> u32 {
    var h = (x ^ (x >> 16u)) * 0x85EBCA6Bu;
    h = (h ^ (h >> 13u)) * 0xC2B2AE35u;
    return h ^ (h >> 16u);
}

// Which row of `count` stands at `position` of this part of this epoch: a Feistel network, walked until it lands inside.
fn shuffle(position: u32, count: u32, part: u32) -> u32 {
    let bits = 32u - countLeadingZeros(max(count, 4u) - 1u);
    let low_bits = bits / 2u;
    let low_mask = (1u << low_bits) - 1u;
    let high_mask = (1u << (bits - low_bits)) - 1u;
    let keys = philox(vec4<u32>(part, im.epoch, 0u, 1u), im.seed);
    var x = position;
    loop {
        var high = x >> low_bits;
        var low = x & low_mask;
        for (var round = 0u; round < 4u; round += 1u) {
            let key = keys[round] + round * 0x9E3779B9u;
            high ^= mix_bits(low ^ key) & high_mask;
            low ^= mix_bits(high + key) & low_mask;
        }
        x = (high << low_bits) | low;
        if (x < count) {
            break;
        }
    }
    return x;
}
// The reparameterised diagonal Gaussian and its KL divergence to the standard normal (Kingma and Welling 2014, eq. 10
// and appendix B), per latent dimension; CPU twins and formulas stand in `kernels::func`.

fn reparameterise(mu: f32, log_var: f32, eps: f32) -> f32 { return mu + exp(0.5 * log_var) * eps; }
fn reparameterise_grad_log_var(g: f32, log_var: f32, eps: f32) -> f32 { return 0.5 * g * exp(0.5 * log_var) * eps; }

fn kl_standard_normal(mu: f32, log_var: f32) -> f32 { return 0.5 * (mu * mu + exp(log_var) - 1.0 - log_var); }
fn kl_standard_normal_grad_log_var(g: f32, log_var: f32) -> f32 { return 0.5 * g * (exp(log_var) - 1.0); }
@group(0) @binding(0) var<storage, read> b0: array<f32>;
@group(0) @binding(1) var<storage, read_write> b1: array<f32>;
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
    for (var r = lane; r < 20u; r += 64u) {
        let i1 = r;
        let v0 = b0[i0 * 40u + i1];
        let v1 = b0[20u + i0 * 40u + i1];
        let v2 = normal4(1u, (i0 * 20u + i1 + im.row_offset * 20u) / 4u)[(i0 * 20u + i1 + im.row_offset * 20u) % 4u];
        let v3 = reparameterise(v0, v1, v2);
        let v4 = kl_standard_normal(v0, v1);
        b1[i0 * 20u + i1] = v3;
        b2[i0 * 20u + i1] = v2;
        fold0 += v4;
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
        b3[i0] = tree0[0];
    }
}
