// A fused elementwise expression: one thread per point, or per four consecutive points of the last dimension.
// The host writes the body: indices i0, i1, … from the linear `point`, the expression, the stores.
const LINE = 64u; // threads along x of the launch
const POINTS = 64u;
const UNROLL = 1u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let point = (id.x + id.y * LINE) * UNROLL;
    if (point >= POINTS) {
        return;
    }
    //= body
}
