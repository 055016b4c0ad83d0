//+ immediates, window
// An operand of a product that is patches of pictures: element (row, number) is what the tap of that number sees at the place of
// that row. Blocks of `a` run along the numbers of a patch; in `b`, by which name it goes as well, the sum runs over the rows.

@group(0) @binding(0) var<storage, read> b0: array<f32>; //= binding

// The first row of pixels of a row's picture, and the pixel of its first tap; in front of the picture that wraps to a large index.
fn a_place(row: u32) -> vec3<u32> {
    let rows = im.d0.x; //= rows
    let last = min(row, rows - 1u);
    let place = last % (PLACES.x * PLACES.y);
    let first = vec2<u32>(place / PLACES.y, place % PLACES.y) * STRIDE - BEFORE;
    return vec3<u32>(last / (PLACES.x * PLACES.y) * IMAGE.x, first);
}

// Where a number of a patch stands, and whether it stands anywhere; the first word if not.
fn a_word(place: vec3<u32>, number: u32) -> vec2<u32> {
    let tap = number / CHANNELS;
    let at = place.yz + vec2<u32>(tap / KERNEL.y, tap % KERNEL.y) * DILATION;
    let inside = all(at < IMAGE) && tap < KERNEL.x * KERNEL.y;
    let word = ((place.x + at.x) * IMAGE.y + at.y) * CHANNELS + number % CHANNELS;
    let offset = im.d0.w; //= offset
    return vec2<u32>(offset + select(0u, word, inside), u32(inside));
}

// Four numbers of a patch.
fn a_quad(place: vec3<u32>, number: u32) -> vec4<f32> {
    return vec4<f32>(b0[a_word(place, number).x]); //= read
}

// [4 i, 4 k]: result[p][q] is the element (i + p, k + q) of the operand as the product uses it.
fn a_block(i: u32, k: u32) -> mat4x4<f32> {
    let first = i; //= first
    let number = k; //= first
    let rows = vec4<u32>(first) + vec4<u32>(0u, 1u, 2u, 3u);
    let block = mat4x4<f32>(a_quad(a_place(rows.x), number), a_quad(a_place(rows.y), number), a_quad(a_place(rows.z), number), a_quad(a_place(rows.w), number));
    return block; //= turned
}

// The same with zeros where k + q is past the end of the sum.
fn a_block_or_zero(i: u32, k: u32) -> mat4x4<f32> {
    let block = a_block(i, k);
    let inside = k + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(im.d0.z);
    let zero = vec4<f32>();
    return mat4x4<f32>(select(zero, block[0], inside), select(zero, block[1], inside), select(zero, block[2], inside), select(zero, block[3], inside));
}
