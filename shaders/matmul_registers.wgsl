// C = A B for software adapters without subgroups: every lane works alone on MICRO x MICRO results in registers.
//
// Nothing is shared between lanes, so a lane's tile is as large as its registers allow: each 4x4 block that is loaded serves
// MICRO / 4 others. The lanes of a workgroup stand two down and four across.
const MICRO = {{micro}}u;

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
    // For every row r and four columns h: var c0_0 = vec4<f32>();
    {{accumulators}}
    for (var turn = 0u; turn < im.d0.z; turn += 4u * {{blocks}}) {
        // At k = turn, and four further where a turn takes more blocks than one:
        // let x0 = a_block_or_zero(i0, k); let y0 = transpose(b_block(j0, k));
        // and for every row: c7_1 = accumulate(c7_1, x1[3], y1);
        {{steps}}
    }
    // A loop, not MICRO copies of the epilogue, which is slow to compile.
    for (var r = 0u; r < min(MICRO, max(i0, rows) - i0); r += 1u) {
        {{row}}
        switch r {
            // For every row: case 7u: { c_0 = c7_0; c_1 = c7_1; }
            {{select_row}}
            default: {}
        }
        {{deliver}}
        {{deliver_sum}}
    }
}
