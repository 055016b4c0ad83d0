// Gathers rows of the packed data set in the epoch's order and decodes them: one thread per few words of a batch row.
// im.d0 is the number of rows in the data set, rows of a window, rows of a buffer, and the first buffer that is bound here.
// Positions past the data set's end repeat the last one and are masked later, or begin again where rows come in turn.
{{buffers}}

// Where the row of a position lies. Data that is larger than memory comes in windows, of which two are held in turn.
fn place(position: u32) -> u32 {
    let window = im.d0.y;
    let part = position / window;
    let within = position % window;
    let rows = min(window, im.d0.x - part * window);
    let windows = (im.d0.x - 1u) / window + 1u;
    let held = select(0u, (im.epoch * windows + part) % 2u * window, windows > 1u);
    return held + {{within}};
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let thread = id.x + id.y * {{launched}};
    let b = thread / {{threads_per_row}};
    if (b >= {{rows}}) {
        return;
    }
    let row = place({{position}});
    // Rows of other buffers are another call's.
    let buffer = row / im.d0.z - im.d0.w;
    if (buffer >= {{bound}}) {
        return;
    }
    let start = row % im.d0.z * {{row_words}};
    let first = (thread % {{threads_per_row}}) * {{each}};
    for (var w = first; w < min(first + {{each}}, {{row_words}}); w += 1u) {
        let word = word_of(buffer, start + w);
        for (var k = 0u; k < {{per_word}}; k += 1u) {
            let j = w * {{per_word}} + k;
            if (j < {{features}}) {
                let element = b * {{features}} + j;
                let value = {{decode}};
                x[element] = {{binarise}};
            }
        }
    }
}
