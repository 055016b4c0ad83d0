//+ immediates, matmul_tile
// C = A B for GPUs: tiles of A and B in workgroup memory, micro-tiles of C in registers.
//
// A workgroup owns TILE_M x TILE_N results and walks the sum TILE_K at a time: the next tiles are fetched into registers
// while the present ones, in workgroup memory, are multiplied. A thread owns MICRO_M x MICRO_N results, in groups of four rows
// and four columns that stand apart, so that neighbouring threads read neighbouring vec4s. Small tiles have SLICES threads for
// each micro-tile, every one with its share of k: skinny products fill a GPU that way, and the shares are added in a fixed order.
const TILE_M = 64u;
const TILE_N = 64u;
const TILE_K = 16u;
const MICRO_M = 4u;
const MICRO_N = 4u;
const SLICES = 1u;
const ACROSS = TILE_N / MICRO_N; // threads
const DOWN = TILE_M / MICRO_M;
const THREADS = ACROSS * DOWN * SLICES;
const A_BLOCKS = TILE_M * TILE_K / 16u; // of 4x4
const B_BLOCKS = TILE_N * TILE_K / 16u;
// [k, m / 4] and [k, n / 4]; one vec4 of padding keeps the transposing writes off one bank.
const A_PITCH = TILE_M / 4u + 1u;
const B_PITCH = TILE_N / 4u + 1u;
var<workgroup> a_tile: array<vec4<f32>, TILE_K * A_PITCH>;
var<workgroup> b_tile: array<vec4<f32>, TILE_K * B_PITCH>;
fn a_block_or_zero(i: u32, k: u32) -> mat4x4<f32> { return mat4x4<f32>(); } //= operands
fn b_block(j: u32, k: u32) -> mat4x4<f32> { return mat4x4<f32>(); } //= operands
fn epilogue(i: u32, j: u32, value: f32) {} //= epilogue
// Whether neighbours along k stand side by side in memory.
const A_ALONG_K = true; //= layout
const B_ALONG_K = true; //= layout
//= slices

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
        let at = place(id, TILE_M / 4u, A_ALONG_K) * 4u;
        return a_block_or_zero(i0 + at.x, k + at.y);
    }
    if (id >= A_BLOCKS + B_BLOCKS) {
        return mat4x4<f32>(); // more threads than blocks
    }
    let at = place(id - A_BLOCKS, TILE_N / 4u, B_ALONG_K) * 4u;
    return b_block(j0 + at.x, k + at.y);
}

// Puts a fetched block where the multiplication reads it.
fn put(id: u32, block: mat4x4<f32>) {
    let by_k = transpose(block);
    if (id < A_BLOCKS) {
        let at = place(id, TILE_M / 4u, A_ALONG_K);
        let first = at.y * 4u * A_PITCH + at.x;
        a_tile[first] = by_k[0];
        a_tile[first + A_PITCH] = by_k[1];
        a_tile[first + 2u * A_PITCH] = by_k[2];
        a_tile[first + 3u * A_PITCH] = by_k[3];
    } else if (id < A_BLOCKS + B_BLOCKS) {
        let at = place(id - A_BLOCKS, TILE_N / 4u, B_ALONG_K);
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
    // One for every row and group of columns.
    var c0_0 = vec4<f32>(); //= accumulators
    // One for every block that a thread brings.
    var staged0 = fetch(thread, i0, j0, 0u); //= fetch_first
    for (var k0 = 0u; k0 < im.d0.z; k0 += TILE_K) {
        workgroupBarrier();
        put(thread, staged0); //= put
        workgroupBarrier();
        if (k0 + TILE_K < im.d0.z) {
            staged0 = fetch(thread, i0, j0, k0 + TILE_K); //= fetch_next
        }
        for (var k = slice; k < TILE_K; k += SLICES) {
            let x0 = a_tile[k * A_PITCH + down]; //= steps
            let y0 = b_tile[k * B_PITCH + across]; //= steps
            c0_0 = fma(vec4<f32>(x0.x), y0, c0_0); //= steps
        }
    }
    //= add_slices
    // A loop, not a copy of the epilogue for every row, which some drivers are slow to compile.
    for (var r = 0u; r < MICRO_M; r += 1u) {
        let i = i0 + (down + r / 4u * DOWN) * 4u + r % 4u;
        if (slice == 0u && i < im.d0.x) {
            var c_0 = vec4<f32>(); //= row
            switch r {
                case 0u: { c_0 = c0_0; } //= select_row
                default: {}
            }
            deliver(i, j0 + across * 4u, c_0.x); //= deliver
            //= deliver_sum
        }
    }
}
