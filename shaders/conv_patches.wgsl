// An operand of a product that is patches of pictures: element (row, number) is what the tap of that number sees at the place of
// that row. {{name}} is `a`, whose blocks run along the numbers of a patch, or `b`, whose sum runs over the rows.

// The first row of pixels of a row's picture, and the pixel of its first tap; in front of the picture that wraps to a large index.
fn {{name}}_place(row: u32) -> vec3<u32> {
    let last = min(row, {{rows}} - 1u);
    let place = last % (PLACES.x * PLACES.y);
    let first = vec2<u32>(place / PLACES.y, place % PLACES.y) * STRIDE - BEFORE;
    return vec3<u32>(last / (PLACES.x * PLACES.y) * IMAGE.x, first);
}

// Where a number of a patch stands, and whether it stands anywhere; the first word if not.
fn {{name}}_word(place: vec3<u32>, number: u32) -> vec2<u32> {
    let tap = number / CHANNELS;
    let at = place.yz + vec2<u32>(tap / KERNEL.y, tap % KERNEL.y) * DILATION;
    let inside = all(at < IMAGE) && tap < KERNEL.x * KERNEL.y;
    let word = ((place.x + at.x) * IMAGE.y + at.y) * CHANNELS + number % CHANNELS;
    return vec2<u32>({{offset}} + select(0u, word, inside), u32(inside));
}

// Four numbers of a patch.
fn {{name}}_quad(place: vec3<u32>, number: u32) -> vec4<f32> {
    {{read}}
}

// [4 i, 4 k]: result[p][q] is the element (i + p, k + q) of the operand as the product uses it.
fn {{name}}_block(i: u32, k: u32) -> mat4x4<f32> {
    let rows = vec4<u32>({{first}}) + vec4<u32>(0u, 1u, 2u, 3u);
    let number = {{number}};
    let block = mat4x4<f32>({{name}}_quad({{name}}_place(rows.x), number), {{name}}_quad({{name}}_place(rows.y), number), {{name}}_quad({{name}}_place(rows.z), number), {{name}}_quad({{name}}_place(rows.w), number));
    return {{turned}};
}

// The same with zeros where k + q is past the end of the sum.
fn {{name}}_block_or_zero(i: u32, k: u32) -> mat4x4<f32> {
    let block = {{name}}_block(i, k);
    let inside = k + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(im.d0.z);
    let zero = vec4<f32>();
    return mat4x4<f32>(select(zero, block[0], inside), select(zero, block[1], inside), select(zero, block[2], inside), select(zero, block[3], inside));
}
