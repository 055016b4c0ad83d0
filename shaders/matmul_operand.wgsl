//+ immediates
// One operand of a matrix product, read in 4x4 blocks. It is written for `a`; for `b`, the names begin with b. Its index along
// the result is i (a row of C for `a`, a column for `b`), its index along the sum is k. Out-of-range indices are clamped, never
// read past: what they bring is a valid element, and whoever multiplies takes care that it counts for nothing.
@group(0) @binding(0) var<storage, read> b0: array<f32>; //= binding

// The operand, at four offsets that follow one another (or repeat the last valid one).
fn a_quad(at: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(b0[at.x], b0[at.y], b0[at.z], b0[at.w]); //= read
}

// [4 i, 4 k]: result[p][q] is the element (i + p, k + q).
fn a_block(i: u32, k: u32) -> mat4x4<f32> {
    let extent = im.d0.x; //= sizes
    let offset = im.d0.w; //= sizes
    let stride = im.d1.x; //= sizes
    let along_k = true; //= sizes
    let rows = min(i + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(extent - 1u));
    let ks = min(k + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(im.d0.z - 1u));
    if (along_k) {
        // Neighbours along k stand side by side in memory.
        let at = offset + rows * stride;
        return mat4x4<f32>(a_quad(at.x + ks), a_quad(at.y + ks), a_quad(at.z + ks), a_quad(at.w + ks));
    }
    // Neighbours along i stand side by side in memory.
    let at = offset + ks * stride;
    return transpose(mat4x4<f32>(a_quad(at.x + rows), a_quad(at.y + rows), a_quad(at.z + rows), a_quad(at.w + rows)));
}

// The same with zeros where k + q is past the end of the sum.
fn a_block_or_zero(i: u32, k: u32) -> mat4x4<f32> {
    let block = a_block(i, k);
    let inside = k + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(im.d0.z);
    let zero = vec4<f32>();
    return mat4x4<f32>(select(zero, block[0], inside), select(zero, block[1], inside), select(zero, block[2], inside), select(zero, block[3], inside));
}
