//+ immediates, random
// Pictures that are changed, each row of a batch anew in every step: which value of a row stands at the place of another. They are
// flipped, then shifted with their edges repeated, then cut out of a frame of zeros. `kernels::batch::augment` does the same on the CPU.
const HEIGHT = 1u;
const WIDTH = 1u;
const CHANNELS = 1u;
const STREAM = 1u; // of what is drawn
const FLIP = 0u; // 1: left and right are exchanged, or not, with even odds
const FLIP_VERTICAL = 0u; // 1: up and down likewise
const SHIFT = 0u; // pixels by which a picture is shifted at most, along either axis
const CROP = 0u; // pixels of the frame
const OUTSIDE = 0xffffffffu; // a place that is not in the row

struct Drawn {
    shift: vec4<u32>,
    crop: vec4<u32>,
}

// What is drawn for a row.
fn drawn(row: u32) -> Drawn {
    var all = Drawn(philox(vec4<u32>(2u * row, im.step, STREAM, 0u), im.seed), vec4<u32>(0u));
    if (CROP > 0u) {
        all.crop = philox(vec4<u32>(2u * row + 1u, im.step, STREAM, 0u), im.seed);
    }
    return all;
}

// A whole number from 0 to 2 most.
fn offset(word: u32, most: u32) -> u32 {
    return multiply_high(word, 2u * most + 1u);
}

// The place in its row of the value that stands at place j of what is seen.
fn source(all: Drawn, j: u32) -> u32 {
    let pixel = j / CHANNELS;
    // In the frame, and then in the picture with its edges repeated.
    let framed = vec2<u32>(pixel / WIDTH + offset(all.crop.x, CROP), pixel % WIDTH + offset(all.crop.y, CROP));
    let size = vec2<u32>(HEIGHT, WIDTH);
    if (any(framed < vec2<u32>(CROP)) || any(framed >= size + CROP)) {
        return OUTSIDE;
    }
    let shifted = framed - CROP + vec2<u32>(offset(all.shift.z, SHIFT), offset(all.shift.w, SHIFT));
    var at = clamp(shifted, vec2<u32>(SHIFT), size + SHIFT - 1u) - SHIFT;
    if (FLIP_VERTICAL == 1u && (all.shift.y >> 31u) == 1u) {
        at.x = HEIGHT - 1u - at.x;
    }
    if (FLIP == 1u && (all.shift.x >> 31u) == 1u) {
        at.y = WIDTH - 1u - at.y;
    }
    return (at.x * WIDTH + at.y) * CHANNELS + j % CHANNELS;
}
