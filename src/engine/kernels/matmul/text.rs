//! The WGSL of a matrix product, C = A B, for one configuration.
//!
//! The shaders stand in `shaders/matmul_*.wgsl`; filled in are the constants of the configuration, what depends on the layout,
//! and lines that are repeated for every register. What becomes of a result is not the product's affair: the text calls
//! `epilogue(row, col, acc)` once for every element of C, and the caller brings that function and its bindings.
//!
//! Sizes, in the immediates: `d0 = (m, n, k, offset of A)`, `d1 = (stride of A, offset of B, stride of B, _)`, in words.

use super::choose::{Config, Layout};
use crate::kernels::Access;
use crate::kernels::wgsl::{Shader, rename};

const TILE: &str = include_str!("../../../../shaders/matmul_tile.wgsl");
const OPERAND: &str = include_str!("../../../../shaders/matmul_operand.wgsl");
const BROADCAST: &str = include_str!("../../../../shaders/matmul_broadcast.wgsl");
const REGISTERS: &str = include_str!("../../../../shaders/matmul_registers.wgsl");
const TILED: &str = include_str!("../../../../shaders/matmul_tiled.wgsl");
const SLICES: &str = include_str!("../../../../shaders/matmul_slices.wgsl");
pub const MAIN: &str = include_str!("../../../../shaders/matmul_main.wgsl");

const LANES: [char; 4] = ['x', 'y', 'z', 'w'];

/// What the caller's text brings besides `epilogue`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Hooks {
    /// `fn initial(col: u32) -> f32`, from which every sum of column `col` starts: a bias added this way is read once a tile
    /// instead of once a result.
    pub initial: bool,
    /// `fn epilogue_row_sum(row: u32, sum: f32)`, called once a row with Σ_k A(row, k): the gradient of a bias, on the way of
    /// that of the weights.
    pub row_sum: bool,
}

/// The whole module but for what `epilogue` brings: the immediates, the bindings from 2 on and the functions of `hooks`.
/// The operands are bindings 0 and 1, the entry point is `main`. A turn of the loop over the sum takes so many `blocks` of it.
pub fn wgsl(config: Config, layout: Layout, hooks: Hooks, blocks: usize, epilogue: &str) -> String {
    let bindings = binding(0, layout.wide_a, Access::Read) + &binding(1, layout.wide_b, Access::Read);
    let product = functions(config, layout, hooks, blocks, [0, 1]);
    let main = entry(config, Shader::new(MAIN).put("product", product));
    format!("{epilogue}\n{bindings}\n{main}")
}

/// The declaration of a binding, `b<index>`.
pub fn binding(index: usize, wide: bool, access: Access) -> String {
    let element = if wide { "vec4<f32>" } else { "f32" };
    let mode = if access == Access::Write { "read_write" } else { "read" };
    format!("@group(0) @binding({index}) var<storage, {mode}> b{index}: array<{element}>;\n")
}

/// The functions of a product whose operands are these bindings; `product(workgroup, lane)` makes one tile of C.
pub fn functions(config: Config, layout: Layout, hooks: Hooks, blocks: usize, bindings: [usize; 2]) -> String {
    functions_of(config, layout, hooks, blocks, operands(layout, bindings))
}

/// The readers of both operands, in these bindings.
pub fn operands(layout: Layout, [a, b]: [usize; 2]) -> [String; 2] {
    let a = operand("a", a, layout.wide_a, !layout.transpose_a, ["im.d0.x", "im.d0.w", "im.d1.x"]);
    let b = operand("b", b, layout.wide_b, layout.transpose_b, ["im.d0.y", "im.d1.y", "im.d1.z"]);
    [a, b]
}

/// The functions of a product whose operands are read by these functions.
pub fn functions_of(config: Config, layout: Layout, hooks: Hooks, blocks: usize, [a, b]: [String; 2]) -> String {
    let body = match config {
        Config::Broadcast { subgroup, rows, swapped } => broadcast(subgroup, rows, swapped, hooks, blocks),
        Config::Registers { micro } => registers(micro, hooks, blocks),
        Config::Tiled { .. } => tiled(config, layout, hooks),
    };
    TILE.to_string() + "\n" + &body.put("operands", a + "\n" + &b).put("epilogue", "").text()
}

/// An entry point, the size of its workgroups and the number of an invocation in one being the configuration's.
pub fn entry(config: Config, main: Shader) -> String {
    let main = main.set("WORKGROUP", config.threads());
    match config {
        Config::Broadcast { .. } => main.put("lane", "@builtin(subgroup_invocation_id) lane: u32,"),
        Config::Registers { .. } | Config::Tiled { .. } => main,
    }
    .text()
}

