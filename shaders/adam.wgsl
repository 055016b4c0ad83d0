// Adam over one flat buffer (Kingma and Ba 2015), four words at a time. Workgroup w owns the contiguous chunk w, updates
// it, and writes its part of the squared gradient norm; the tree over its threads is fixed. A gradient that is not finite
// (tested by bits: some compilers assume that there is none) leaves its element alone and pushes the sum beyond 1e38.
// d0: quads in all, quads of a chunk; d1 as f32: clip, beta1, beta2, epsilon. A negative scale: skip the whole update.
@group(0) @binding(0) var<storage, read_write> theta: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> first: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> second: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> partials: array<f32>;

var<workgroup> tree: array<f32, {{threads}}>;

@compute @workgroup_size({{threads}})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let beta1 = bitcast<f32>(im.d1.y);
    let beta2 = bitcast<f32>(im.d1.z);
    let epsilon = bitcast<f32>(im.d1.w);
    let scale = {{scale}};
    let start = group.x * im.d0.y;
    let end = min(start + im.d0.y, im.d0.x);
    var sum = 0.0;
    for (var i = start + lane; i < end; i += {{threads}}u) {
        let g = gradient[i];
        let bad = (bitcast<vec4<u32>>(g) & vec4<u32>(0x7f800000u)) == vec4<u32>(0x7f800000u);
        let raw = select(g, vec4<f32>(), bad);
        let scaled = raw * scale;
        let m0 = first[i];
        let v0 = second[i];
        let m = beta1 * m0 + (1.0 - beta1) * scaled;
        let v = beta2 * v0 + (1.0 - beta2) * scaled * scaled;
        let t0 = theta[i];
        let t = t0 - {{step_size}} * m / (sqrt(v) * {{correction}} + epsilon);
        let keep = bad | vec4<bool>(scale < 0.0);
        first[i] = select(m, m0, keep);
        second[i] = select(v, v0, keep);
        theta[i] = select(t, t0, keep);
        let squares = select(raw * raw, vec4<f32>(3e38), keep);
        sum += (squares.x + squares.y) + (squares.z + squares.w);
    }
    tree[lane] = sum;
    workgroupBarrier();
    for (var half = {{half}}; half > 0u; half /= 2u) {
        if (lane < half) {
            tree[lane] += tree[lane + half];
        }
        workgroupBarrier();
    }
    if (lane == 0u) {
        partials[group.x] = tree[0];
    }
}
