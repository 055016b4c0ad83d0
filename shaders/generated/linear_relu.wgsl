// matmul 128×400×784 NT Bias(Some(Relu))

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
@group(0) @binding(2) var<storage, read> b2: array<f32>;
@group(0) @binding(3) var<storage, read_write> b3: array<f32>;
fn initial(col: u32) -> f32 {
    return b2[col];
}
fn epilogue(row: u32, col: u32, acc: f32) {
    let v0 = acc;
    let v1 = b2[col];
    let v2 = acc;
    let v3 = relu(v2);
    b3[row * im.d0.y + col] = v3;
}

@group(0) @binding(0) var<storage, read> b0: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b1: array<vec4<f32>>;

// One product: every workgroup makes a tile of it.
const WORKGROUP = 128u;

// Which tile of C a workgroup makes. Tiles are numbered along the rows of C; where there are more of them than one dimension of
// a launch takes, their numbers go on in the second.
fn tile_at(workgroup: vec3<u32>, tiles: vec2<u32>) -> vec2<u32> {
    let count = tiles.x * tiles.y;
    let lines = (count + 65534u) / 65535u;
    let number = workgroup.x + workgroup.y * ((count + lines - 1u) / lines);
    return vec2<u32>(number % tiles.x, number / tiles.x);
}

// C = A B for GPUs: tiles of A and B in workgroup memory, micro-tiles of C in registers.
//
// A workgroup owns TILE_M x TILE_N results and walks the sum TILE_K at a time: the next tiles are fetched into registers
// while the present ones, in workgroup memory, are multiplied. A thread owns MICRO_M x MICRO_N results, in groups of four rows
// and four columns that stand apart, so that neighbouring threads read neighbouring vec4s. Small tiles have SLICES threads for
// each micro-tile, every one with its share of k: skinny products fill a GPU that way, and the shares are added in a fixed order.
const TILE_M = 16u;
const TILE_N = 16u;
const TILE_K = 64u;
const MICRO_M = 4u;
const MICRO_N = 4u;
const SLICES = 8u;
const ACROSS = TILE_N / MICRO_N; // threads
const DOWN = TILE_M / MICRO_M;
const THREADS = ACROSS * DOWN * SLICES;
const A_BLOCKS = TILE_M * TILE_K / 16u; // of 4x4
const B_BLOCKS = TILE_N * TILE_K / 16u;
// [k, m / 4] and [k, n / 4]; one vec4 of padding keeps the transposing writes off one bank.
const A_PITCH = TILE_M / 4u + 1u;
const B_PITCH = TILE_N / 4u + 1u;
var<workgroup> a_tile: array<vec4<f32>, TILE_K * A_PITCH>;
var<workgroup> b_tile: array<vec4<f32>, TILE_K * B_PITCH>;
// One operand of a matrix product, read in 4x4 blocks. It is written for `a`; for `b`, the names begin with b. Its index along
// the result is i (a row of C for `a`, a column for `b`), its index along the sum is k. Out-of-range indices are clamped, never
// read past: what they bring is a valid element, and whoever multiplies takes care that it counts for nothing.

// The operand, at four offsets that follow one another (or repeat the last valid one).
fn a_quad(at: vec4<u32>) -> vec4<f32> {
    return b0[at.x / 4u];
}

// [4 i, 4 k]: result[p][q] is the element (i + p, k + q).
fn a_block(i: u32, k: u32) -> mat4x4<f32> {
    let extent = im.d0.x;
    let offset = im.d0.w;
    let stride = im.d1.x;
    let along_k = true;
    let rows = min(i + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(extent - 1u));
    let ks = min(k + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(im.d0.z - 1u));
    if (along_k) {
        // Neighbours along k stand side by side in memory.
        let at = offset + rows * stride;
        return mat4x4<f32>(a_quad(at.x + ks), a_quad(at.y + ks), a_quad(at.z + ks), a_quad(at.w + ks));
    }
    // Neighbours along i stand side by side in memory.
    let at = offset + ks * stride;
    return transpose(mat4x4<f32>(a_quad(at.x + rows), a_quad(at.y + rows), a_quad(at.z + rows), a_quad(at.w + rows)));
}