/// One operand's block reader. `[extent, offset, stride]` are the immediates that hold them.
fn operand(name: &str, binding: usize, wide: bool, along_k: bool, [extent, offset, stride]: [&str; 3]) -> String {
    let sizes = [("extent", extent), ("offset", offset), ("stride", stride), ("along_k", &along_k.to_string())];
    let sizes = sizes.map(|(name, value)| format!("let {name} = {value};"));
    let mut shader = Shader::new(OPERAND).put("binding", "").put("sizes", lines(sizes));
    if wide {
        shader = shader.put("read", "return b0[at.x / 4u];");
    }
    rename(&shader.text(), |word| match word.strip_prefix("a_") {
        Some(function) => Some(format!("{name}_{function}")),
        None => (word == "b0").then(|| format!("b{binding}")),
    })
}

fn broadcast(subgroup: u32, rows: u32, swapped: bool, hooks: Hooks, blocks: usize) -> Shader {
    let groups = rows / 4;
    let quads = subgroup / groups; // groups of four k in a step
    let [x, y] = if swapped { ["b", "a"] } else { ["a", "b"] };
    let broadcast_sums = hooks.row_sum && !swapped;
    let lane_sums = hooks.row_sum && swapped;

    let mut accumulators = Vec::new();
    if hooks.initial && !swapped {
        let columns: Vec<_> = (0..4).map(|c| format!("initial(min(j0 + {c}u, y_end - 1u))")).collect();
        accumulators.push(format!("let start = vec4<f32>({});", columns.join(", ")));
    }
    accumulators.extend((0..rows).map(|r| match (hooks.initial, swapped) {
        (false, _) => format!("var c{r} = vec4<f32>();"),
        (true, false) => format!("var c{r} = start;"),
        (true, true) => format!("var c{r} = vec4<f32>(initial(min(i0 + {r}u, x_end - 1u)));"),
    }));
    let mut steps = vec![format!("let x = {x}_block_or_zero(i0 + lane % GROUPS * 4u, k + lane / GROUPS * 4u);")];
    if hooks.row_sum {
        accumulators.push("var sums = vec4<f32>();".into());
    }
    if broadcast_sums {
        steps.push("sums += transpose(x) * vec4<f32>(1.0);".into());
    }
    for quad in 0..quads {
        // A sum over the lane side must not count what lies past the end of k; a product need not care, x is zero there.
        let block = if lane_sums { "block_or_zero" } else { "block" };
        steps.push(format!("let y{quad} = transpose({y}_{block}(j0, k + {}u));", 4 * quad));
        if lane_sums {
            steps.push(format!("sums += y{quad} * vec4<f32>(1.0);"));
        }
        for r in 0..rows {
            let lane = r / 4 + quad * groups;
            steps.push(format!("c{r} = accumulate(c{r}, subgroupBroadcast(x[{}], {lane}u), y{quad});", r % 4));
        }
    }
    let mut sums = Vec::new();
    if broadcast_sums {
        for g in 0..groups {
            let parts: Vec<_> =
                (0..quads).map(|quad| format!("subgroupBroadcast(sums, {}u)", g + quad * groups)).collect();
            sums.push(format!("let sum{g} = {};", parts.join(" + ")));
        }
    }
    if lane_sums {
        let lane = |c: u32| {
            format!("if (i0 == 0u && j0 + {c}u < y_end) {{ epilogue_row_sum(j0 + {c}u, sums.{}); }}", LANES[c as usize])
        };
        sums.extend((0..4).map(lane));
    }
    let select_row = |r: u32| {
        let sum =
            if broadcast_sums { format!(" sum = sum{}.{};", r / 4, LANES[r as usize % 4]) } else { String::new() };
        format!("case {r}u: {{ c = c{r};{sum} }}")
    };
    let shader = Shader::new(BROADCAST)
        .set("SUBGROUP", subgroup)
        .set("ROWS", rows)
        .set("BLOCKS", blocks)
        .put("accumulators", lines(accumulators))
        .put("steps", turn(blocks, "K_STEP", &lines(steps)))
        .put("sums", lines(sums))
        .put("row_sum", given(broadcast_sums, "var sum = 0.0;"))
        .put("select_row", lines((0..rows).map(select_row)))
        .put("deliver_sum", given(broadcast_sums, "if (j0 == 0u) { epilogue_row_sum(i0 + r, sum); }"));
    if swapped {
        let ends = "let x_end = im.d0.y;\nlet y_end = im.d0.x;";
        shader.put("ends", ends).put("deliver", "if (j < im.d0.x) { epilogue(j, i, value); }")
    } else {
        shader
    }
}

