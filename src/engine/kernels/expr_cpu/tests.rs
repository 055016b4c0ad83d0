//! What a block of lanes gives is what its lanes give one by one.

use super::*;
use crate::kernels::{FUNCS, Fold, Kernel, Load, Map, Matmul, Operand, Reduction, Store};

const BLOCK: usize = 256;

/// What is compiled for the widest vectors of this processor gives the bits that one number at a time does, without any.
#[test]
fn vectors_of_any_width_give_the_same_bits() {
    let edges = [0.0, -0.0, 1.0, -1.0, 1e-40, -88.0, 89.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 1e30, -1e-6];
    let number = |i: usize| match edges.get(i % 23) {
        Some(&edge) if !i.is_multiple_of(3) => edge,
        _ => ((i * 7919 % 10_007) as f32 / 500.0 - 10.0) * if i.is_multiple_of(7) { 10.0 } else { 1.0 },
    };
    let mut memory: Vec<u32> = (0..3 * BLOCK).map(|i| number(i * 31 + i / 5).to_bits()).collect();
    let bound: Vec<_> = memory.chunks_mut(BLOCK).map(|words| (words.as_mut_ptr(), BLOCK)).collect();
    // SAFETY: three parts of memory that nothing else touches, and that lives on.
    let args = unsafe { Args::new(&bound) };
    for &(func, name, arity, ..) in FUNCS {
        let mut expr = Expr::default();
        let loads: Vec<Reg> =
            (0..arity).map(|binding| expr.load(Load { binding, view: View { offset: 0, strides: vec![1] } })).collect();
        let reg = expr.call(func, &loads);
        let row = Row { index: &[0], len: BLOCK, rows: 1, acc: &[] };
        let found = with_registers(&expr, &[Access::Read; 3], |regs| {
            evaluate(&expr, regs, &row, &args, &Step::default());
            regs.read(reg, &row, &args).to_vec()
        });
        let at = |binding: usize, i: usize| if binding < arity { args.read(binding)[i] } else { 0.0 };
        for (i, found) in found.iter().enumerate() {
            let [a, b, c] = [0, 1, 2].map(|binding| at(binding, i));
            let one = func.at(a, b, c);
            let same = found.to_bits() == one.to_bits() || found.is_nan() && one.is_nan();
            assert!(same, "{name}({a}, {b}, {c}): {found:e} and {one:e}");
        }
    }
}

fn number(i: usize) -> f32 {
    (i * 7919 % 10_007) as f32 / 500.0 - 10.0
}

/// Runs a kernel over words of its own, and gives them back.
fn run(kernel: &impl Kernel, bindings: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let mut words: Vec<Vec<f32>> = bindings.to_vec();
    let bound: Vec<_> = words.iter_mut().map(|b| (b.as_mut_ptr().cast::<u32>(), b.len())).collect();
    // SAFETY: these words are apart from each other, and nothing else touches them.
    kernel.run(&unsafe { Args::new(&bound) }, &Step::default());
    words
}

/// A map over one row that stores some registers, each to a binding.
fn map(expr: Expr, len: usize, stores: &[(Reg, usize)], access: Vec<Access>) -> Map {
    let view = View { offset: 0, strides: vec![1] };
    let stores = stores.iter().map(|&(reg, binding)| Store { reg, binding, view: view.clone() }).collect();
    Map { extents: vec![len], reduced: 0, expr, stores, reductions: vec![], access }
}

fn load(expr: &mut Expr, binding: usize) -> Reg {
    expr.load(Load { binding, view: View { offset: 0, strides: vec![1] } })
}

