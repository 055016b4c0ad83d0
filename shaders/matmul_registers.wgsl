//+ immediates, matmul_tile
// C = A B for software adapters without subgroups: every lane works alone on MICRO x MICRO results in registers.
//
// Nothing is shared between lanes, so a lane's tile is as large as its registers allow: each 4x4 block that is loaded serves
// MICRO / 4 others. The lanes of a workgroup stand two down and four across.
const MICRO = 4u;
const BLOCKS = 1u; // of a turn

fn a_block_or_zero(i: u32, k: u32) -> mat4x4<f32> { return mat4x4<f32>(); } //= operands
fn b_block(j: u32, k: u32) -> mat4x4<f32> { return mat4x4<f32>(); } //= operands
fn epilogue(i: u32, j: u32, value: f32) {} //= epilogue

// One row: the four k of x times the four k of y. y[q] holds four columns at k + q.
fn accumulate(c: vec4<f32>, x: vec4<f32>, y: mat4x4<f32>) -> vec4<f32> {
    return fma(vec4<f32>(x.w), y[3], fma(vec4<f32>(x.z), y[2], fma(vec4<f32>(x.y), y[1], fma(vec4<f32>(x.x), y[0], c))));
}

fn deliver(i: u32, j: u32, value: f32) {
    if (j < im.d0.y) {
        epilogue(i, j, value);
    }
}

fn product(workgroup: vec3<u32>, lane: u32) {
    let tiles = (im.d0.yx + vec2<u32>(4u, 2u) * MICRO - 1u) / (vec2<u32>(4u, 2u) * MICRO);
    let tile = tile_at(workgroup, tiles);
    let i0 = (tile.y * 2u + lane / 4u) * MICRO;
    let j0 = (tile.x * 4u + lane % 4u) * MICRO;
    let rows = im.d0.x;
    // One for every row and four columns.
    var c0_0 = vec4<f32>(); //= accumulators
    for (var turn = 0u; turn < im.d0.z; turn += 4u * BLOCKS) {
        // At k = turn, and four further where a turn takes more blocks than one; x and y for every four rows and columns.
        let k = turn; //= steps
        let x0 = a_block_or_zero(i0, k); //= steps
        let y0 = transpose(b_block(j0, k)); //= steps
        c0_0 = accumulate(c0_0, x0[0], y0); //= steps
    }
    // A loop, not MICRO copies of the epilogue, which is slow to compile.
    for (var r = 0u; r < min(MICRO, max(i0, rows) - i0); r += 1u) {
        var c_0 = vec4<f32>(); //= row
        switch r {
            case 0u: { c_0 = c0_0; } //= select_row
            default: {}
        }
        deliver(i0 + r, j0, c_0.x); //= deliver
        //= deliver_sum
    }
}
