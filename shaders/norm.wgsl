//+ immediates
// Sums of (squared) words, chunk w by workgroup w, in a fixed tree. A word that is not finite (tested by bits) counts as
// 3e38, so that the sum says so even where a compiler assumes that there are no such words. d0: len, chunk.
@group(0) @binding(0) var<storage, read> values: array<f32>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;

var<workgroup> tree: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let start = group.x * im.d0.y;
    let end = min(start + im.d0.y, im.d0.x);
    var sum = 0.0;
    for (var i = start + lane; i < end; i += 64u) {
        let value = values[i];
        if ((bitcast<u32>(value) & 0x7f800000u) == 0x7f800000u) {
            sum += 3e38;
        } else {
            sum += value * value; //= term
        }
    }
    tree[lane] = sum;
    workgroupBarrier();
    for (var half = 32u; half > 0u; half /= 2u) {
        if (lane < half) {
            tree[lane] += tree[lane + half];
        }
        workgroupBarrier();
    }
    if (lane == 0u) {
        sums[group.x] = tree[0];
    }
}
