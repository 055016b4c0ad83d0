//+ window
// What a kernel sees at each place of each picture, a row of patches each: one thread per number of a patch. A tap in front of
// the picture wraps to a large index, so that it is beyond it as well.
@group(0) @binding(0) var<storage, read> pictures: array<f32>;
@group(0) @binding(1) var<storage, read_write> patches: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let point = id.x + id.y * LAUNCHED;
    if (point >= POINTS) {
        return;
    }
    let row = point / (KERNEL.x * KERNEL.y * CHANNELS);
    let tap = point / CHANNELS % (KERNEL.x * KERNEL.y);
    let place = row % (PLACES.x * PLACES.y);
    let picture = row / (PLACES.x * PLACES.y);
    let at = vec2<u32>(place / PLACES.y, place % PLACES.y) * STRIDE
        + vec2<u32>(tap / KERNEL.y, tap % KERNEL.y) * DILATION - BEFORE;
    var value = 0.0;
    if (all(at < IMAGE)) {
        value = pictures[((picture * IMAGE.x + at.x) * IMAGE.y + at.y) * CHANNELS + point % CHANNELS];
    }
    patches[point] = value;
}
