//+ immediates, window
// A fold as products: the pixels whose coordinates leave the same remainders by the stride are a class. They are seen by the same
// taps, every STRIDE-th from the first that sees them, and are the rows of one product: of what the places hold that see them, tap
// by tap, and what the kernel says of these taps. The third dimension of the launch counts the classes.
@group(0) @binding(0) var<storage, read> b0: array<f32>; //= around
@group(0) @binding(1) var<storage, read> b1: array<f32>; //= around
fn finish(pixel: u32, col: u32, acc: f32) {} //= around
var<private> fold_class: vec2<u32>;

// The first tap that sees the class.
fn first_tap() -> vec2<u32> {
    return (fold_class + BEFORE) % STRIDE;
}

// The tap of a number of the sum, counted from the first that sees the class.
fn tap_of(number: u32) -> vec2<u32> {
    return vec2<u32>(number / INPUTS / TAPS.y, number / INPUTS % TAPS.y);
}

// The first row of places of a row's picture, and the place that sees the row's pixel with the first tap.
fn a_place(row: u32) -> vec3<u32> {
    let last = min(row, im.d0.x - 1u);
    let pixel = last % (GRID.x * GRID.y);
    let first = vec2<u32>(pixel / GRID.y, pixel % GRID.y) + (fold_class + BEFORE - first_tap()) / STRIDE;
    return vec3<u32>(last / (GRID.x * GRID.y) * PLACES.x, first);
}

// Where element `number` of a row's sum stands in what the places hold, and whether it stands anywhere.
fn a_word(place: vec3<u32>, number: u32) -> vec2<u32> {
    let tap = tap_of(number);
    let at = place.yz - tap * DILATION; // in front of the first place that wraps to a large index
    let inside = all(at < PLACES) && all(first_tap() + tap * STRIDE < KERNEL) && number < im.d0.z;
    let word = ((place.x + at.x) * PLACES.y + at.y) * INPUTS + number % INPUTS;
    return vec2<u32>(im.d0.w + select(0u, word, inside), u32(inside));
}

fn a_quad(place: vec3<u32>, number: u32) -> vec4<f32> {
    return vec4<f32>(b0[a_word(place, number).x]); //= read_a
}

fn a_block_or_zero(i: u32, k: u32) -> mat4x4<f32> {
    return mat4x4<f32>(a_quad(a_place(i), k), a_quad(a_place(i + 1u), k), a_quad(a_place(i + 2u), k), a_quad(a_place(i + 3u), k));
}

fn a_block(i: u32, k: u32) -> mat4x4<f32> {
    return a_block_or_zero(i, k);
}

// What the kernel says of four channels from `column` on, at a number of the sum; past the ends what it says of the last.
fn b_quad(column: u32, number: u32) -> vec4<f32> {
    let last = min(number, im.d0.z - 1u);
    let tap = min(first_tap() + tap_of(last) * STRIDE, KERNEL - vec2<u32>(1u));
    let row = im.d1.y + last % INPUTS * im.d1.z + (tap.x * KERNEL.y + tap.y) * CHANNELS;
    let at = row + min(column + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(CHANNELS - 1u));
    return vec4<f32>(b1[at.x], b1[at.y], b1[at.z], b1[at.w]); //= read_b
}

fn b_block(j: u32, k: u32) -> mat4x4<f32> {
    return transpose(mat4x4<f32>(b_quad(j, k), b_quad(j, k + 1u), b_quad(j, k + 2u), b_quad(j, k + 3u)));
}

fn b_block_or_zero(j: u32, k: u32) -> mat4x4<f32> {
    let block = b_block(j, k);
    let inside = k + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(im.d0.z);
    let zero = vec4<f32>();
    return mat4x4<f32>(select(zero, block[0], inside), select(zero, block[1], inside), select(zero, block[2], inside), select(zero, block[3], inside));
}

// A class may have fewer pixels than there are rows for it.
fn epilogue(row: u32, col: u32, acc: f32) {
    let pixel = row % (GRID.x * GRID.y);
    let at = vec2<u32>(pixel / GRID.y, pixel % GRID.y) * STRIDE + fold_class;
    if (all(at < IMAGE)) {
        finish((row / (GRID.x * GRID.y) * IMAGE.x + at.x) * IMAGE.y + at.y, col, acc);
    }
}
