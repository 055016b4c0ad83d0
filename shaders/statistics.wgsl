//+ immediates
// Statistics of one step, one workgroup each: a fused expression summed over its points, in a fixed tree, into the
// step's slot of the ring that the host reads back.
@group(0) @binding(0) var<storage, read_write> ring: array<f32>; //= bindings

const ITEMS = 1u;

var<workgroup> tree: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    var sum = 0.0;
    switch (group.x) {
        case 0u: { sum = 1.0; } //= cases
        default: {}
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
        ring[im.slot * ITEMS + group.x] = tree[0];
    }
}
