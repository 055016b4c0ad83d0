// A product for each class of pixels: every workgroup makes a tile of one.
@compute @workgroup_size({{threads}})
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin({{lane}}) lane: u32) {
    fold_class = vec2<u32>(workgroup.z / STRIDE.y, workgroup.z % STRIDE.y);
    product(workgroup, lane);
}
