//! Cases of matrix products: every pair of layouts, wide and narrow reads, every epilogue that lowering makes, edges
//! of every tile, and the classic VAE's own products.
//!
//! A text depends on the layout, the reads and the epilogue, not on the sizes: four of those are tried in every
//! variant over all edge shapes, the others once or twice with what the rule chooses, so that compiling stays short.

use super::build::view;
use super::fill::Rows;
use super::{Case, Fill, Input, Scale};
use crate::kernels::{Access, Expr, Func, Instr, Load, Matmul, Operand, Pair, Store};

/// Sizes around the edges of tiles of 4 to 128, some of them primes.
const EDGES: [[usize; 3]; 11] = [
    [1, 1, 1],
    [1, 67, 5],
    [71, 1, 3],
    [4, 8, 4],
    [15, 17, 16],
    [16, 16, 64],
    [17, 31, 33],
    [33, 65, 63],
    [64, 64, 65],
    [65, 63, 17],
    [131, 129, 37],
];

/// The same where every row is a multiple of four.
const WIDE_EDGES: [[usize; 3]; 8] =
    [[4, 4, 4], [12, 20, 16], [16, 16, 64], [20, 32, 36], [32, 64, 60], [64, 64, 68], [68, 60, 20], [132, 128, 36]];

/// What follows the product.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Epilogue {
    /// C.
    Plain,
    /// C + bias, or f(C + bias): the layer's forward pass.
    Bias(Option<Func>),
    /// f′ applied to C, from the layer's output: the backward pass.
    Derivative(Func),
    /// A scalar of the step times C, plus a further term.
    Residual,
    /// C and f(C), side by side in one buffer.
    Parts(Func),
    /// C, and the sums of A's rows.
    RowSums,
}

/// How an operand lies in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Layout {
    transposed: bool,
    /// Behind an offset and with gaps between its rows that no wide read fits.
    narrow: bool,
}

const fn layout(transposed: bool, narrow: bool) -> Layout {
    Layout { transposed, narrow }
}

pub(super) fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    let [n, t] = [layout(false, true), layout(true, true)];
    let [wide_n, wide_t] = [layout(false, false), layout(true, false)];
    for size in EDGES {
        all.push(case(size, n, n, Epilogue::Residual));
    }
    for size in WIDE_EDGES {
        all.push(case(size, wide_n, wide_t, Epilogue::Bias(Some(Func::Relu))));
        all.push(case(size, wide_t, wide_n, Epilogue::RowSums));
    }
    for size in [[17, 31, 33], [64, 64, 65], [131, 129, 37]] {
        all.push(case(size, t, t, Epilogue::Derivative(Func::ReluGrad)));
    }
    let size = [36, 68, 52];
    let layouts = [n, t, wide_n, wide_t];
    for a in layouts {
        for b in layouts {
            all.push(case(size, a, b, Epilogue::Plain).rule_only());
        }
    }
    for a in [n, t] {
        all.push(case([37, 29, 53], a, wide_n, Epilogue::RowSums).rule_only());
    }
    let activations = [Func::LeakyRelu, Func::Elu, Func::Silu, Func::Gelu, Func::Tanh, Func::Sigmoid, Func::Softplus];
    for f in activations {
        all.push(case(size, wide_n, wide_t, Epilogue::Bias(Some(f))).rule_only());
    }
    for f in [Func::TanhGrad, Func::SiluGrad] {
        all.push(case(size, wide_n, wide_n, Epilogue::Derivative(f)).rule_only());
    }
    all.push(case(size, wide_n, wide_t, Epilogue::Parts(Func::Relu)));
    all.push(case([29, 13, 41], n, t, Epilogue::Parts(Func::Tanh)).rule_only());
    // Sums that are longer than the loops of some drivers.
    all.push(case([33, 9, 270_001], n, n, Epilogue::Plain).rule_only());
    all.push(case([36, 36, 270_004], wide_t, wide_n, Epilogue::RowSums).rule_only());
    all.extend(classic(128));
    all
}

