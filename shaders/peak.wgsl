//+ immediates
// The arithmetic ceiling: twelve fused multiplications and additions that do not wait for each other, again and again, on
// registers alone. d0: invocations, turns. s0: factor, summand.
@group(0) @binding(0) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= im.d0.x) {
        return;
    }
    let a = im.s0.x;
    let b = im.s0.y;
    var x0 = f32(id.x); //= start
    for (var turn = 0u; turn < im.d0.y; turn += 1u) {
        x0 = fma(x0, a, b); //= turn
    }
    out[id.x] = x0; //= sum
}
