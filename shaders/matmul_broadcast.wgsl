//+ immediates, matmul_tile
// C = A B for software adapters: registers and subgroup broadcasts, no workgroup memory.
//
// Such adapters run a subgroup as one vector but serialise every memory access lane by lane, while a broadcast from a fixed
// lane is one shuffle. So a workgroup is one subgroup that owns a tile of ROWS x 4 SUBGROUP results: every lane keeps four
// neighbouring columns of every row (a vec4 a row), and what is loaded is used by all lanes and rows. For K_STEP of the sum a
// lane brings one 4x4 block of the row side, to be broadcast, and K_STEP / 4 blocks of its own columns.
//
// The row side, x, is A and the lane side, y, is B; or the other way round, when that wastes less of the tile.
const SUBGROUP = 8u;
const ROWS = 4u;
const BLOCKS = 1u; // of a turn
const GROUPS = ROWS / 4u; // of four rows; lanes beyond them bring later k
const K_STEP = 4u * (SUBGROUP / GROUPS);

fn a_block_or_zero(i: u32, k: u32) -> mat4x4<f32> { return mat4x4<f32>(); } //= operands
fn b_block(j: u32, k: u32) -> mat4x4<f32> { return mat4x4<f32>(); } //= operands
fn epilogue(i: u32, j: u32, value: f32) {} //= epilogue

// One row: the four k of x times the four k of y. y[q] holds the lane's four columns at k + q.
fn accumulate(c: vec4<f32>, x: vec4<f32>, y: mat4x4<f32>) -> vec4<f32> {
    return fma(vec4<f32>(x.w), y[3], fma(vec4<f32>(x.z), y[2], fma(vec4<f32>(x.y), y[1], fma(vec4<f32>(x.x), y[0], c))));
}

fn deliver(i: u32, j: u32, value: f32) {
    if (j < im.d0.y) { epilogue(i, j, value); } //= deliver
}

fn product(workgroup: vec3<u32>, lane: u32) {
    let x_end = im.d0.x; //= ends
    let y_end = im.d0.y; //= ends
    let tile = tile_at(workgroup, vec2<u32>((y_end + 4u * SUBGROUP - 1u) / (4u * SUBGROUP), (x_end + ROWS - 1u) / ROWS));
    let i0 = tile.y * ROWS;
    let j0 = (tile.x * SUBGROUP + lane) * 4u;
    // One for every row.
    var c0 = vec4<f32>(); //= accumulators
    for (var turn = 0u; turn < im.d0.z; turn += K_STEP * BLOCKS) {
        // At k = turn, and K_STEP further where a turn takes more blocks than one; y for every four k, c for every row.
        let k = turn; //= steps
        let x = a_block_or_zero(i0 + lane % GROUPS * 4u, k + lane / GROUPS * 4u); //= steps
        let y0 = transpose(b_block(j0, k)); //= steps
        c0 = accumulate(c0, subgroupBroadcast(x[0], 0u), y0); //= steps
    }
    //= sums
    // A loop, not ROWS copies of the epilogue: it is compiled four times, whatever the tile.
    for (var r = 0u; r < min(ROWS, max(i0, x_end) - i0); r += 1u) {
        var c = vec4<f32>();
        //= row_sum
        switch r {
            case 0u: { c = c0; } //= select_row
            default: {}
        }
        deliver(i0 + r, j0, c.x);
        deliver(i0 + r, j0 + 1u, c.y);
        deliver(i0 + r, j0 + 2u, c.z);
        deliver(i0 + r, j0 + 3u, c.w);
        //= deliver_sum
    }
}
