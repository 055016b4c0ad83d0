// optimiser adam, 652824

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
// Four parameters, and what an optimiser keeps of each: at most two numbers.
struct Point {
    theta: vec4<f32>,
    a: vec4<f32>,
    b: vec4<f32>,
}
// An optimiser over one flat buffer, four words at a time. Workgroup w owns the contiguous chunk w, moves it, and writes
// its part of the squared gradient norm; the tree over its threads is fixed. A gradient that is not finite (tested by bits:
// some compilers assume that there is none) leaves its element alone and pushes the sum beyond 1e38.
// d0: quads in all, quads of a chunk, and as f32 the squared norm above which nothing is moved; d1 as f32: clip, and the constants of the
// rule. A negative scale: a gradient is not finite, and nothing is moved either.
@group(0) @binding(0) var<storage, read_write> theta_: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> a_: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> b_: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> partials: array<f32>;

const WORKGROUP = 256u;

var<workgroup> tree: array<f32, WORKGROUP>;

// The rule of the optimiser: where a point goes, given gradient, constants and the scalars of the step.
// Adam. a: first moments, b: second moments; constants: beta1, beta2, epsilon; scalars: step size, correction.
fn descend(at: Point, g: vec4<f32>, c: vec3<f32>, s: vec3<f32>) -> Point {
    let m = c.x * at.a + (1.0 - c.x) * g;
    let v = c.y * at.b + (1.0 - c.y) * g * g;
    return Point(at.theta - s.x * m / (sqrt(v) * s.y + c.z), m, v);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let constants = bitcast<vec3<f32>>(im.d1.yzw);
    let scalars = vec3<f32>(im.s0[0], im.s1[2], 0.0);
    let scale = 1.0;
    let skipped = false;
    let start = group.x * im.d0.y;
    let end = min(start + im.d0.y, im.d0.x);
    var sum = 0.0;
    for (var i = start + lane; i < end; i += WORKGROUP) {
        let g = gradient[i];
        let bad = (bitcast<vec4<u32>>(g) & vec4<u32>(0x7f800000u)) == vec4<u32>(0x7f800000u);
        let raw = select(g, vec4<f32>(), bad);
        let before = Point(theta_[i], a_[i], b_[i]);
        let after = descend(before, raw * scale, constants, scalars);
        let lost = bad | vec4<bool>(scale < 0.0);
        let keep = lost | vec4<bool>(skipped);
        theta_[i] = select(after.theta, before.theta, keep);
        a_[i] = select(after.a, before.a, keep);
        b_[i] = select(after.b, before.b, keep);
        let squares = select(raw * raw, vec4<f32>(3e38), lost);
        sum += (squares.x + squares.y) + (squares.z + squares.w);
    }
    tree[lane] = sum;
    workgroupBarrier();
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        if (lane < half) {
            tree[lane] += tree[lane + half];
        }
        workgroupBarrier();
    }
    if (lane == 0u) {
        partials[group.x] = tree[0];
    }
}
