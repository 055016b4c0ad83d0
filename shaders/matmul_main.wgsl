// One product: every workgroup makes a tile of it.
const WORKGROUP = 8u;

fn product(workgroup: vec3<u32>, lane: u32) {} //= product

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32, //= lane
) {
    product(workgroup, lane);
}
