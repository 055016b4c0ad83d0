// An optimiser over one flat buffer, four words at a time. Workgroup w owns the contiguous chunk w, moves it, and writes
// its part of the squared gradient norm; the tree over its threads is fixed. A gradient that is not finite (tested by bits:
// some compilers assume that there is none) leaves its element alone and pushes the sum beyond 1e38.
// d0: quads in all, quads of a chunk; d1 as f32: clip, and the constants of the rule `descend`, which stands above, as do
// the bindings. A negative scale: skip the whole update.

var<workgroup> tree: array<f32, {{threads}}>;

@compute @workgroup_size({{threads}})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let constants = bitcast<vec3<f32>>(im.d1.yzw);
    let scalars = vec3<f32>({{scalars}});
    let scale = {{scale}};
    let start = group.x * im.d0.y;
    let end = min(start + im.d0.y, im.d0.x);
    var sum = 0.0;
    for (var i = start + lane; i < end; i += {{threads}}u) {
        let g = gradient[i];
        let bad = (bitcast<vec4<u32>>(g) & vec4<u32>(0x7f800000u)) == vec4<u32>(0x7f800000u);
        let raw = select(g, vec4<f32>(), bad);
        let before = Point({{load}});
        let after = descend(before, raw * scale, constants, scalars);
        let keep = bad | vec4<bool>(scale < 0.0);
        {{store}}
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
