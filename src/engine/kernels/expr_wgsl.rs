//! Writes an [`Expr`] as WGSL.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::expr::{Expr, Instr, RandomStream, Reg, View};
use super::func::Source;
use super::wgsl::{Shader, rename};
use super::{Access, IMMEDIATES, RANDOM};

/// How an iteration space looks in the text: the names of its indices, and sizes that stand there by name.
pub(super) struct Names<'a> {
    /// The WGSL expression of each dimension's index (`u32`).
    pub index: &'a [&'a str],
    /// A stride of this many words is written as this expression, so that texts of different shapes can be equal.
    pub symbol: Option<(usize, &'a str)>,
}

/// The preludes an expression needs: functions and the random generator.
pub(super) fn prelude<'a>(exprs: impl IntoIterator<Item = &'a Expr>) -> String {
    let (mut files, mut random) = (BTreeSet::new(), false);
    for instr in exprs.into_iter().flat_map(|e| &e.instrs) {
        match instr {
            Instr::Call(func, _) => {
                if let Source::File(name, text) = func.source() {
                    files.insert((name, text));
                }
            }
            Instr::Normal(..) | Instr::Uniform(..) => random = true,
            _ => {}
        }
    }
    let mut out = String::from(IMMEDIATES);
    if random {
        out += &Shader::new(RANDOM).text();
    }
    for (_, text) in files {
        out += text;
    }
    out
}

/// The declarations of bindings `first..`, each an array of f32 named `b<index>`.
pub(super) fn declare(access: &[Access], first: usize) -> String {
    let mut out = String::new();
    for (i, access) in access.iter().enumerate().skip(first) {
        let mode = match access {
            Access::Read => "read",
            Access::Write => "read_write",
        };
        writeln!(out, "@group(0) @binding({i}) var<storage, {mode}> b{i}: array<f32>;").expect("strings grow");
    }
    out
}

/// The word of a view, as a `u32` expression.
pub(super) fn word(view: &View, names: &Names) -> String {
    let mut terms = Vec::new();
    if view.offset > 0 || view.strides.iter().all(|&s| s == 0) {
        terms.push(format!("{}u", view.offset));
    }
    for (&stride, index) in view.strides.iter().zip(names.index) {
        match (stride, names.symbol) {
            (0, _) => {}
            (1, _) => terms.push((*index).to_string()),
            (s, Some((size, symbol))) if s == size => terms.push(format!("{index} * {symbol}")),
            (s, _) => terms.push(format!("{index} * {s}u")),
        }
    }
    terms.join(" + ")
}

/// The name of a register; `suffix` tells the copies of an unrolled body apart.
pub(super) fn register(reg: Reg, suffix: &str) -> String {
    format!("v{reg}{suffix}")
}

/// The statements that compute every register of an expression.
pub(super) fn body(expr: &Expr, names: &Names, acc: &str, suffix: &str) -> String {
    let mut out = String::new();
    for (i, instr) in expr.instrs.iter().enumerate() {
        let value = match instr {
            Instr::Load(l) => {
                let load = &expr.loads[*l];
                format!("b{}[{}]", load.binding, word(&load.view, names))
            }
            Instr::Acc => acc.to_string(),
            Instr::Const(c) => constant(*c),
            Instr::Scalar(slot) => format!("im.s{}[{}]", slot / 4, slot % 4),
            Instr::Rows => "f32(im.rows)".to_string(),
            Instr::RowOffset => "f32(im.row_offset)".to_string(),
            Instr::Coordinate(d, offset) => format!("f32({} + {offset}u)", names.index[*d]),
            Instr::Normal(stream, view) => draw("normal4", *stream, view, names),
            Instr::Uniform(stream, view) => draw("uniform4", *stream, view, names),
            Instr::Call(func, args) => {
                let args: Vec<String> = args[..func.arity()].iter().map(|&r| register(r, suffix)).collect();
                match func.source() {
                    Source::Inline(expression) => rename(expression, |word| {
                        ["a", "b", "c"].iter().position(|name| *name == word).and_then(|k| args.get(k).cloned())
                    }),
                    Source::File(..) => format!("{}({})", func.name(), args.join(", ")),
                }
            }
        };
        writeln!(out, "let {} = {value};", register(i as Reg, suffix)).expect("strings grow");
    }
    out
}

fn draw(function: &str, RandomStream { number, per_row }: RandomStream, view: &View, names: &Names) -> String {
    let mut element = word(view, names);
    if per_row > 0 {
        element += &format!(" + im.row_offset * {per_row}u");
    }
    format!("{function}({number}u, ({element}) / 4u)[({element}) % 4u]")
}

/// An f32 literal that reads back as the same bits.
fn constant(c: f32) -> String {
    if c == c.trunc() && c.abs() < 1e6 {
        format!("{c:.1}")
    } else if c.is_finite() {
        format!("{c:e}f")
    } else {
        format!("bitcast<f32>({}u)", c.to_bits())
    }
}
