//+ immediates, optimisers/point
// An optimiser over one flat buffer, four words at a time. Workgroup w owns the contiguous chunk w, moves it, and writes
// its part of the squared gradient norm; the tree over its threads is fixed. A gradient that is not finite (tested by bits:
// some compilers assume that there is none) leaves its element alone and pushes the sum beyond 1e38.
// d0: quads in all, quads of a chunk, and as f32 the squared norm above which nothing is moved; d1 as f32: clip, and the constants of the
// rule. A negative scale: a gradient is not finite, and nothing is moved either.
@group(0) @binding(0) var<storage, read_write> theta_: array<vec4<f32>>; //= bindings
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>; //= bindings
@group(0) @binding(2) var<storage, read_write> partials: array<f32>; //= bindings

const WORKGROUP = 256u;

var<workgroup> tree: array<f32, WORKGROUP>;

// The rule of the optimiser: where a point goes, given gradient, constants and the scalars of the step.
fn descend(at: Point, g: vec4<f32>, c: vec3<f32>, s: vec3<f32>) -> Point { return at; } //= rule

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let constants = bitcast<vec3<f32>>(im.d1.yzw);
    let scalars = vec3<f32>(); //= scalars
    let scale = 1.0; //= scale
    let skipped = false; //= skipped
    let start = group.x * im.d0.y;
    let end = min(start + im.d0.y, im.d0.x);
    var sum = 0.0;
    for (var i = start + lane; i < end; i += WORKGROUP) {
        let g = gradient[i];
        let bad = (bitcast<vec4<u32>>(g) & vec4<u32>(0x7f800000u)) == vec4<u32>(0x7f800000u);
        let raw = select(g, vec4<f32>(), bad);
        let before = Point(theta_[i], vec4<f32>(), vec4<f32>()); //= load
        let after = descend(before, raw * scale, constants, scalars);
        let lost = bad | vec4<bool>(scale < 0.0);
        let keep = lost | vec4<bool>(skipped);
        theta_[i] = select(after.theta, before.theta, keep); //= store
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
