// A fused expression summed over the trailing dimensions: one workgroup per kept index. Each of 64 threads strides over
// the reduced points; their sums meet in a fixed tree, so the same adapter gives the same bits every time.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let point = group.x + group.y * {{row}};
    if (point >= {{kept}}) {
        return;
    }
    {{index}}
    {{start}}
    // for (var r = lane; r < {{reduced}}; r += 64u): the expression at point r, and what becomes of it.
    {{loop}}
    {{spill}}
    workgroupBarrier();
    for (var half = 32u; half > 0u; half /= 2u) {
        if (lane < half) {
            {{fold}}
        }
        workgroupBarrier();
    }
    if (lane == 0u) {
        {{finish}}
    }
}
