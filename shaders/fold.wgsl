//+ window
// The sum of what stands for a pixel in all patches that see it: one thread per value of a pixel, tap by tap, so that the order
// of the sum is settled and no two threads write the same word.
@group(0) @binding(0) var<storage, read> patches: array<f32>;
@group(0) @binding(1) var<storage, read_write> pictures: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let point = id.x + id.y * LAUNCHED;
    if (point >= POINTS) {
        return;
    }
    let channel = point % CHANNELS;
    let pixel = point / CHANNELS % (IMAGE.x * IMAGE.y);
    let picture = point / (CHANNELS * IMAGE.x * IMAGE.y);
    // The pixel in the padded picture, in which places begin at multiples of the stride.
    let at = vec2<u32>(pixel / IMAGE.y, pixel % IMAGE.y) + BEFORE;
    var sum = 0.0;
    for (var y = 0u; y < KERNEL.x && y * DILATION.x <= at.x; y += 1u) {
        let down = at.x - y * DILATION.x;
        if (down % STRIDE.x != 0u || down / STRIDE.x >= PLACES.x) {
            continue;
        }
        for (var x = 0u; x < KERNEL.y && x * DILATION.y <= at.y; x += 1u) {
            let across = at.y - x * DILATION.y;
            if (across % STRIDE.y != 0u || across / STRIDE.y >= PLACES.y) {
                continue;
            }
            let place = (picture * PLACES.x + down / STRIDE.x) * PLACES.y + across / STRIDE.y;
            sum += patches[((place * KERNEL.x + y) * KERNEL.y + x) * CHANNELS + channel];
        }
    }
    pictures[point] = sum;
}
