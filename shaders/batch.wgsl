//+ immediates, random
// Gathers rows of the packed data set in the epoch's order and decodes them: one thread per few words of a batch row.
// im.d0 is the number of rows in the data set, rows of a window, rows of a buffer, and the first buffer that is bound here.
// Positions past the data set's end repeat the last one and are masked later, or begin again where rows come in turn.
@group(0) @binding(0) var<storage, read> data0: array<u32>; //= buffers
@group(0) @binding(1) var<storage, read_write> x: array<f32>; //= buffers

const LINE = 64u; // threads along x of the launch
const ROWS = 1u; // of the batch
const FEATURES = 1u; // values of a row
const ROW_WORDS = 1u; // words of a row
const PER_WORD = 4u; // values of a word
const EACH = 1u; // words of a thread
const THREADS_PER_ROW = 1u;
const BOUND = 1u; // buffers that are bound here

fn word_of(buffer: u32, at: u32) -> u32 {
    //= further
    return data0[at];
}

// Where the row of a position lies. Data that is larger than memory comes in windows, of which two are held in turn.
fn place(position: u32) -> u32 {
    let window = im.d0.y;
    let part = position / window;
    let within = position % window;
    let rows = min(window, im.d0.x - part * window);
    let windows = (im.d0.x - 1u) / window + 1u;
    let held = select(0u, (im.epoch * windows + part) % 2u * window, windows > 1u);
    return held + shuffle(within, rows, part); //= row
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let thread = id.x + id.y * LINE;
    let b = thread / THREADS_PER_ROW;
    if (b >= ROWS) {
        return;
    }
    let origin = im.row_offset; //= origin
    let position = min(im.position + origin + b, im.d0.x - 1u); //= position
    let row = place(position);
    // Rows of other buffers are another call's.
    let buffer = row / im.d0.z - im.d0.w;
    if (buffer >= BOUND) {
        return;
    }
    let start = row % im.d0.z * ROW_WORDS;
    let first = (thread % THREADS_PER_ROW) * EACH;
    for (var w = first; w < min(first + EACH, ROW_WORDS); w += 1u) {
        let word = word_of(buffer, start + w); //= word
        for (var k = 0u; k < PER_WORD; k += 1u) {
            let j = w * PER_WORD + k;
            if (j < FEATURES) { //= from
                let element = (origin + b) * FEATURES + j;
                let value = f32((word >> (8u * k)) & 255u) * (1.0 / 255.0); //= decode
                x[b * FEATURES + j] = value; //= binarise
            }
        }
    }
}