/// The products of one training step of the classic VAE: forward, gradients of the inputs, gradients of the weights.
fn classic(batch: usize) -> Vec<Case> {
    let [n, t] = [layout(false, false), layout(true, false)];
    let forward =
        [([784, 400], Some(Func::Relu)), ([400, 40], None), ([20, 400], Some(Func::Relu)), ([400, 784], None)];
    let forward = forward.map(|([inputs, outputs], f)| case([batch, outputs, inputs], n, t, Epilogue::Bias(f)));
    let inputs = [[784, 400], [400, 20], [40, 400]]
        .map(|[outputs, inputs]| case([batch, inputs, outputs], n, n, Epilogue::Derivative(Func::ReluGrad)));
    let weights = [[784, 400], [400, 20], [40, 400], [400, 784]]
        .map(|[outputs, inputs]| case([outputs, inputs, batch], t, n, Epilogue::RowSums));
    forward.into_iter().chain(inputs).chain(weights).map(|case| case.rule_only().realistic()).collect()
}

fn case([m, n, k]: [usize; 3], a: Layout, b: Layout, epilogue: Epilogue) -> Case {
    let (product, inputs) = product([m, n, k], a, b, epilogue);
    let label = label([m, n, k], a, b, epilogue);
    Case::new(label, product, inputs).roundings(k).scale(Scale::Largest((k as f32).sqrt()))
}

/// The two products behind one gradient of a layer's outputs: dX = dY W, and dW = dYᵀ X with the sums of dY's columns. They
/// share dY, `[rows, outputs]`.
fn pair([rows, outputs, inputs]: [usize; 3], layout: Layout, epilogue: Epilogue) -> Case {
    let upright = Layout { transposed: false, ..layout };
    let across = Layout { transposed: true, ..layout };
    let sizes = [[rows, inputs, outputs], [outputs, inputs, rows]];
    let (first, mut words) = product(sizes[0], upright, upright, epilogue);
    let (mut second, mut others) = product(sizes[1], across, upright, Epilogue::RowSums);
    if let Some(sums) = second.row_sums.as_mut().filter(|_| !layout.narrow) {
        // As the gradients of parameters lie: the bias behind the weights, at the next multiple of 64 words.
        (sums.binding, sums.view.offset) = (second.stores[0].binding, (outputs * inputs).next_multiple_of(64));
        others[sums.binding].len = sums.view.offset + outputs;
        others.pop();
        second.access.pop();
    }
    let pair = Pair::new(first, second, |i, j| (i, j) == (0, 0)).expect("the products are small");
    words.extend(pair.own_to_second().map(|binding| others[binding].clone()));
    let labels = [label(sizes[0], upright, upright, epilogue), label(sizes[1], across, upright, Epilogue::RowSums)];
    let longest = rows.max(outputs);
    Case::new(labels.join(" beside "), pair, words).roundings(longest).scale(Scale::Largest((longest as f32).sqrt()))
}

pub(super) fn pairs() -> Vec<Case> {
    let [wide, narrow] = [false, true].map(|narrow| Layout { transposed: false, narrow });
    let mut all = Vec::new();
    for [m, n, k] in EDGES {
        all.push(pair([m, n, k], narrow, Epilogue::Derivative(Func::TanhGrad)));
    }
    for [m, n, k] in WIDE_EDGES {
        all.push(pair([m, n, k], wide, Epilogue::Residual));
    }
    // Products that share nothing, of which one ends long before the other.
    let (first, mut words) = product([129, 70, 41], narrow, wide, Epilogue::Bias(Some(Func::Gelu)));
    let (second, others) = product([20, 12, 300], wide, narrow, Epilogue::Bias(Some(Func::Silu)));
    let apart = Pair::new(first, second, |_, _| false).expect("the products are small");
    words.extend(others);
    all.push(Case::new("129×70×41 beside 20×12×300", apart, words).roundings(300).scale(Scale::Largest(17.0)));
    for sizes in [[128, 400, 20], [128, 40, 400]] {
        all.push(pair(sizes, wide, Epilogue::Derivative(Func::ReluGrad)).rule_only().realistic());
    }
    all
}

