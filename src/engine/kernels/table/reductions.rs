//! Cases of sums and largest elements: over rows, columns and everything; and the statistics of a step.

use super::build::{Build, shape, view};
use super::{Case, Fill, Input, Scale};
use crate::kernels::{Access, Columns, Expr, Func, Instr, Item, Load, Statistics};

/// Lengths around the edges of the tree's 64 threads, of its threshold of 16, and of the CPU's blocks of 256.
const LENGTHS: [usize; 10] = [1, 15, 16, 17, 63, 64, 65, 255, 257, 1009];

pub(super) fn reductions() -> Vec<Case> {
    let mut all: Vec<Case> = LENGTHS.iter().map(|&n| rows(7, n)).collect();
    all.extend([
        rows(1, 5),
        rows(1, 4096),
        rows(3, 70_001),
        rows(97, 31),
        rows(5003, 3),
        rows(5003, 65),
        rows(128, 784).realistic(),
    ]);
    all.extend([columns(5, 97), columns(67, 64), columns(128, 400).realistic()]);
    all.extend([many_rows(1024, 2), many_rows(5003, 33), many_rows(2049, 300), weighted_rows()]);
    all.extend([everything(&[1]), everything(&[13, 29]), everything(&[4, 3, 5, 7]), everything(&[128, 784])]);
    // Longer than 64 loops of some drivers.
    all.push(rows(1, 4_300_000).roundings(4_300_000 / 64 + 6).rule_only());
    all.extend([middle(), several(), wide_launch()]);
    all.extend([largest(7, 1), largest(7, 63), largest(7, 257), largest(5003, 3), largest(3, 70_001)]);
    all
}

/// Σ_j x[i, j]².
fn rows(kept: usize, reduced: usize) -> Case {
    let mut build = Build::new(&[kept, reduced], 1);
    let x = build.load(Fill::Normal(0.5, 1.0));
    let y = build.call(Func::Square, &[x]);
    build.sum(y);
    summed(build.case(format!("rows of {kept}×{reduced}")), reduced)
}

/// Σ_i x[i, j].
fn columns(reduced: usize, kept: usize) -> Case {
    let mut build = Build::new(&[kept, reduced], 1);
    let x = build.load_view(Fill::Normal(0.0, 1.0), view(0, &[1, kept]));
    build.sum(x);
    summed(build.case(format!("columns of {reduced}×{kept}")), reduced)
}

/// Σ_i x[i, j] − y[i, j] over so many rows that they are summed as they lie, with a store at every point.
fn many_rows(reduced: usize, kept: usize) -> Case {
    let mut build = Build::new(&[kept, reduced], 1);
    let across = view(0, &[1, kept]);
    let (x, y) = (
        build.load_view(Fill::Normal(0.0, 1.0), across.clone()),
        build.load_view(Fill::Normal(0.0, 1.0), across.clone()),
    );
    let difference = build.call(Func::Sub, &[x, y]);
    let binding = build.bind(Access::Write, Input::output(kept * reduced));
    build.store_to(binding, difference, across);
    build.sum(difference);
    build.sum(x);
    by_rows(build, format!("rows of {reduced}×{kept}"), reduced)
}

/// Σ over two axes of what is weighted by row and by column, where there are gaps between rows.
fn weighted_rows() -> Case {
    let mut build = Build::new(&[21, 40, 30], 2);
    let x = build.load_view(Fill::Normal(0.0, 1.0), view(2, &[1, 30 * 25, 25]));
    let weight = build.load_view(Fill::Normal(0.0, 1.0), view(0, &[1, 0, 0]));
    let row = build.push(Instr::Coordinate(1, 3));
    let product = build.call(Func::Mul, &[x, weight]);
    let product = build.call(Func::Mul, &[product, row]);
    build.sum(product);
    by_rows(build, "rows of 40×30×21, weighted".to_string(), 1200 * 40)
}

fn by_rows(build: Build, label: String, length: usize) -> Case {
    let Build { map, inputs } = build;
    assert!(Columns::takes(&map), "{label}");
    summed(Case::new(label, Columns::new(map), inputs), length)
}

