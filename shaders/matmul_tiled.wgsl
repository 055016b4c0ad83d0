// C = A B for GPUs: tiles of A and B in workgroup memory, micro-tiles of C in registers.
//
// A workgroup owns TILE_M x TILE_N results and walks the sum TILE_K at a time: the next tiles are fetched into registers
// while the present ones, in workgroup memory, are multiplied. A thread owns MICRO_M x MICRO_N results, in groups of four rows
// and four columns that stand apart, so that neighbouring threads read neighbouring vec4s. Small tiles have SLICES threads for
// each micro-tile, every one with its share of k: skinny products fill a GPU that way, and the shares are added in a fixed order.
const TILE_M = {{tile_m}}u;
const TILE_N = {{tile_n}}u;
const TILE_K = {{tile_k}}u;
const SLICES = {{slices}}u;
const ACROSS = TILE_N / {{micro_n}}u; // threads
const DOWN = TILE_M / {{micro_m}}u;
const THREADS = ACROSS * DOWN * SLICES;
const A_BLOCKS = TILE_M * TILE_K / 16u; // of 4x4
const B_BLOCKS = TILE_N * TILE_K / 16u;
// [k, m / 4] and [k, n / 4]; one vec4 of padding keeps the transposing writes off one bank.
const A_PITCH = TILE_M / 4u + 1u;
const B_PITCH = TILE_N / 4u + 1u;
var<workgroup> a_tile: array<vec4<f32>, TILE_K * A_PITCH>;
var<workgroup> b_tile: array<vec4<f32>, TILE_K * B_PITCH>;
{{slice_sums}}

// Where block number `id` of a tile stands: (group of four i, group of four k). Neighbouring threads read along memory.
fn place(id: u32, i_groups: u32, along_k: bool) -> vec2<u32> {
    if (along_k) {
        return vec2<u32>(id / (TILE_K / 4u), id % (TILE_K / 4u));
    }
    return vec2<u32>(id % i_groups, id / i_groups);
}

// Block `id` of the tiles of A and B at (i0, j0, k): those of A come first. [4 i, 4 k].
fn fetch(id: u32, i0: u32, j0: u32, k: u32) -> mat4x4<f32> {
    if (id < A_BLOCKS) {
        let at = place(id, TILE_M / 4u, {{a_along_k}}) * 4u;
        return a_block_or_zero(i0 + at.x, k + at.y);
    }
    if (id >= A_BLOCKS + B_BLOCKS) {
        return mat4x4<f32>(); // more threads than blocks
    }
    let at = place(id - A_BLOCKS, TILE_N / 4u, {{b_along_k}}) * 4u;
    return b_block(j0 + at.x, k + at.y);
}

// Puts a fetched block where the multiplication reads it.
fn put(id: u32, block: mat4x4<f32>) {
    let by_k = transpose(block);
    if (id < A_BLOCKS) {
        let at = place(id, TILE_M / 4u, {{a_along_k}});
        let first = at.y * 4u * A_PITCH + at.x;
        a_tile[first] = by_k[0];
        a_tile[first + A_PITCH] = by_k[1];
        a_tile[first + 2u * A_PITCH] = by_k[2];
        a_tile[first + 3u * A_PITCH] = by_k[3];
    } else if (id < A_BLOCKS + B_BLOCKS) {
        let at = place(id - A_BLOCKS, TILE_N / 4u, {{b_along_k}});
        let first = at.y * 4u * B_PITCH + at.x;
        b_tile[first] = by_k[0];
        b_tile[first + B_PITCH] = by_k[1];
        b_tile[first + 2u * B_PITCH] = by_k[2];
        b_tile[first + 3u * B_PITCH] = by_k[3];
    }
}

fn deliver(i: u32, j: u32, value: f32) {
    if (j < im.d0.y) {
        epilogue(i, j, value);
    }
}

fn product(workgroup: vec3<u32>, thread: u32) {
    let tile = tile_at(workgroup, (im.d0.yx + vec2<u32>(TILE_N, TILE_M) - 1u) / vec2<u32>(TILE_N, TILE_M));
    let i0 = tile.y * TILE_M;
    let j0 = tile.x * TILE_N;
    let slice = thread / (ACROSS * DOWN);
    let down = thread % (ACROSS * DOWN) / ACROSS;
    let across = thread % ACROSS;
    // For every row r and group of columns h: var c0_0 = vec4<f32>();
    {{accumulators}}
    // For every block a thread brings: var staged0 = fetch(thread, i0, j0, 0u);
    {{fetch_first}}
    for (var k0 = 0u; k0 < im.d0.z; k0 += TILE_K) {
        workgroupBarrier();
        // put(thread, staged0);
        {{put}}
        workgroupBarrier();
        if (k0 + TILE_K < im.d0.z) {
            {{fetch_next}}
        }
        for (var k = slice; k < TILE_K; k += SLICES) {
            // let x0 = a_tile[k * A_PITCH + down]; let y0 = b_tile[k * B_PITCH + across];
            // and for every row and group of columns: c0_0 = fma(vec4<f32>(x0.x), y0, c0_0);
            {{steps}}
        }
    }
    {{add_slices}}
    // A loop, not a copy of the epilogue for every row, which some drivers are slow to compile.
    for (var r = 0u; r < {{micro_m}}u; r += 1u) {
        let i = i0 + (down + r / 4u * DOWN) * 4u + r % 4u;
        if (slice == 0u && i < im.d0.x) {
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
}