/// What is computed together has the bits of what is computed alone, whichever of the two comes first.
#[test]
fn twins_are_what_each_is_alone() {
    const LEN: usize = 1100;
    let inputs: Vec<Vec<f32>> = (0..3).map(|b| (0..LEN).map(|i| number(i * 3 + b * 17)).collect()).collect();
    type Pair = (fn(&mut Expr, [Reg; 3]) -> Reg, fn(f32, f32, f32) -> f32);
    let softplus: Pair = (|e, [a, ..]| e.call(Func::Softplus, &[a]), |a, b, c| Func::Softplus.at(a, b, c));
    let bernoulli: Pair =
        (|e, [a, b, _]| e.call(Func::BernoulliLogProb, &[a, b]), |a, b, c| Func::BernoulliLogProb.at(a, b, c));
    let sigmoid: Pair = (|e, [a, ..]| e.call(Func::Sigmoid, &[a]), |a, b, c| Func::Sigmoid.at(a, b, c));
    let gaussian: Pair =
        (|e, [a, b, c]| e.call(Func::GaussianLogProb, &[a, b, c]), |a, b, c| Func::GaussianLogProb.at(a, b, c));
    let precision: Pair = (
        |e, [_, _, c]| {
            let negated = e.call(Func::Neg, &[c]);
            e.call(Func::Exp, &[negated])
        },
        |_, _, c| Func::Exp.at(-c, 0.0, 0.0),
    );
    let mut shared = 0;
    for [first, second] in [[softplus, sigmoid], [bernoulli, sigmoid], [sigmoid, bernoulli], [gaussian, precision]] {
        let mut expr = Expr::default();
        let loads = [0, 1, 2].map(|binding| load(&mut expr, binding));
        let regs = [first.0(&mut expr, loads), second.0(&mut expr, loads)];
        shared += (0..expr.instrs.len()).filter(|&at| expr.twin(at).is_some()).count();
        let access = [vec![Access::Read; 3], vec![Access::Write; 2]].concat();
        let kernel = map(expr, LEN, &[(regs[0], 3), (regs[1], 4)], access);
        let found = run(&kernel, &[inputs.clone(), vec![vec![0.0; LEN]; 2]].concat());
        for i in 0..LEN {
            let [a, b, c] = [0, 1, 2].map(|b| inputs[b][i]);
            let alone = [first.1(a, b, c), second.1(a, b, c)];
            assert_eq!([found[3][i].to_bits(), found[4][i].to_bits()], alone.map(f32::to_bits), "of {a}, {b}, {c}");
        }
    }
    assert_eq!(shared, 3, "a sigmoid that comes first is computed first");
}

/// x is overwritten with its relu, and is still stored elsewhere as it was, times a number that all lanes share.
#[test]
fn what_is_overwritten_is_read_before() {
    const LEN: usize = 2500;
    let x: Vec<f32> = (0..LEN).map(number).collect();
    let mut expr = Expr::default();
    let loaded = load(&mut expr, 0);
    let relu = expr.call(Func::Relu, &[loaded]);
    let three = expr.push(Instr::Const(3.0));
    let [left, right] = [[three, loaded], [loaded, three]].map(|factors| expr.call(Func::Mul, &factors));
    let square = expr.call(Func::Mul, &[three, three]);
    let stores = [(relu, 0), (loaded, 1), (left, 2), (right, 3), (square, 4), (three, 5)];
    let kernel = map(expr, LEN, &stores, vec![Access::Write; 6]);
    let found = run(&kernel, &[vec![x.clone()], vec![vec![0.0; LEN]; 5]].concat());
    for (i, &x) in x.iter().enumerate() {
        let row: Vec<f32> = found.iter().map(|b| b[i]).collect();
        assert_eq!(row, [x.max(0.0), x, 3.0 * x, 3.0 * x, 9.0, 3.0], "lane {i}");
    }
}

/// C becomes the relu of the product, and D the product itself; in rows that are one, and in rows that a bias keeps apart.
#[test]
fn accumulators_last_until_all_is_stored() {
    let [m, n, k] = [37, 20, 3];
    let [a, b] = [m * k, k * n].map(|count| (0..count).map(number).collect::<Vec<_>>());
    let bias: Vec<f32> = (0..n).map(|j| number(j + 5)).collect();
    for biased in [false, true] {
        let mut expr = Expr::default();
        let acc = expr.push(Instr::Acc);
        let added = match biased {
            true => {
                let bias = expr.load(Load { binding: 2, view: View { offset: 0, strides: vec![0, 1] } });
                expr.call(Func::Add, &[acc, bias])
            }
            false => acc,
        };
        let relu = expr.call(Func::Relu, &[added]);
        let view = View { offset: 0, strides: vec![n, 1] };
        let store = |reg, binding| Store { reg, binding, view: view.clone() };
        let operand = |stride| Operand { offset: 0, stride, transposed: false };
        let access = [vec![Access::Read; 3], vec![Access::Write; 2]].concat();
        let stores = vec![store(relu, 3), store(acc, 4)];
        let product = Matmul { m, n, k, a: operand(k), b: operand(n), expr, stores, row_sums: None, access };
        let found = run(&product, &[vec![a.clone(), b.clone(), bias.clone()], vec![vec![0.0; m * n]; 2]].concat());
        for (i, (&relu, &sum)) in found[3].iter().zip(&found[4]).enumerate() {
            let exact: f64 = (0..k).map(|t| f64::from(a[i / n * k + t]) * f64::from(b[t * n + i % n])).sum();
            assert!((f64::from(sum) - exact).abs() < 1e-4, "{sum} is not {exact}");
            assert_eq!(relu, (sum + if biased { bias[i % n] } else { 0.0 }).max(0.0));
        }
    }
}

