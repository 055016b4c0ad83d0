// A fused elementwise expression: one thread per point, or per four consecutive points of the last dimension.
// The host writes the body: indices i0, i1, … from the linear `point`, the expression, the stores.
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let point = (id.x + id.y * {{row}}) * {{unroll}};
    if (point >= {{points}}) {
        return;
    }
    {{body}}
}
