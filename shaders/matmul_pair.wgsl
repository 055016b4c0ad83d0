// Two products in one launch: every workgroup makes a tile of one of them. The tiles of either are spread evenly over the
// launch, so that an adapter that gives each of its cores a run of workgroups gives each the same work.
const WORKGROUP = 8u;
const FIRST = 1u; // tiles of the first product
const TILES = 2u; // of both

fn product(workgroup: vec3<u32>, lane: u32) {} //= product
fn product_second(workgroup: vec3<u32>, lane: u32) {} //= product

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32, //= lane
) {
    let before = workgroup.x * FIRST / TILES; // tiles of the first product before this one
    if ((workgroup.x + 1u) * FIRST / TILES > before) {
        product(vec3<u32>(before, 0u, 0u), lane);
    } else {
        product_second(vec3<u32>(workgroup.x - before, 0u, 0u), lane);
    }
}
