//+ immediates
// The memory ceiling: a buffer whose signs are turned in place, or whose words are read and added up, four at a time.
// d0: quads in all, quads of a thread's stride.
@group(0) @binding(0) var<storage, read_write> values: array<vec4<f32>>; //= bindings

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    var sum = vec4<f32>();
    for (var i = id.x; i < im.d0.x; i += im.d0.y) {
        values[i] = -values[i]; //= work
    }
    //= finish
}
