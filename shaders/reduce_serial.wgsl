// A fused expression summed over the trailing dimensions: one thread per kept index. For short sums, for many of them,
// and for software adapters, where a barrier costs more than it saves.
const WORKGROUP = 64u;
const LINE = 64u; // threads along x of the launch
const KEPT = 64u;
const REDUCED = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let point = id.x + id.y * LINE;
    if (point >= KEPT) {
        return;
    }
    //= index
    var fold0 = 0.0; //= start
    for (var r = 0u; r < REDUCED; r += 1u) {
        fold0 += 1.0; //= body
    }
    //= finish
}
