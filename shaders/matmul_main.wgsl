// One product: every workgroup makes a tile of it.
@compute @workgroup_size({{threads}})
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin({{lane}}) lane: u32) {
    product(workgroup, lane);
}
