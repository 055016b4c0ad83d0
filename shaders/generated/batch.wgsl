// batch 128 of 500×784 Bytes Shuffled Never

// What changes from step to step, and one call's sizes. Mirrors `kernels::Step`; 128 bytes.
struct Immediates {
    seed: vec2<u32>,
    step: u32,
    slot: u32,
    rows: u32,
    epoch: u32,
    position: u32,
    row_offset: u32,
    s0: vec4<f32>,
    s1: vec4<f32>,
    d0: vec4<u32>,
    d1: vec4<u32>,
    d2: vec4<u32>,
    d3: vec4<u32>,
}
var<immediate> im: Immediates;
// Philox4x32-10 and what is drawn from it: operation for operation what `kernels::random` does on the CPU.
// A draw is a function of (seed, stream, step, element); element e takes word e % 4 of block e / 4.

fn multiply_high(a: u32, b: u32) -> u32 {
    let al = a & 0xffffu;
    let ah = a >> 16u;
    let bl = b & 0xffffu;
    let bh = b >> 16u;
    let low = al * bl;
    let cross = ah * bl + (low >> 16u);
    let middle = al * bh + (cross & 0xffffu);
    return ah * bh + (cross >> 16u) + (middle >> 16u);
}

fn philox(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
    var c = counter;
    var k = key;
    for (var round = 0u; round < 10u; round += 1u) {
        c = vec4<u32>(
            multiply_high(0xCD9E8D57u, c.z) ^ c.y ^ k.x,
            0xCD9E8D57u * c.z,
            multiply_high(0xD2511F53u, c.x) ^ c.w ^ k.y,
            0xD2511F53u * c.x,
        );
        k += vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
    }
    return c;
}

// Uniforms strictly between 0 and 1: the centres of 2^23 equal cells, all of them exact in f32.
fn uniform4(stream: u32, block: u32) -> vec4<f32> {
    let words = philox(vec4<u32>(block, im.step, stream, 0u), im.seed);
    return (vec4<f32>(words >> vec4<u32>(9u)) + 0.5) * (1.0 / 8388608.0);
}

// ln x for normal positive x: WGSL's own is too loosely specified to sample with.
fn log_exact(x: f32) -> f32 {
    let shifted = bitcast<u32>(x) - 0x3f3504f3u;
    let exponent = f32(bitcast<i32>(shifted) >> 23u);
    let m = bitcast<f32>((shifted & 0x007fffffu) + 0x3f3504f3u) - 1.0;
    let z = m * m;
    var p = 7.0376836e-2;
    p = p * m - 1.151461e-1;
    p = p * m + 1.1676999e-1;
    p = p * m - 1.2420141e-1;
    p = p * m + 1.4249323e-1;
    p = p * m - 1.6668057e-1;
    p = p * m + 2.0000715e-1;
    p = p * m - 2.4999994e-1;
    p = p * m + 3.333333e-1;
    let tail = p * m * z - 2.1219444e-4 * exponent - 0.5 * z;
    return m + tail + 0.6933594 * exponent;
}

// (sin, cos) of 2 pi u for u in [0, 1].
fn sin_cos_turns(u: f32) -> vec2<f32> {
    let q = u * 4.0;
    let j = floor(q + 0.5);
    let r = (q - j) * 1.5707964;
    let z = r * r;
    let s = r + r * z * (-1.6666655e-1 + z * (8.332161e-3 + z * -1.9515296e-4));
    let c = 1.0 - 0.5 * z + z * z * (4.1666646e-2 + z * (-1.3887316e-3 + z * 2.4433157e-5));
    let quadrant = u32(j) & 3u;
    let swap = (quadrant & 1u) == 1u;
    let a = select(s, c, swap);
    let b = select(c, s, swap);
    return vec2<f32>(
        select(a, -a, (quadrant & 2u) == 2u),
        select(b, -b, quadrant == 1u || quadrant == 2u),
    );
}

// Four standard normals (Box and Muller).
fn normal4(stream: u32, block: u32) -> vec4<f32> {
    let u = uniform4(stream, block);
    let r = sqrt(-2.0 * vec2<f32>(log_exact(u.x), log_exact(u.z)));
    let a = sin_cos_turns(u.y);
    let b = sin_cos_turns(u.w);
    return vec4<f32>(r.x * a.y, r.x * a.x, r.y * b.y, r.y * b.x);
}

fn mix_bits(x: u32) -> u32 {
    var h = (x ^ (x >> 16u)) * 0x85EBCA6Bu;
    h = (h ^ (h >> 13u)) * 0xC2B2AE35u;
    return h ^ (h >> 16u);
}

// Which row of `count` stands at `position` of this part of this epoch: a Feistel network, walked until it lands inside.
fn shuffle(position: u32, count: u32, part: u32) -> u32 {
    let bits = 32u - countLeadingZeros(max(count, 4u) - 1u);
    let low_bits = bits / 2u;
    let low_mask = (1u << low_bits) - 1u;
    let high_mask = (1u << (bits - low_bits)) - 1u;
    let keys = philox(vec4<u32>(part, im.epoch, 0u, 1u), im.seed);
    var x = position;
    loop {
        var high = x >> low_bits;
        var low = x & low_mask;
        for (var round = 0u; round < 4u; round += 1u) {
            let key = keys[round] + round * 0x9E3779B9u;
            high ^= mix_bits(low ^ key) & high_mask;
            low ^= mix_bits(high + key) & low_mask;
        }
        x = (high << low_bits) | low;
        if (x < count) {
            break;
        }
    }
    return x;
}
// Gathers rows of the packed data set in the epoch's order and decodes them: one thread per few words of a batch row.
// im.d0 is the number of rows in the data set, rows of a window, rows of a buffer, and the first buffer that is bound here.
// Positions past the data set's end repeat the last one and are masked later, or begin again where rows come in turn.
@group(0) @binding(0) var<storage, read> data0: array<u32>;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;

const LINE = 25088u; // threads along x of the launch
const ROWS = 128u; // of the batch
const FEATURES = 784u; // values of a row
const ROW_WORDS = 196u; // words of a row
const PER_WORD = 4u; // values of a word
const EACH = 1u; // words of a thread
const THREADS_PER_ROW = 196u;
const BOUND = 1u; // buffers that are bound here

fn word_of(buffer: u32, at: u32) -> u32 {

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
    return held + shuffle(within, rows, part);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let thread = id.x + id.y * LINE;
    let b = thread / THREADS_PER_ROW;
    if (b >= ROWS) {
        return;
    }
    let origin = im.row_offset;
    let position = min(im.position + origin + b, im.d0.x - 1u);
    let row = place(position);
    // Rows of other buffers are another call's.
    let buffer = row / im.d0.z - im.d0.w;
    if (buffer >= BOUND) {
        return;
    }
    let start = row % im.d0.z * ROW_WORDS;
    let first = (thread % THREADS_PER_ROW) * EACH;
    for (var w = first; w < min(first + EACH, ROW_WORDS); w += 1u) {
        let word = word_of(buffer, start + w);
        for (var k = 0u; k < PER_WORD; k += 1u) {
            let j = w * PER_WORD + k;
            if (j < FEATURES) {
                let element = (origin + b) * FEATURES + j;
                let value = f32((word >> (8u * k)) & 255u) * (1.0 / 255.0);
                x[b * FEATURES + j] = value;
            }
        }
    }
}
