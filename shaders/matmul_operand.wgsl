// One operand of a matrix product, read in 4x4 blocks. {{name}} is `a` or `b`; its index along the result is i (a row of C for
// `a`, a column for `b`), its index along the sum is k. Out-of-range indices are clamped, never read past: what they bring
// is a valid element, and whoever multiplies takes care that it counts for nothing.

// {{name}}, at four offsets that follow one another (or repeat the last valid one).
fn {{name}}_quad(at: vec4<u32>) -> vec4<f32> {
    {{read}}
}

// [4 i, 4 k]: result[p][q] is the element (i + p, k + q).
fn {{name}}_block(i: u32, k: u32) -> mat4x4<f32> {
    let rows = min(i + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>({{extent}} - 1u));
    let ks = min(k + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(im.d0.z - 1u));
    if ({{along_k}}) {
        // Neighbours along k stand side by side in memory.
        let at = {{offset}} + rows * {{stride}};
        return mat4x4<f32>({{name}}_quad(at.x + ks), {{name}}_quad(at.y + ks), {{name}}_quad(at.z + ks), {{name}}_quad(at.w + ks));
    }
    // Neighbours along i stand side by side in memory.
    let at = {{offset}} + ks * {{stride}};
    return transpose(mat4x4<f32>({{name}}_quad(at.x + rows), {{name}}_quad(at.y + rows), {{name}}_quad(at.z + rows), {{name}}_quad(at.w + rows)));
}

// The same with zeros where k + q is past the end of the sum.
fn {{name}}_block_or_zero(i: u32, k: u32) -> mat4x4<f32> {
    let block = {{name}}_block(i, k);
    let inside = k + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(im.d0.z);
    let zero = vec4<f32>();
    return mat4x4<f32>(select(zero, block[0], inside), select(zero, block[1], inside), select(zero, block[2], inside), select(zero, block[3], inside));
}
