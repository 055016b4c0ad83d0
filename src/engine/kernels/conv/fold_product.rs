//! A product whose rows are patches that are folded: a transposed convolution, or the gradient of a convolution's pictures.
//!
//! The patches are never stored. On a GPU each pixel gathers the products of the places that see it; pixels of one class, those whose
//! coordinates have the same remainders by the stride, are seen by the same taps, and are the rows of one product. On the CPU some
//! rows of the product at a time are made and added into the picture, which stays in the cache.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::Window;
use super::buffers::{Buffer, Use};
use super::finish::Finish;
use super::panels::{Matrix, Panels};
use super::pictures::scatter;
use super::tile::{Multiply, Start};
use crate::kernels::matmul::each;
use crate::kernels::sharing::least;
use crate::kernels::{Access, Args, Arithmetic, Expr, Matmul, Operand, Step, Store, Words};

/// `fold(A·B)` with an epilogue over (pixel, channel). Bindings: A `[pictures·places, inputs]`, B `[inputs, kh·kw·C]`, neither
/// transposed, then those of the epilogue.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldProduct {
    pub(super) window: Window,
    pub(super) pictures: usize,
    /// The product that one class of pixels is on a GPU: rows are its pixels, the sum runs over taps and inputs.
    pub(super) class: Matmul,
    pub(super) inputs: usize,
    finish: Finish,
}

impl FoldProduct {
    /// Whether there is a kernel for such a window: where taps and places both lie apart, there is none.
    pub fn takes(window: &Window) -> bool {
        (0..2).all(|axis| window.stride[axis] == 1 || window.dilation[axis] == 1)
    }

    /// The fold of the product of two operands over so many inputs.
    ///
    /// # Panics
    /// If there is no kernel for it.
    pub fn new(
        (window, pictures, inputs): (Window, usize, usize),
        [a, b]: [Operand; 2],
        expr: Expr,
        stores: Vec<Store>,
        access: Vec<Access>,
    ) -> FoldProduct {
        assert!(FoldProduct::takes(&window) && !a.transposed && !b.transposed, "{window:?}, {a:?}, {b:?}");
        let [grid, taps] = [FoldProduct::grid(&window), FoldProduct::taps(&window)].map(|[y, x]| y * x);
        let class = Matmul {
            m: pictures * grid,
            n: window.channels,
            k: taps * inputs,
            a,
            b,
            expr,
            stores,
            row_sums: None,
            access,
        };
        let finish = Finish::new(&class, true);
        FoldProduct { window, pictures, class, inputs, finish }
    }

    /// Pixels of a class along each axis.
    pub(super) fn grid(window: &Window) -> [usize; 2] {
        [0, 1].map(|axis| window.image[axis].div_ceil(window.stride[axis]))
    }

    /// Taps that see a class along each axis, at most.
    pub(super) fn taps(window: &Window) -> [usize; 2] {
        [0, 1].map(|axis| window.kernel[axis].div_ceil(window.stride[axis]))
    }
}

/// One run of a product.
pub(super) struct Run<'a> {
    pub of: &'a FoldProduct,
    pub args: &'a Args<'a>,
    pub step: &'a Step,
}

/// Rows of the product that are made at once.
const ROWS: usize = 48;

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let FoldProduct { window, pictures, class, inputs, .. } = self.of;
        let b = class.b;
        let (terms, columns) = (*inputs, window.width());
        let matrix = Matrix { words: &self.args.read(1)[b.offset..], terms, columns, rows: b.stride, cols: 1 };
        let mut room = Buffer::take(Use::Panels, matrix.packed_words::<S>());
        let panels = matrix.panels::<S>(&mut room);
        // Small pictures are taken together, so that rows fill a tile.
        let many = (ROWS / window.rows()).clamp(1, pictures.div_ceil(8));
        let task = |task: usize| {
            let range = task * many..((task + 1) * many).min(*pictures);
            match self.args.arithmetic() {
                Arithmetic::Fast => simd.vectorize(Pictures::<true> { run: &self, panels, range }),
                Arithmetic::Exact => simd.vectorize(Pictures::<false> { run: &self, panels, range }),
            }
        };
        let (tasks, work) = (pictures.div_ceil(many), pictures * window.rows() * inputs * columns);
        if work < least(1 << 18) { (0..tasks).for_each(task) } else { each(0..tasks, &task) }
    }
}

/// Some pictures.
struct Pictures<'a, const FUSED: bool> {
    run: &'a Run<'a>,
    panels: Panels<'a>,
    range: Range<usize>,
}

impl<const FUSED: bool> WithSimd for Pictures<'_, FUSED> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Pictures { run: &Run { of, args, step }, panels, range } = self;
        let FoldProduct { window, class, inputs, finish, .. } = of;
        let (places, columns) = (window.rows(), window.width());
        let pitch = columns.next_multiple_of(16) + 16;
        let mut pixels = Buffer::take(Use::Sums, window.pixels() * window.channels);
        let mut patches = Buffer::take(Use::Patches, ROWS * pitch);
        let end = range.end * places;
        for first in (range.start * places..end).step_by(ROWS) {
            let rows = ROWS.min(end - first);
            Multiply {
                numbers: &args.read(0)[class.a.offset + first * class.a.stride..],
                free: class.a.stride,
                along: 1,
                rows,
                panels: panels.words,
                pitch: panels.pitch,
                step: panels.step,
                columns,
                terms: *inputs,
                c: Words::of(&mut patches),
                ldc: pitch,
                start: Start::Zero,
            }
            .run::<S, FUSED>(simd);
            let mut row = first;
            while row < first + rows {
                let (picture, place) = (row / places, row % places);
                let some = place..places.min(place + first + rows - row);
                if place == 0 {
                    match finish.start(args) {
                        Some(bias) => pixels.chunks_exact_mut(bias.len()).for_each(|pixel| pixel.copy_from_slice(bias)),
                        None => pixels.fill(0.0),
                    }
                }
                scatter(window, &patches[(row - first) * pitch..], pitch, some.clone(), &mut pixels);
                row += some.len();
                if some.end == places {
                    // SAFETY: the pixels of this picture belong to this thread.
                    unsafe { finish.rows(picture * window.pixels(), &pixels, args, step) };
                }
            }
        }
    }
}
