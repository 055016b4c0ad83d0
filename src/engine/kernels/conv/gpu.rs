//! The WGSL of products with patches: that of any product, with operands that compute where their elements stand.

use super::fold_product::FoldProduct;
use super::patch_product::{PatchProduct, Side};
use super::{Window, geometry, one, pair};
use crate::kernels::expr_wgsl::{declare, prelude};
use crate::kernels::matmul::{choose, text};
use crate::kernels::wgsl::{Shader, rename};
use crate::kernels::{Access, Module, Traits};

const PATCHES: &str = include_str!("../../../../shaders/conv_patches.wgsl");
const FOLD: &str = include_str!("../../../../shaders/conv_fold.wgsl");
const FOLD_MAIN: &str = include_str!("../../../../shaders/conv_fold_main.wgsl");

/// Four numbers whose words `word` gives one by one, or the first of four that stand side by side; 0 where there are none.
fn read(word: &str, binding: usize, wide: bool) -> String {
    if wide {
        return format!(
            "let at = {word}(place, number);\n    return select(vec4<f32>(), b{binding}[at.x / 4u], at.y == 1u);"
        );
    }
    let words: Vec<String> = (0..4).map(|i| format!("let at{i} = {word}(place, number + {i}u);")).collect();
    let each: Vec<String> = (0..4).map(|i| format!("select(0.0, b{binding}[at{i}.x], at{i}.y == 1u)")).collect();
    format!("{}\n    return vec4<f32>({});", words.join("\n    "), each.join(", "))
}

/// The reader of the operand that is patches.
fn patches(side: Side, wide: bool) -> String {
    let (name, binding) = if side == Side::A { ("a", 0) } else { ("b", 1) };
    let (sizes, first, turned) = match side {
        Side::A => (["im.d0.x", "im.d0.w"], "let first = i;\nlet number = k;", "return block;"),
        Side::B => (["im.d0.z", "im.d1.y"], "let first = k;\nlet number = i;", "return transpose(block);"),
    };
    let shader = Shader::new(PATCHES)
        .put("binding", "")
        .put("rows", format!("let rows = {};", sizes[0]))
        .put("offset", format!("let offset = {};", sizes[1]))
        .put("first", first)
        .put("turned", turned)
        .put("read", read("a_word", binding, wide));
    rename(&shader.text(), |word| word.strip_prefix("a_").map(|function| format!("{name}_{function}")))
}

/// The text of a product with patches.
pub(super) fn patch_product(of: &PatchProduct, traits: &Traits, choice: usize) -> Module {
    let PatchProduct { product, window, side, .. } = of;
    let (config, layout) = (product.chosen(traits, choice), product.layout());
    let mut operands = text::operands(layout, [0, 1]);
    operands[usize::from(*side == Side::B)] =
        patches(*side, if *side == Side::A { layout.wide_a } else { layout.wide_b });
    let functions = text::functions_of(config, layout, product.hooks(), product.blocks(config, traits), operands);
    let bindings = text::binding(0, layout.wide_a, Access::Read) + &text::binding(1, layout.wide_b, Access::Read);
    let epilogue = prelude([&product.expr]) + &declare(&product.access, 2) + &product.epilogue();
    let main = text::entry(config, Shader::new(text::MAIN).put("product", functions));
    let text = format!("{epilogue}\n{}\n{bindings}\n{main}", geometry(window));
    Module { text, workgroups: choose::workgroups(config, product.m, product.n) }
}

/// The text of a product that is folded.
pub(super) fn fold_product(of: &FoldProduct, traits: &Traits, choice: usize) -> Module {
    let FoldProduct { window, class, inputs, .. } = of;
    let (config, layout) = (class.chosen(traits, choice), class.layout());
    let read_b = if layout.wide_b {
        "return b1[at.x / 4u];"
    } else {
        "return vec4<f32>(b1[at.x], b1[at.y], b1[at.z], b1[at.w]);"
    };
    let fold =
        Shader::new(FOLD).put("around", "").put("read_a", read("a_word", 0, layout.wide_a)).put("read_b", read_b);
    let operands = [fold.text(), String::new()];
    let functions = text::functions_of(config, layout, class.hooks(), class.blocks(config, traits), operands);
    let bindings = text::binding(0, layout.wide_a, Access::Read) + &text::binding(1, layout.wide_b, Access::Read);
    let finish = class.epilogue().replace("fn epilogue(", "fn finish(");
    let epilogue = prelude([&class.expr]) + &declare(&class.access, 2) + &finish;
    let sizes = geometry(window)
        + &pair("GRID", FoldProduct::grid(window))
        + &pair("TAPS", FoldProduct::taps(window))
        + &one("INPUTS", *inputs);
    let main = text::entry(config, Shader::new(FOLD_MAIN).put("product", functions));
    let [x, y, _] = choose::workgroups(config, class.m, class.n);
    let classes = classes(window);
    Module { text: format!("{epilogue}\n{sizes}\n{bindings}\n{main}"), workgroups: [x, y, classes] }
}

/// Remainders of a pixel's coordinates by the stride.
fn classes(window: &Window) -> u32 {
    (window.stride[0] * window.stride[1]) as u32
}
