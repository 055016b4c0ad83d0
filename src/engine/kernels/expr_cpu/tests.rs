//! What a block of lanes gives is what its lanes give one by one.

use super::*;
use crate::kernels::{FUNCS, Kernel, Load, Map, Matmul, Operand, Store};

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
        let row = Row { index: &[0], len: BLOCK, acc: &[] };
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
