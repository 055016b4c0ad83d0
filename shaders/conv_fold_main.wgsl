//+ window
// A product for each class of pixels: every workgroup makes a tile of one.
const WORKGROUP = 8u;

var<private> fold_class: vec2<u32>; //= product
fn product(workgroup: vec3<u32>, lane: u32) {} //= product

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32, //= lane
) {
    fold_class = vec2<u32>(workgroup.z / STRIDE.y, workgroup.z % STRIDE.y);
    product(workgroup, lane);
}