/// A product of two numbers that all lanes share, behind more registers than there are bits for: all its lanes are theirs, and not what an
/// expression before it has left there.
#[test]
fn products_beyond_the_bits_have_all_lanes() {
    const LEN: usize = 7;
    let x: Vec<f32> = (0..LEN).map(number).collect();
    let chain =
        |expr: &mut Expr, first: Reg, step: Reg| (0..140).fold(first, |sum, _| expr.call(Func::Add, &[sum, step]));
    let mut left = Expr::default();
    let loaded = load(&mut left, 0);
    let sum = chain(&mut left, loaded, loaded);
    run(&map(left, LEN, &[(sum, 1)], vec![Access::Read, Access::Write]), &[x.clone(), vec![0.0; LEN]]);

    let mut expr = Expr::default();
    let [two, three] = [2.0, 3.0].map(|number| expr.push(Instr::Const(number)));
    let loaded = load(&mut expr, 0);
    let sum = chain(&mut expr, loaded, two);
    let product = expr.call(Func::Mul, &[two, three]);
    assert!(product >= 128);
    let kernel = map(expr, LEN, &[(product, 1), (sum, 2)], vec![Access::Read, Access::Write, Access::Write]);
    let found = run(&kernel, &[x.clone(), vec![0.0; LEN], vec![0.0; LEN]]);
    assert_eq!(found[1], [6.0; LEN]);
    assert!(found[2].iter().zip(&x).all(|(sum, x)| (sum - x - 280.0).abs() < 1e-3));
}

/// What an expression without random numbers has at a point, one instruction after the other.
fn at_point(expr: &Expr, index: &[usize], bindings: &[Vec<f32>]) -> Vec<f32> {
    let mut regs: Vec<f32> = vec![];
    for instr in &expr.instrs {
        regs.push(match instr {
            Instr::Load(l) => bindings[expr.loads[*l].binding][expr.loads[*l].view.at(index)],
            Instr::Const(c) => *c,
            Instr::Coordinate(d, offset) => (index[*d] + offset) as f32,
            Instr::Call(func, [a, b, c]) => {
                let arg = |reg: &Reg| regs.get(usize::from(*reg)).copied().unwrap_or(0.0);
                func.at(arg(a), arg(b), arg(c))
            }
            _ => unreachable!("not in this test"),
        });
    }
    regs
}

