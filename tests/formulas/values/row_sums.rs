//! The sums of the rows of a product's left operand, which are the gradient of a bias, against plain sums in f64.

use elbo::engine::kernels::{Access, Args, Expr, Instr, Kernel, Matmul, Operand, Step, Store, View};

use crate::common::oracle::Numbers;

/// The product of A m×k, numbers between −1 and 1 that `shift` is added to, and B k×n on the CPU, where B is 1/2 throughout: gives
/// the sums of A's rows as found and as they are, and twice the product's first column, which are those sums as well; m of each.
fn sums(
    [m, n, k]: [usize; 3],
    transposed: bool,
    (offset, gap): (usize, usize),
    spread: usize,
    shift: f64,
) -> [Vec<f64>; 3] {
    // A's rows as they are stored, with words between them that belong to nobody.
    let (stored, width) = if transposed { (k, m) } else { (m, k) };
    let stride = width + gap;
    let numbers = Numbers(3).signed(offset + stored * stride);
    let numbers: Vec<f64> = numbers.iter().map(|x| f64::from((x + shift) as f32)).collect();
    let at = |row: usize, l: usize| offset + if transposed { l * stride + row } else { row * stride + l };
    let expected = (0..m).map(|row| (0..k).map(|l| numbers[at(row, l)]).sum()).collect();
    let mut a: Vec<f32> = numbers.iter().map(|&x| x as f32).collect();
    let mut b = vec![0.5f32; k * n];
    let (mut c, mut out) = (vec![0.0f32; m * n], vec![f32::NAN; 1 + m * spread]);
    let mut expr = Expr::default();
    let acc = expr.push(Instr::Acc);
    let store = |binding: usize, offset: usize, strides: &[usize]| Store {
        reg: acc,
        binding,
        view: View { offset, strides: strides.to_vec() },
    };
    let product = Matmul {
        m,
        n,
        k,
        a: Operand { offset, stride, transposed },
        b: Operand { offset: 0, stride: n, transposed: false },
        expr,
        stores: vec![store(2, 0, &[n, 1])],
        row_sums: Some(store(3, 1, &[spread])),
        access: vec![Access::Read, Access::Read, Access::Write, Access::Write],
    };
    let slices = [&mut a, &mut b, &mut c, &mut out].map(|list| (list.as_mut_ptr().cast::<u32>(), list.len()));
    // SAFETY: the four lists are apart, and live as long as the call.
    product.run(&unsafe { Args::new(&slices) }, &Step::default());
    let products = (0..m).map(|row| 2.0 * f64::from(c[row * n])).collect();
    [(0..m).map(|row| f64::from(out[1 + row * spread])).collect(), expected, products]
}

/// The largest difference of two lists, infinite where something is not finite.
fn apart(found: &[f64], expected: &[f64]) -> f64 {
    let far = found.iter().zip(expected).map(|(f, e)| (f - e).abs());
    far.fold(0.0, |worst: f64, d| if d.is_finite() { worst.max(d) } else { f64::INFINITY })
}

#[test]
fn rows_are_summed_however_they_lie_in_memory() {
    for size in [[1, 3, 1], [5, 2, 7], [17, 4, 33], [3, 300, 130], [67, 64, 513], [130, 130, 130]] {
        for transposed in [false, true] {
            for (offset, gap) in [(0, 0), (3, 2), (64, 17)] {
                for spread in [1, 3] {
                    let [found, expected, products] = sums(size, transposed, (offset, gap), spread, 0.0);
                    let name = format!("{size:?}, transposed {transposed}, from {offset}, gap {gap}, spread {spread}");
                    let far = apart(&found, &expected).max(apart(&products, &expected));
                    assert!(far < 1e-4, "{name}: {far} apart");
                    // The sums of other rows are seen.
                    if size[0] > 1 {
                        let moved = [&expected[1..], &expected[..1]].concat();
                        assert!(apart(&found, &moved) > 1e-2, "{name}: rows cannot be told apart");
                    }
                }
            }
        }
    }
}

/// Over 300,000 rows of numbers around 1, whose sums in sequence lose five digits.
#[test]
fn long_sums_keep_their_digits() {
    const K: usize = 300_000;
    for transposed in [false, true] {
        for (m, spread) in [(3, 1), (3, 2), (70, 1)] {
            let [found, expected, products] = sums([m, 4, K], transposed, (0, 0), spread, 1.0);
            for list in [found, products] {
                let far = list.iter().zip(&expected).map(|(f, e)| (f / e - 1.0).abs()).fold(0.0, f64::max);
                assert!(far < 2e-6, "{m} rows, transposed {transposed}, spread {spread}: {far:e}");
            }
        }
    }
    let in_sequence = (0..K).fold(0.0f32, |sum, _| sum + 1.1);
    assert!((f64::from(in_sequence) / (f64::from(1.1f32) * K as f64) - 1.0).abs() > 1e-5, "there is nothing to lose");
}