fn registers(micro: u32, hooks: Hooks, blocks: usize) -> Shader {
    let groups = micro / 4;
    let mut steps = Vec::new();
    for g in 0..groups {
        steps.push(format!("let x{g} = a_block_or_zero(i0 + {}u, k);", 4 * g));
        steps.push(format!("let y{g} = transpose(b_block(j0 + {}u, k));", 4 * g));
        if hooks.row_sum {
            steps.push(format!("sums{g} += transpose(x{g}) * vec4<f32>(1.0);"));
        }
    }
    for (r, h) in pairs(micro, groups) {
        steps.push(format!("c{r}_{h} = accumulate(c{r}_{h}, x{}[{}], y{h});", r / 4, r % 4));
    }
    let column = |h: u32| format!("j0 + {}u", 4 * h);
    Shader::new(REGISTERS)
        .set("MICRO", micro)
        .set("BLOCKS", blocks)
        .put("accumulators", accumulators(micro, groups, hooks, "true", column))
        .put("steps", turn(blocks, "4u", &lines(steps)))
        .put("row", row(groups, hooks))
        .put("select_row", select_row(micro, groups, hooks))
        .put("deliver", deliver(groups, "i0 + r", column))
        .put("deliver_sum", given(hooks.row_sum, "if (j0 == 0u) { epilogue_row_sum(i0 + r, sum); }"))
}

fn tiled(config: Config, layout: Layout, hooks: Hooks) -> Shader {
    let Config::Tiled { tile_m, tile_n, tile_k, micro_m, micro_n, slices } = config else {
        unreachable!("tiles are asked for");
    };
    let (x_groups, y_groups) = (micro_m / 4, micro_n / 4);
    let per_thread = ((tile_m + tile_n) * tile_k / 16).div_ceil(config.threads());
    let blocks = |line: &dyn Fn(u32, String) -> String| {
        lines(
            (0..per_thread).map(|p| line(p, if p == 0 { "thread".into() } else { format!("thread + {p}u * THREADS") })),
        )
    };
    let mut steps = Vec::new();
    for g in 0..x_groups {
        steps.push(format!("let x{g} = a_tile[k * A_PITCH + down + {g}u * DOWN];"));
        if hooks.row_sum {
            steps.push(format!("if (tile.x == 0u) {{ sums{g} += x{g}; }}"));
        }
    }
    for h in 0..y_groups {
        steps.push(format!("let y{h} = b_tile[k * B_PITCH + across + {h}u * ACROSS];"));
    }
    for (r, h) in pairs(micro_m, y_groups) {
        steps.push(format!("c{r}_{h} = fma(vec4<f32>(x{}.{}), y{h}, c{r}_{h});", r / 4, LANES[r as usize % 4]));
    }
    let mut add_slices = Vec::new();
    if slices > 1 {
        let sums = (0..x_groups).filter(|_| hooks.row_sum).map(|g| format!("sums{g}"));
        let registers = pairs(micro_m, y_groups).map(|(r, h)| format!("c{r}_{h}")).chain(sums);
        add_slices.extend(registers.map(|register| format!("{register} = add_slices(thread, {register});")));
    }
    let column = |h: u32| format!("j0 + (across + {h}u * ACROSS) * 4u");
    let along_k = [("A", !layout.transpose_a), ("B", layout.transpose_b)];
    Shader::new(TILED)
        .set("TILE_M", tile_m)
        .set("TILE_N", tile_n)
        .set("TILE_K", tile_k)
        .set("MICRO_M", micro_m)
        .set("MICRO_N", micro_n)
        .set("SLICES", slices)
        .put("layout", lines(along_k.map(|(side, along_k)| format!("const {side}_ALONG_K = {along_k};"))))
        .put("slices", if slices > 1 { Shader::new(SLICES).text() } else { String::new() })
        .put("accumulators", accumulators(micro_m, y_groups, hooks, "slice == 0u", column))
        .put("fetch_first", blocks(&|p, id| format!("var staged{p} = fetch({id}, i0, j0, 0u);")))
        .put("fetch_next", blocks(&|p, id| format!("staged{p} = fetch({id}, i0, j0, k0 + TILE_K);")))
        .put("put", blocks(&|p, id| format!("put({id}, staged{p});")))
        .put("steps", lines(steps))
        .put("add_slices", lines(add_slices))
        .put("row", row(y_groups, hooks))
        .put("select_row", select_row(micro_m, y_groups, hooks))
        .put("deliver", deliver(y_groups, "i", column))
        .put("deliver_sum", given(hooks.row_sum, "if (tile.x == 0u && across == 0u) { epilogue_row_sum(i, sum); }"))
}

/// One turn of a loop over a sum: so many blocks of it, `step` apart. What lies past the end is read as zero and counts for
/// nothing.
fn turn(blocks: usize, step: &str, block: &str) -> String {
    lines((0..blocks).map(|b| format!("{{\nlet k = turn + {b}u * {step};\n{block}\n}}")))
}

