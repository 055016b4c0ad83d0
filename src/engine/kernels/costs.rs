//! What the kernels say that they cost, and which words a view touches, against counts made by hand.

use super::*;
use crate::catalogue::{Spec, build};

fn view(strides: &[usize]) -> View {
    View { offset: 0, strides: strides.to_vec() }
}

fn store(reg: Reg, binding: usize, strides: &[usize]) -> Store {
    Store { reg, binding, view: view(strides) }
}

/// e^(x + b) of x `[5, 3]` and b `[3]`: two instructions that compute.
fn expression() -> (Expr, Reg) {
    let mut expr = Expr::default();
    let x = expr.load(Load { binding: 0, view: view(&[3, 1]) });
    let b = expr.load(Load { binding: 1, view: view(&[0, 1]) });
    let sum = expr.call(Func::Add, &[x, b]);
    let reg = expr.call(Func::Exp, &[sum]);
    (expr, reg)
}

#[test]
fn views() {
    // Of [2, 3, 4], the element (1, 2, 3) is the last of 24.
    let dense = View::contiguous(&[2, 3, 4]);
    assert_eq!(dense.strides, [12, 4, 1]);
    assert_eq!((dense.at(&[1, 0, 2]), dense.at(&[1, 2, 3]), dense.last(&[2, 3, 4])), (14, 23, 23));
    // Every second word of 5, repeated for 7 rows, from word 10 on.
    let apart = View { offset: 10, strides: vec![0, 2] };
    assert_eq!((apart.at(&[6, 4]), apart.last(&[7, 5])), (18, 18));
}

#[test]
fn an_expression_counts_what_it_computes() {
    let (mut expr, _) = expression();
    assert_eq!(expr.flops(), 2);
    expr.push(Instr::Const(2.0));
    expr.push(Instr::Uniform(3.into(), view(&[3, 1])));
    assert_eq!(expr.flops(), 4);
    expr.push(Instr::Normal(4.into(), view(&[3, 1])));
    assert_eq!(expr.flops(), 24);
    // The same once more is nothing new.
    expr.push(Instr::Normal(4.into(), view(&[3, 1])));
    assert_eq!(expr.flops(), 24);
}

/// What the CPU executor computes of a likelihood and its gradient is what its polynomials are made of, the exponential that both begin with counted once.
#[test]
fn an_expression_counts_what_the_cpu_computes() {
    let mut expr = Expr::default();
    let [logit, x] = [0, 1].map(|binding| expr.load(Load { binding, view: view(&[3, 1]) }));
    expr.call(Func::BernoulliLogProb, &[logit, x]);
    // e^−|l|: 29. ln(1 + e): 15 and a division. max(l, 0), a sum, x·l and a difference: 4.
    assert_eq!(expr.work(), Work::new(48.0, 1.0));
    let mean = expr.call(Func::Sigmoid, &[logit]);
    // Beside it the sigmoid is a comparison, a selection, a sum and a division; by itself it begins with its own exponential.
    assert_eq!(expr.work(), Work::new(51.0, 2.0));
    assert_eq!(Func::Sigmoid.work(), Work::new(32.0, 1.0));
    expr.call(Func::Sub, &[mean, x]);
    assert_eq!(expr.work(), Work::new(52.0, 2.0));
    // A draw: twenty operations of Philox and four of the uniform; of a normal besides half of a logarithm (45), a sine and a cosine (35), three
    // products and a root.
    let mut drawn = Expr::default();
    drawn.push(Instr::Uniform(3.into(), view(&[3, 1])));
    assert_eq!(drawn.work(), Work::of(24.0));
    drawn.push(Instr::Normal(3.into(), view(&[3, 1])));
    assert_eq!(drawn.work(), Work::new(24.0 + 65.5, 0.5));
}

#[test]
fn a_map() {
    let (expr, reg) = expression();
    let access = vec![Access::Read, Access::Read, Access::Write];
    let mut map =
        Map { extents: vec![5, 3], reduced: 0, expr, stores: vec![store(reg, 2, &[3, 1])], reductions: vec![], access };
    // Reads 15 + 3 words, writes 15.
    // e^x is 38 operations on the CPU.
    assert_eq!(map.cost(), Cost { flops: 30.0, work: Work::of(585.0), bytes_read: 72.0, bytes_written: 60.0 });
    // Sums of rows: one more addition a point, 5 words more.
    map.reduced = 1;
    map.reductions.push(Reduction { fold: Fold::Sum, store: store(reg, 2, &[1]) });
    assert_eq!(map.cost(), Cost { flops: 45.0, work: Work::of(600.0), bytes_read: 72.0, bytes_written: 80.0 });
}