// The same with zeros where k + q is past the end of the sum.
fn a_block_or_zero(i: u32, k: u32) -> mat4x4<f32> {
    let block = a_block(i, k);
    let inside = k + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(im.d0.z);
    let zero = vec4<f32>();
    return mat4x4<f32>(select(zero, block[0], inside), select(zero, block[1], inside), select(zero, block[2], inside), select(zero, block[3], inside));
}

// One operand of a matrix product, read in 4x4 blocks. It is written for `a`; for `b`, the names begin with b. Its index along
// the result is i (a row of C for `a`, a column for `b`), its index along the sum is k. Out-of-range indices are clamped, never
// read past: what they bring is a valid element, and whoever multiplies takes care that it counts for nothing.

// The operand, at four offsets that follow one another (or repeat the last valid one).
fn b_quad(at: vec4<u32>) -> vec4<f32> {
    return b1[at.x / 4u];
}

// [4 i, 4 k]: result[p][q] is the element (i + p, k + q).
fn b_block(i: u32, k: u32) -> mat4x4<f32> {
    let extent = im.d0.y;
    let offset = im.d1.y;
    let stride = im.d1.z;
    let along_k = true;
    let rows = min(i + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(extent - 1u));
    let ks = min(k + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(im.d0.z - 1u));
    if (along_k) {
        // Neighbours along k stand side by side in memory.
        let at = offset + rows * stride;
        return mat4x4<f32>(b_quad(at.x + ks), b_quad(at.y + ks), b_quad(at.z + ks), b_quad(at.w + ks));
    }
    // Neighbours along i stand side by side in memory.
    let at = offset + ks * stride;
    return transpose(mat4x4<f32>(b_quad(at.x + rows), b_quad(at.y + rows), b_quad(at.z + rows), b_quad(at.w + rows)));
}

// The same with zeros where k + q is past the end of the sum.
fn b_block_or_zero(i: u32, k: u32) -> mat4x4<f32> {
    let block = b_block(i, k);
    let inside = k + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(im.d0.z);
    let zero = vec4<f32>();
    return mat4x4<f32>(select(zero, block[0], inside), select(zero, block[1], inside), select(zero, block[2], inside), select(zero, block[3], inside));
}

// Whether neighbours along k stand side by side in memory.
const A_ALONG_K = true;
const B_ALONG_K = true;
// Adds the shares of the slices, in their order; every thread of the workgroup must call it.
var<workgroup> partial: array<vec4<f32>, THREADS>;

fn add_slices(thread: u32, own: vec4<f32>) -> vec4<f32> {
    workgroupBarrier();
    partial[thread] = own;
    workgroupBarrier();
    var sum = own;
    if (thread < ACROSS * DOWN) {
        for (var slice = 1u; slice < SLICES; slice += 1u) {
            sum += partial[thread + slice * ACROSS * DOWN];
        }
    }
    return sum;
}

// Where block number `id` of a tile stands: (group of four i, group of four k). Neighbouring threads read along memory.
fn place(id: u32, i_groups: u32, along_k: bool) -> vec2<u32> {
    if (along_k) {
        return vec2<u32>(id / (TILE_K / 4u), id % (TILE_K / 4u));
    }
    return vec2<u32>(id % i_groups, id / i_groups);
}

// Block `id` of the tiles of A and B at (i0, j0, k): those of A come first. [4 i, 4 k].
fn fetch(id: u32, i0: u32, j0: u32, k: u32) -> mat4x4<f32> {
    if (id < A_BLOCKS) {
        let at = place(id, TILE_M / 4u, A_ALONG_K) * 4u;
        return a_block_or_zero(i0 + at.x, k + at.y);
    }
    if (id >= A_BLOCKS + B_BLOCKS) {
        return mat4x4<f32>(); // more threads than blocks
    }
    let at = place(id - A_BLOCKS, TILE_N / 4u, B_ALONG_K) * 4u;
    return b_block(j0 + at.x, k + at.y);
}