/// Short rows are evaluated several at once: each point has the bits that it has by itself, whatever rows have in common and however they lie.
#[test]
fn rows_of_one_block_are_what_they_are_one_by_one() {
    let view = |offset: usize, strides: &[usize]| View { offset, strides: strides.to_vec() };
    // Rows that share a block; rows of one lane; one row a block; rows that are in pieces. Threads share the second.
    for [outer, rows, inner] in [[3, 90, 20], [2, 3000, 1], [2, 3, 700], [1, 2, 2100]] {
        for reduced in 0..=3 {
            let extents = vec![outer, rows, inner];
            let (points, kept) = (outer * rows * inner, extents[..3 - reduced].iter().product::<usize>());
            let mut expr = Expr::default();
            let dense = view(0, &[rows * inner, inner, 1]);
            let loads = [
                (0, dense.clone()),
                // A part of wider rows; one number a row; one row for all; every lane in a row of its own; the same number for all.
                (1, view(3, &[rows * (inner + 5), inner + 5, 1])),
                (2, view(1, &[rows, 1, 0])),
                (3, view(0, &[0, 0, 1])),
                (0, view(0, &[rows * inner, 1, rows])),
                (2, view(0, &[0, 0, 0])),
            ];
            let mut regs: Vec<Reg> =
                loads.into_iter().map(|(binding, view)| expr.load(Load { binding, view })).collect();
            regs.extend([0, 1, 2].map(|d| expr.push(Instr::Coordinate(d, d + 1))));
            let sum = regs[1..].iter().fold(regs[0], |sum, &reg| expr.call(Func::Add, &[sum, reg]));
            let shared = expr.call(Func::Mul, &[regs[5], regs[2]]);
            let product = expr.call(Func::Mul, &[shared, sum]);
            let stored = [(sum, dense.clone()), (product, view(0, &[rows * inner, 1, rows])), (shared, dense)];
            let stores: Vec<Store> = (4..)
                .zip(&stored)
                .map(|(binding, (reg, view))| Store { reg: *reg, binding, view: view.clone() })
                .collect();
            let folds = [(Fold::Sum, sum, 7), (Fold::Max, product, 8)];
            let kept_view = View::contiguous(&extents[..3 - reduced]);
            let reductions = folds
                .map(|(fold, reg, binding)| Reduction { fold, store: Store { reg, binding, view: kept_view.clone() } });
            let reductions = if reduced == 0 { vec![] } else { reductions.into() };
            let access = [vec![Access::Read; 4], vec![Access::Write; 5]].concat();
            // Whole numbers, whose sums are exact in any order.
            let input = |len: usize, by: usize| (0..len).map(|i| (i * by % 17) as f32 - 5.0).collect::<Vec<f32>>();
            let inputs = [
                input(points, 7),
                input(outer * rows * (inner + 5) + 3, 5),
                input(outer * rows + 1, 3),
                input(inner, 11),
            ];
            let mut bindings = inputs.to_vec();
            bindings.extend([points, points, points, kept, kept].map(|len| vec![f32::NAN; len]));
            let kernel = Map { extents: extents.clone(), reduced, expr: expr.clone(), stores, reductions, access };
            let found = run(&kernel, &bindings);
            let mut want = [vec![0.0; kept], vec![f32::MIN; kept]];
            let mut first_row = vec![];
            for point in 0..points {
                let index = [point / inner / rows, point / inner % rows, point % inner];
                let values = at_point(&expr, &index, &bindings);
                for (binding, (reg, view)) in (4..).zip(&stored) {
                    let value = values[usize::from(*reg)];
                    assert_eq!(found[binding][view.at(&index)].to_bits(), value.to_bits(), "{extents:?} at {index:?}");
                }
                let to = point / (points / kept);
                want[0][to] += values[usize::from(sum)];
                want[1][to] = want[1][to].max(values[usize::from(product)]);
                first_row.extend((point < inner).then(|| values[usize::from(sum)]));
            }
            if reduced > 0 {
                assert_eq!([&found[7], &found[8]], [&want[0], &want[1]], "{extents:?}, {reduced} of them reduced");
            }
            assert_ne!(found[4][inner..2 * inner], first_row, "rows differ");
        }
    }
}

/// Draws of rows that share a block are those of their places in the stream.
#[test]
fn rows_of_one_block_draw_their_own_numbers() {
    let extents = vec![40, 6];
    let step = Step { seed: [3, 9], step: 5, row_offset: 2, ..Step::default() };
    let stream = RandomStream { number: 4, per_row: 6 };
    // Row after row; a number for every row; columns of the stream.
    for strides in [[6, 1], [1, 0], [1, 40], [8, 1]] {
        let view = View { offset: 1, strides: strides.to_vec() };
        for normal in [true, false] {
            let mut expr = Expr::default();
            let instr = if normal { Instr::Normal(stream, view.clone()) } else { Instr::Uniform(stream, view.clone()) };
            let reg = expr.push(instr);
            let stores = vec![Store { reg, binding: 0, view: View::contiguous(&extents) }];
            let map = Map {
                extents: extents.clone(),
                reduced: 0,
                expr,
                stores,
                reductions: vec![],
                access: vec![Access::Write],
            };
            let mut words = vec![f32::NAN; 240];
            let bound = [(words.as_mut_ptr().cast::<u32>(), 240)];
            // SAFETY: nothing else touches these words.
            map.run(&unsafe { Args::new(&bound) }, &step);
            for (i, found) in words.iter().enumerate() {
                let element = view.at(&[i / 6, i % 6]) + 12;
                let four = if normal { normal4 } else { uniform4 }(&step, 4, element as u32 / 4);
                assert_eq!(found.to_bits(), four[element % 4].to_bits(), "{strides:?}, number {i}");
            }
            assert_ne!(words[0], words[12], "rows differ");
        }
    }
}
