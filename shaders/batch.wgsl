// Gathers rows of the packed data set in the epoch's order and decodes them: one thread per few words of a batch row.
// im.d0.x is the number of rows in the data set; positions past its end repeat the last one and are masked later, or begin
// again where rows come in turn.
@group(0) @binding(0) var<storage, read> data: array<u32>;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let thread = id.x + id.y * {{launched}};
    let b = thread / {{threads_per_row}};
    if (b >= {{rows}}) {
        return;
    }
    let position = {{position}};
    let row = {{row}};
    let first = (thread % {{threads_per_row}}) * {{each}};
    for (var w = first; w < min(first + {{each}}, {{row_words}}); w += 1u) {
        let word = data[row * {{row_words}} + w];
        for (var k = 0u; k < {{per_word}}; k += 1u) {
            let j = w * {{per_word}} + k;
            if (j < {{features}}) {
                let value = {{decode}};
                let element = (im.row_offset + b) * {{features}} + j;
                x[b * {{features}} + j] = {{binarise}};
            }
        }
    }
}