/// Σ |x|.
fn everything(extents: &[usize]) -> Case {
    let mut build = Build::new(extents, extents.len());
    let x = build.load(Fill::Normal(0.0, 1.0));
    let y = build.call(Func::Abs, &[x]);
    build.sum(y);
    summed(build.case(format!("all of {}", shape(extents))), extents.iter().product())
}

/// The sum over the first and the last of three axes, with a store at every point.
fn middle() -> Case {
    let mut build = Build::new(&[19, 6, 11], 2);
    let x = build.load_view(Fill::Normal(0.0, 1.0), view(0, &[11, 209, 1]));
    build.sum(x);
    let y = build.call(Func::Neg, &[x]);
    build.store(y);
    summed(build.case("first and last axis of 6×19×11, with a store"), 66)
}

/// Three sums and a draw in one pass.
fn several() -> Case {
    let mut build = Build::new(&[23, 130], 1);
    let x = build.load(Fill::Normal(0.0, 1.0));
    let u = build.push(Instr::Uniform(2.into(), view(0, &[130, 1])));
    let product = build.call(Func::Mul, &[x, u]);
    build.sum(x);
    build.sum(u);
    build.sum(product);
    summed(build.case("three sums over 23×130"), 130)
}

/// More sums than one dimension of a launch has workgroups.
fn wide_launch() -> Case {
    let mut build = Build::new(&[65_536 + 41, 64], 1);
    let x = build.load_view(Fill::Normal(0.0, 1.0), view(0, &[1, 1]));
    build.sum(x);
    summed(build.case("65577 sums of 64"), 64)
}

/// max_j x[i, j] of negative numbers, with their sum.
fn largest(kept: usize, reduced: usize) -> Case {
    let mut build = Build::new(&[kept, reduced], 1);
    let x = build.load(Fill::Normal(-3.0, 0.5));
    build.largest(x);
    build.sum(x);
    summed(build.case(format!("largest and sum of {kept}×{reduced}")), reduced)
}

fn summed(case: Case, length: usize) -> Case {
    case.roundings(length).scale(Scale::Largest((length as f32).sqrt()))
}

pub(super) fn statistics() -> Vec<Case> {
    let single = Statistics { items: vec![item(&[77], 0)], inputs: 1 };
    let inputs = |counts: &[usize], items: usize| -> Vec<Input> {
        let mut all: Vec<Input> = counts.iter().map(|&n| Input::new(n, Fill::Normal(0.25, 1.0))).collect();
        all.push(Input::output(256 * items));
        all
    };
    let mut four = Statistics { items: vec![item(&[128], 0), item(&[128, 20], 1), item(&[1], 2)], inputs: 3 };
    // The mean of |x| over the live rows of a batch: the fused form that a loss takes.
    let mut expr = Expr::default();
    let x = expr.load(Load { binding: 1, view: view(0, &[20, 1]) });
    let size = expr.call(Func::Abs, &[x]);
    let (row, rows) = (expr.push(Instr::Coordinate(0, 0)), expr.push(Instr::Rows));
    let live = expr.call(Func::Less, &[row, rows]);
    let weight = expr.call(Func::Div, &[live, rows]);
    let reg = expr.call(Func::Mul, &[size, weight]);
    four.items.push(Item { extents: vec![128, 20], expr, reg });
    let mut all = vec![
        summed(Case::new("one item of 77", single, inputs(&[77], 1)), 77),
        summed(Case::new("four items of a batch of 128", four, inputs(&[128, 2560, 1], 4)), 2560).realistic(),
    ];
    // Longer than 64 loops of some drivers.
    let long = Statistics { items: vec![item(&[4_300_000], 0)], inputs: 1 };
    let long = Case::new("one item of 4300000", long, inputs(&[4_300_000], 1));
    all.push(summed(long, 4_300_000).roundings(4_300_000 / 64 + 6).rule_only());
    for case in &mut all {
        // Every step writes the next slot of the ring, and only that.
        let step = case.steps[0];
        case.steps = (0..3).map(|s| crate::kernels::Step { slot: s, rows: 100, ..step }).collect();
    }
    all
}

fn item(extents: &[usize], binding: usize) -> Item {
    let mut expr = Expr::default();
    let strides = crate::kernels::View::contiguous(extents);
    let x = expr.load(Load { binding, view: strides });
    let reg = expr.call(Func::Square, &[x]);
    Item { extents: extents.to_vec(), expr, reg }
}
