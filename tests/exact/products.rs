//! Matrix products against their definition, which fixes every bit.

use elbo::engine::kernels::{
    Access, Args, Arithmetic, Expr, Func, Instr, Kernel, Load, Matmul, Operand, Step, Store, View,
};

use crate::{recorded, ways};

/// Rows, columns and terms: ones, edges of tiles and panels, sums that come in blocks, and rows that lie whole pages apart.
const SIZES: [[usize; 3]; 14] = [
    [1, 1, 1],
    [1, 17, 5],
    [3, 1, 7],
    [5, 33, 2],
    [16, 16, 16],
    [17, 31, 64],
    [13, 6, 1025],
    [31, 129, 130],
    [130, 20, 77],
    [20, 130, 77],
    [40, 9, 2500],
    [7, 50, 1024],
    [90, 25, 1024],
    [100, 120, 100],
];

/// Numbers between −1 and 1, each other in the last bits.
fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(next).collect()
}

/// What one term more makes of a sum.
type Add = fn(f32, f32, f32) -> f32;

const SEPARATE: Add = |sum, a, b| sum + a * b;
const FUSED: Add = |sum, a, b| a.mul_add(b, sum);

/// A product in the making: A m×k and B k×n, either stored the other way round, rows a little apart.
struct Case {
    size: [usize; 3],
    a: (Operand, Vec<f32>),
    b: (Operand, Vec<f32>),
    bias: Vec<f32>,
}

impl Case {
    fn new(size: [usize; 3], transposed: [bool; 2], gap: usize) -> Case {
        let [m, n, k] = size;
        let operand = |rows: usize, columns: usize, transposed: bool, seed: u32| {
            let (stored, width) = if transposed { (columns, rows) } else { (rows, columns) };
            let operand = Operand { offset: gap, stride: width + gap, transposed };
            (operand, numbers(gap + stored * (width + gap), seed))
        };
        let (a, b) = (operand(m, k, transposed[0], 1), operand(k, n, transposed[1], 2));
        Case { size, a, b, bias: numbers(n, 3) }
    }

    fn element((operand, words): &(Operand, Vec<f32>), row: usize, column: usize) -> f32 {
        let (slow, fast) = if operand.transposed { (column, row) } else { (row, column) };
        words[operand.offset + slow * operand.stride + fast]
    }

    /// The product by its definition, its terms in some order.
    fn defined(&self, add: Add, order: impl Fn(usize) -> usize) -> Vec<f32> {
        let [m, n, k] = self.size;
        let element = |i: usize, j: usize| {
            let terms = (0..k).map(&order).map(|l| (Self::element(&self.a, i, l), Self::element(&self.b, l, j)));
            terms.fold(0.0, |sum, (a, b)| add(sum, a, b))
        };
        (0..m * n).map(|at| element(at / n, at % n)).collect()
    }

    /// The same as the kernel computes it: by itself, and silu(product + bias).
    fn computed(&self, arithmetic: Arithmetic) -> [Vec<f32>; 2] {
        let [m, n, k] = self.size;
        let mut expr = Expr::default();
        let acc = expr.push(Instr::Acc);
        let bias = expr.load(Load { binding: 2, view: View { offset: 0, strides: vec![0, 1] } });
        let sum = expr.call(Func::Add, &[acc, bias]);
        let bent = expr.call(Func::Silu, &[sum]);
        let store = |reg, binding| Store { reg, binding, view: View { offset: 0, strides: vec![n, 1] } };
        let product = Matmul {
            m,
            n,
            k,
            a: self.a.0,
            b: self.b.0,
            expr,
            stores: vec![store(acc, 3), store(bent, 4)],
            row_sums: None,
            access: vec![Access::Read, Access::Read, Access::Read, Access::Write, Access::Write],
        };
        let mut lists =
            [self.a.1.clone(), self.b.1.clone(), self.bias.clone(), vec![f32::NAN; m * n], vec![f32::NAN; m * n]];
        let slices: Vec<_> = lists.iter_mut().map(|list| (list.as_mut_ptr().cast::<u32>(), list.len())).collect();
        // SAFETY: the lists are apart, and live as long as the call.
        product.run(&unsafe { Args::new(&slices) }.computed(arithmetic), &Step::default());
        let [.., plain, bent] = lists;
        [plain, bent]
    }
}

fn each(mut work: impl FnMut(Case, String)) {
    for size in SIZES {
        for transposed in [[false, false], [false, true], [true, false], [true, true]] {
            // Of 1024 terms, rows lie whole pages apart.
            let gap = if size[2] == 1024 { 0 } else { 3 };
            let [m, n, k] = size;
            let [a, b] = transposed.map(|transposed| if transposed { 'T' } else { 'N' });
            work(Case::new(size, transposed, gap), format!("product {m}×{n}×{k}{a}{b}"));
        }
    }
}

#[test]
fn every_element_is_added_up_term_by_term() {
    each(|case, name| {
        let expected = case.defined(SEPARATE, |l| l);
        let words = ways::same(&name, || case.computed(Arithmetic::Exact).concat());
        let (plain, bent) = words.split_at(expected.len());
        assert!(plain == ways::bits(&expected), "{name}");
        let n = case.size[1];
        let silu = |(at, sum): (usize, &f32)| Func::Silu.at(sum + case.bias[at % n], 0.0, 0.0);
        assert!(
            bent == ways::bits(&expected.iter().enumerate().map(silu).collect::<Vec<_>>()),
            "{name} in an epilogue"
        );
        recorded::check(&name, &words);
    });
}

/// What the exact product must not be: another order, or fused. The fast one is either, where the processor fuses.
#[test]
fn other_orders_have_other_bits() {
    let fuses = elbo::engine::kernels::simd::levels().len() > 1;
    let mut alike = 0;
    each(|case, name| {
        let k = case.size[2];
        let expected = case.defined(SEPARATE, |l| l);
        let fused = case.defined(FUSED, |l| l);
        let fast = case.computed(Arithmetic::Fast)[0].clone();
        if k < 64 {
            alike += usize::from(fast == expected);
            return;
        }
        assert_ne!(case.defined(SEPARATE, |l| k - 1 - l), expected, "{name} backwards");
        assert_ne!(fused, expected, "{name} fused");
        assert!(!fuses || fast != expected, "{name} fast");
    });
    assert!(alike >= 4, "of one term there is one order");
}