fn label([m, n, k]: [usize; 3], a: Layout, b: Layout, epilogue: Epilogue) -> String {
    let name = |layout: Layout| match (layout.transposed, layout.narrow) {
        (false, false) => "N",
        (false, true) => "n",
        (true, false) => "T",
        (true, true) => "t",
    };
    format!("{m}×{n}×{k} {}{} {epilogue:?}", name(a), name(b))
}

fn product([m, n, k]: [usize; 3], a: Layout, b: Layout, epilogue: Epilogue) -> (Matmul, Vec<Input>) {
    let operand = |rows: usize, cols: usize, layout: Layout| {
        let (count, width) = if layout.transposed { (cols, rows) } else { (rows, cols) };
        let (offset, gap) = if layout.narrow { (3, 2) } else { (0, 0) };
        let rows = Rows { offset, stride: width + gap, width, count };
        let operand = Operand { offset, stride: rows.stride, transposed: layout.transposed };
        (operand, Input::strided(rows, Fill::Normal(0.0, 1.0)))
    };
    let ((a_operand, a_input), (b_operand, b_input)) = (operand(m, k, a), operand(k, n, b));
    let (mut product, mut inputs) = of([m, n, k], [a_operand, b_operand], vec![a_input, b_input]);
    finish(&mut product, &mut inputs, epilogue);
    (product, inputs)
}

/// A product of two operands without an epilogue.
pub(super) fn of([m, n, k]: [usize; 3], [a, b]: [Operand; 2], inputs: Vec<Input>) -> (Matmul, Vec<Input>) {
    let access = vec![Access::Read; 2];
    (Matmul { m, n, k, a, b, expr: Expr::default(), stores: vec![], row_sums: None, access }, inputs)
}

/// Adds the epilogue with its bindings.
pub(super) fn finish(product: &mut Matmul, inputs: &mut Vec<Input>, epilogue: Epilogue) {
    let (m, n) = (product.m, product.n);
    let whole = view(0, &[n, 1]);
    let mut bind = |product: &mut Matmul, access: Access, input: Input| {
        product.access.push(access);
        inputs.push(input);
        inputs.len() - 1
    };
    let normal = |len: usize| Input::new(len, Fill::Normal(0.0, 1.0));
    let acc = product.expr.push(Instr::Acc);
    let result = match epilogue {
        Epilogue::Plain | Epilogue::RowSums | Epilogue::Parts(_) => acc,
        Epilogue::Bias(f) => {
            let binding = bind(product, Access::Read, normal(n));
            let bias = product.expr.load(Load { binding, view: view(0, &[0, 1]) });
            let sum = product.expr.call(Func::Add, &[acc, bias]);
            f.map_or(sum, |f| product.expr.call(f, &[sum]))
        }
        Epilogue::Derivative(f) => {
            let binding = bind(product, Access::Read, normal(m * n));
            let y = product.expr.load(Load { binding, view: whole.clone() });
            product.expr.call(f, &[acc, y])
        }
        Epilogue::Residual => {
            let binding = bind(product, Access::Read, normal(m * n));
            let term = product.expr.load(Load { binding, view: whole.clone() });
            let scalar = product.expr.push(Instr::Scalar(5));
            let scaled = product.expr.call(Func::Mul, &[scalar, acc]);
            product.expr.call(Func::Add, &[scaled, term])
        }
    };
    if let Epilogue::Parts(f) = epilogue {
        let binding = bind(product, Access::Write, Input::output(2 * m * n));
        let second = product.expr.call(f, &[acc]);
        product.stores.push(Store { reg: acc, binding, view: view(0, &[2 * n, 1]) });
        product.stores.push(Store { reg: second, binding, view: view(n, &[2 * n, 1]) });
        return;
    }
    let binding = bind(product, Access::Write, Input::output(m * n));
    product.stores.push(Store { reg: result, binding, view: whole });
    if epilogue == Epilogue::RowSums {
        let binding = bind(product, Access::Write, Input::output(m));
        product.row_sums = Some(Store { reg: 0, binding, view: view(0, &[1]) });
    }
}
