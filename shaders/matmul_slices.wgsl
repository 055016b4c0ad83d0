//+ immediates, matmul_tile, matmul_tiled
// Adds the shares of the slices, in their order; every thread of the workgroup must call it.
var<workgroup> partial: array<vec4<f32>, THREADS>;

fn add_slices(thread: u32, own: vec4<f32>) -> vec4<f32> {
    workgroupBarrier();
    partial[thread] = own;
    workgroupBarrier();
    var sum = own;
    if (thread < ACROSS * DOWN) {
        for (var slice = 1u; slice < SLICES; slice += 1u) {
            sum += partial[thread + slice * ACROSS * DOWN];
        }
    }
    return sum;
}
