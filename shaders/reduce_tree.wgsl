// A fused expression summed over the trailing dimensions: one workgroup per kept index. Each of 64 threads strides over
// the reduced points; their sums meet in a fixed tree, so the same adapter gives the same bits every time.
const LINE = 64u; // workgroups along x of the launch
const KEPT = 64u;

var<workgroup> tree0: array<f32, 64>; //= arrays

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let point = group.x + group.y * LINE;
    if (point >= KEPT) {
        return;
    }
    //= index
    var fold0 = 0.0; //= start
    // The expression at every point r, and what becomes of it.
    for (var r = lane; r < 64u; r += 64u) { //= loop
        fold0 += 1.0; //= loop
    } //= loop
    tree0[lane] = fold0; //= spill
    workgroupBarrier();
    for (var half = 32u; half > 0u; half /= 2u) {
        if (lane < half) {
            tree0[lane] += tree0[lane + half]; //= fold
        }
        workgroupBarrier();
    }
    if (lane == 0u) {
        //= finish
    }
}
