// A fused expression summed over the trailing dimensions: one thread per kept index. For short sums, for many of them,
// and for software adapters, where a barrier costs more than it saves.
@compute @workgroup_size({{width}})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let point = id.x + id.y * {{row}};
    if (point >= {{kept}}) {
        return;
    }
    {{index}}
    {{start}}
    for (var r = 0u; r < {{reduced}}; r += 1u) {
        {{body}}
    }
    {{finish}}
}
