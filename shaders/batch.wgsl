//+ immediates, random
// Gathers rows of the packed data set in the epoch's order and decodes them: one thread per few words of a batch row.
// im.d0.x is the number of rows in the data set; positions past its end repeat the last one and are masked later, or begin
// again where rows come in turn.
@group(0) @binding(0) var<storage, read> data: array<u32>;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;

const LINE = 64u; // threads along x of the launch
const ROWS = 1u; // of the batch
const FEATURES = 1u; // values of a row
const ROW_WORDS = 1u; // words of a row
const PER_WORD = 4u; // values of a word
const EACH = 1u; // words of a thread
const THREADS_PER_ROW = 1u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let thread = id.x + id.y * LINE;
    let b = thread / THREADS_PER_ROW;
    if (b >= ROWS) {
        return;
    }
    let position = min(im.position + im.row_offset + b, im.d0.x - 1u); //= position
    let row = shuffle(position, im.d0.x); //= row
    let first = (thread % THREADS_PER_ROW) * EACH;
    for (var w = first; w < min(first + EACH, ROW_WORDS); w += 1u) {
        let word = data[row * ROW_WORDS + w];
        for (var k = 0u; k < PER_WORD; k += 1u) {
            let j = w * PER_WORD + k;
            if (j < FEATURES) {
                let element = (im.row_offset + b) * FEATURES + j;
                let value = f32((word >> (8u * k)) & 255u) * (1.0 / 255.0); //= decode
                x[b * FEATURES + j] = value; //= binarise
            }
        }
    }
}