// Puts a fetched block where the multiplication reads it.
fn put(id: u32, block: mat4x4<f32>) {
    let by_k = transpose(block);
    if (id < A_BLOCKS) {
        let at = place(id, TILE_M / 4u, A_ALONG_K);
        let first = at.y * 4u * A_PITCH + at.x;
        a_tile[first] = by_k[0];
        a_tile[first + A_PITCH] = by_k[1];
        a_tile[first + 2u * A_PITCH] = by_k[2];
        a_tile[first + 3u * A_PITCH] = by_k[3];
    } else if (id < A_BLOCKS + B_BLOCKS) {
        let at = place(id - A_BLOCKS, TILE_N / 4u, B_ALONG_K);
        let first = at.y * 4u * B_PITCH + at.x;
        b_tile[first] = by_k[0];
        b_tile[first + B_PITCH] = by_k[1];
        b_tile[first + 2u * B_PITCH] = by_k[2];
        b_tile[first + 3u * B_PITCH] = by_k[3];
    }
}

fn deliver(i: u32, j: u32, value: f32) {
    if (j < im.d0.y) {
        epilogue(i, j, value);
    }
}

fn product(workgroup: vec3<u32>, thread: u32) {
    let tile = tile_at(workgroup, (im.d0.yx + vec2<u32>(TILE_N, TILE_M) - 1u) / vec2<u32>(TILE_N, TILE_M));
    let i0 = tile.y * TILE_M;
    let j0 = tile.x * TILE_N;
    let slice = thread / (ACROSS * DOWN);
    let down = thread % (ACROSS * DOWN) / ACROSS;
    let across = thread % ACROSS;
    // One for every row and group of columns.
    let start0 = select(vec4<f32>(), vec4<f32>(initial(min(j0 + (across + 0u * ACROSS) * 4u + 0u, im.d0.y - 1u)), initial(min(j0 + (across + 0u * ACROSS) * 4u + 1u, im.d0.y - 1u)), initial(min(j0 + (across + 0u * ACROSS) * 4u + 2u, im.d0.y - 1u)), initial(min(j0 + (across + 0u * ACROSS) * 4u + 3u, im.d0.y - 1u))), slice == 0u);
    var c0_0 = start0;
    var c1_0 = start0;
    var c2_0 = start0;
    var c3_0 = start0;
    // One for every block that a thread brings.
    var staged0 = fetch(thread, i0, j0, 0u);
    for (var k0 = 0u; k0 < im.d0.z; k0 += TILE_K) {
        workgroupBarrier();
        put(thread, staged0);
        workgroupBarrier();
        if (k0 + TILE_K < im.d0.z) {
            staged0 = fetch(thread, i0, j0, k0 + TILE_K);
        }
        for (var k = slice; k < TILE_K; k += SLICES) {
            let x0 = a_tile[k * A_PITCH + down + 0u * DOWN];
            let y0 = b_tile[k * B_PITCH + across + 0u * ACROSS];
            c0_0 = fma(vec4<f32>(x0.x), y0, c0_0);
            c1_0 = fma(vec4<f32>(x0.y), y0, c1_0);
            c2_0 = fma(vec4<f32>(x0.z), y0, c2_0);
            c3_0 = fma(vec4<f32>(x0.w), y0, c3_0);
        }
    }
    c0_0 = add_slices(thread, c0_0);
    c1_0 = add_slices(thread, c1_0);
    c2_0 = add_slices(thread, c2_0);
    c3_0 = add_slices(thread, c3_0);
    // A loop, not a copy of the epilogue for every row, which some drivers are slow to compile.
    for (var r = 0u; r < MICRO_M; r += 1u) {
        let i = i0 + (down + r / 4u * DOWN) * 4u + r % 4u;
        if (slice == 0u && i < im.d0.x) {
            var c_0 = vec4<f32>();
            switch r {
                case 0u: { c_0 = c0_0; }
                case 1u: { c_0 = c1_0; }
                case 2u: { c_0 = c2_0; }
                case 3u: { c_0 = c3_0; }
                default: {}
            }
            deliver(i, j0 + (across + 0u * ACROSS) * 4u + 0u, c_0.x);
            deliver(i, j0 + (across + 0u * ACROSS) * 4u + 1u, c_0.y);
            deliver(i, j0 + (across + 0u * ACROSS) * 4u + 2u, c_0.z);
            deliver(i, j0 + (across + 0u * ACROSS) * 4u + 3u, c_0.w);
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    product(workgroup, lane);
}