#[test]
fn a_product() {
    let mut expr = Expr::default();
    let acc = expr.push(Instr::Acc);
    let bias = expr.load(Load { binding: 2, view: view(&[0, 1]) });
    let sum = expr.call(Func::Add, &[acc, bias]);
    let operand = |stride| Operand { offset: 0, stride, transposed: false };
    let product = Matmul {
        m: 5,
        n: 3,
        k: 7,
        a: operand(7),
        b: operand(3),
        expr,
        stores: vec![store(sum, 3, &[3, 1])],
        row_sums: None,
        access: vec![Access::Read, Access::Read, Access::Read, Access::Write],
    };
    // 15 results of 14 operations and a bias; 35 + 21 words of the operands, and the bias once a result.
    let cost = Cost { flops: 225.0, work: Work::of(225.0), bytes_read: 284.0, bytes_written: 60.0 };
    assert_eq!(product.cost(), cost);
    let pair = Pair::new(product.clone(), product, |_, _| false).expect("two small products share a launch");
    let both = Cost { flops: 450.0, work: Work::of(450.0), bytes_read: 568.0, bytes_written: 120.0 };
    assert_eq!(pair.cost(), both);
}

#[test]
fn what_a_step_does_besides() {
    let (order, binarise) = (Order::Sequential, Binarise::Never);
    let batch = Batch::whole(5, 33, 9, Packing::Bits, order, binarise);
    // 33 bits take two words.
    // Shifted, masked and made a float; of a byte scaled as well, and drawn and compared (24 and 2).
    assert_eq!(batch.cost(), Cost { flops: 165.0, work: Work::of(495.0), bytes_read: 40.0, bytes_written: 660.0 });
    let drawn = Batch::whole(5, 33, 9, Packing::Bytes, order, Binarise::Sample(1));
    assert_eq!(drawn.cost().work, Work::of(165.0 * 30.0));
    let norm = Norm { len: 100, chunk: 40, square: true };
    assert_eq!(norm.cost(), Cost { flops: 200.0, work: Work::of(500.0), bytes_read: 400.0, bytes_written: 12.0 });
    let (expr, reg) = expression();
    let item = Item { extents: vec![5, 3], expr, reg };
    let statistics = Statistics { items: vec![item.clone(), item], inputs: 2 };
    // 15 points of three operations and two words, twice.
    let cost = Cost { flops: 90.0, work: Work::of(1200.0), bytes_read: 240.0, bytes_written: 8.0 };
    assert_eq!(statistics.cost(), cost);
    let descent = |id: &str| {
        let optimiser = build(OPTIMISERS, &Spec::new(id)).unwrap();
        Descent { optimiser, len: 128, slots: vec![], clip: None, skip: None }.cost()
    };
    // Four buffers are read, three written; of a rule that keeps one number, three and two.
    // Adam: three operations of m, four of v, four and a root and a division of θ; ten around it, of each rule with two moments.
    let adam = Cost { flops: 1664.0, work: Work::new(2688.0, 256.0), bytes_read: 2048.0, bytes_written: 1536.0 };
    assert_eq!(descent("adam"), adam);
    let sgd = Cost { flops: 512.0, work: Work::of(1664.0), bytes_read: 1536.0, bytes_written: 1024.0 };
    assert_eq!(descent("sgd"), sgd);
}

#[test]
fn launches_within_a_dimension() {
    assert_eq!(grid(0), [1, 1, 1]);
    assert_eq!(grid(65_535), [65_535, 1, 1]);
    assert_eq!(grid(65_536), [65_535, 2, 1]);
    assert_eq!(grid(3 * 65_535), [65_535, 3, 1]);
}

#[test]
fn a_chunk_of_an_optimiser_is_whole_quads_and_there_are_at_most_1024() {
    assert_eq!((Descent::chunk(64), Descent::partials(64)), (64, 1));
    assert_eq!((Descent::chunk(65_536), Descent::partials(65_536)), (64, 1024));
    // 65,600 = 1024 · 64 + 64: chunks of 128, 512.5 of them.
    assert_eq!((Descent::chunk(65_600), Descent::partials(65_600)), (128, 513));
}

#[test]
fn products_that_share_a_launch() {
    let takes = |m, n, k| {
        let operand = |stride| Operand { offset: 0, stride, transposed: false };
        let access = vec![Access::Read, Access::Read, Access::Write];
        let (expr, stores) = (Expr::default(), Vec::new());
        Pair::takes(&Matmul { m, n, k, a: operand(k), b: operand(n), expr, stores, row_sums: None, access })
    };
    // At most 2²⁵ multiplications.
    assert!(takes(512, 512, 128) && !takes(512, 512, 129));
    // At most 2²⁰ results, counted in tiles of 64 by 64.
    assert!(takes(1024, 1024, 1) && !takes(1024, 1025, 1) && !takes(1025, 1024, 1));
}