/// Declares a micro-tile: `c{row}_{group of four columns}`, and `sums{group of four rows}` where row sums are asked for.
fn accumulators(rows: u32, groups: u32, hooks: Hooks, starts_here: &str, column: impl Fn(u32) -> String) -> String {
    let mut text = Vec::new();
    for h in 0..groups {
        let start = if hooks.initial {
            let parts: Vec<_> = (0..4).map(|c| format!("initial(min({} + {c}u, im.d0.y - 1u))", column(h))).collect();
            format!("select(vec4<f32>(), vec4<f32>({}), {starts_here})", parts.join(", "))
        } else {
            "vec4<f32>()".into()
        };
        text.push(format!("let start{h} = {start};"));
    }
    text.extend(pairs(rows, groups).map(|(r, h)| format!("var c{r}_{h} = start{h};")));
    if hooks.row_sum {
        text.extend((0..rows / 4).map(|g| format!("var sums{g} = vec4<f32>();")));
    }
    lines(text)
}

/// Declares what one turn of the loop over rows hands to the epilogue.
fn row(groups: u32, hooks: Hooks) -> String {
    let sum = hooks.row_sum.then(|| "var sum = 0.0;".into());
    lines((0..groups).map(|h| format!("var c_{h} = vec4<f32>();")).chain(sum))
}

/// The cases that pick one row of a micro-tile out of its registers.
fn select_row(rows: u32, groups: u32, hooks: Hooks) -> String {
    lines((0..rows).map(|r| {
        let columns: String = (0..groups).map(|h| format!("c_{h} = c{r}_{h}; ")).collect();
        let sum =
            if hooks.row_sum { format!("sum = sums{}.{}; ", r / 4, LANES[r as usize % 4]) } else { String::new() };
        format!("case {r}u: {{ {columns}{sum}}}")
    }))
}

/// Hands the picked row over, column by column.
fn deliver(groups: u32, row: &str, column: impl Fn(u32) -> String) -> String {
    let each = |(h, c): (u32, u32)| format!("deliver({row}, {} + {c}u, c_{h}.{});", column(h), LANES[c as usize]);
    lines(pairs(groups, 4).map(each))
}

fn given(condition: bool, text: &str) -> String {
    if condition { text.into() } else { String::new() }
}

fn pairs(rows: u32, columns: u32) -> impl Iterator<Item = (u32, u32)> {
    (0..rows).flat_map(move |r| (0..columns).map(move |c| (r, c)))
}

fn lines(text: impl IntoIterator<Item = String>) -> String {
    text.into_iter().collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use naga::valid::{Capabilities, ShaderStages, SubgroupOperationSet, ValidationFlags, Validator};

    use super::super::choose::candidates;
    use super::*;
    use crate::kernels::{IMMEDIATES, Traits};

    const EPILOGUE: &str = "
        @group(0) @binding(2) var<storage, read_write> c: array<f32>;
        fn initial(col: u32) -> f32 { return f32(col); }
        fn epilogue(row: u32, col: u32, acc: f32) { c[row * im.d0.y + col] = acc; }
        fn epilogue_row_sum(row: u32, sum: f32) { c[row] = sum; }";

    #[test]
    fn every_text_is_valid() {
        let adapters = [(true, None), (true, Some(4)), (true, Some(8)), (true, Some(16)), (false, None)];
        for (software, subgroup_size) in adapters {
            let traits = Traits { software, subgroup_size };
            for bits in 0..64 {
                let [transpose_a, transpose_b, wide_a, wide_b, initial, row_sum] =
                    [0, 1, 2, 3, 4, 5].map(|b| bits >> b & 1 == 1);
                let layout = Layout { transpose_a, transpose_b, wide_a, wide_b };
                for config in candidates(128, 20, 400, layout, &traits) {
                    let hooks = Hooks { initial, row_sum };
                    let blocks = if bits % 3 == 0 { 3 } else { 1 };
                    let text = wgsl(config, layout, hooks, blocks, &format!("{IMMEDIATES}{EPILOGUE}"));
                    assert!(!text.contains("//="), "{config:?}: a mark is left\n{text}");
                    let module =
                        naga::front::wgsl::parse_str(&text).unwrap_or_else(|e| panic!("{}", e.emit_to_string(&text)));
                    Validator::new(ValidationFlags::all(), Capabilities::all())
                        .subgroup_stages(ShaderStages::COMPUTE)
                        .subgroup_operations(SubgroupOperationSet::all())
                        .validate(&module)
                        .unwrap_or_else(|e| panic!("{config:?}: {}", e.emit_to_string(&text)));
                }
            }
        }
    }
}
