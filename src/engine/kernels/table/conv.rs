//! Cases of convolutions: odd sizes, strides that do not divide, padding beyond the kernel, dilation, 1 to 32 channels.

use super::{Case, Fill, Input, Scale, matmul};
use crate::kernels::{FoldPatches, FoldProduct, Func, Matmul, Operand, PatchProduct, Patches, Side, Window};

const fn window(image: [usize; 2], channels: usize, kernel: [usize; 2], stride: [usize; 2]) -> Window {
    Window { image, channels, kernel, stride, padding: [[0; 2]; 2], dilation: [1; 2] }
}

/// With the same padding on all sides.
const fn padded(window: Window, padding: usize) -> Window {
    Window { padding: [[padding; 2]; 2], ..window }
}

/// Windows around all edges, with how many pictures.
const WINDOWS: [(Window, usize); 9] = [
    (padded(window([8, 8], 1, [4, 4], [2, 2]), 1), 3),
    (padded(window([5, 7], 3, [3, 3], [2, 2]), 1), 2),
    (Window { padding: [[0, 2], [3, 1]], ..window([4, 6], 4, [2, 4], [3, 2]) }, 3),
    (Window { dilation: [2, 3], padding: [[2, 2], [3, 3]], ..window([6, 5], 5, [3, 2], [1, 1]) }, 2),
    (padded(window([2, 3], 5, [2, 2], [1, 2]), 4), 2),
    (Window { dilation: [2, 1], ..window([9, 8], 8, [2, 3], [2, 3]) }, 1),
    (padded(window([6, 6], 32, [4, 4], [2, 2]), 1), 2),
    (padded(window([7, 5], 32, [3, 3], [1, 1]), 1), 2),
    (window([1, 1], 1, [1, 1], [1, 1]), 1),
];

/// The second layer of a convolutional network on pictures of 64×64.
const REALISTIC: (Window, usize) = (padded(window([32, 32], 32, [4, 4], [2, 2]), 1), 64);

/// A window in a few letters.
fn label(window: &Window, pictures: usize) -> String {
    let Window { image: [h, w], channels, kernel: [kh, kw], stride: [sh, sw], dilation, padding } = window;
    let padding = padding.map(|[before, after]| format!("{before}+{after}")).join(", ");
    let dilated =
        if *dilation == [1, 1] { String::new() } else { format!(", taps {}×{} apart", dilation[0], dilation[1]) };
    format!("{pictures} of {h}×{w}×{channels}, kernel {kh}×{kw}, stride {sh}×{sw}, padding {padding}{dilated}")
}

pub(super) fn patches() -> Vec<Case> {
    let case = |(window, pictures): (Window, usize)| {
        let [from, to] = [window.pixels() * window.channels, window.rows() * window.width()].map(|one| one * pictures);
        let inputs = vec![Input::new(from, Fill::Normal(0.0, 1.0)), Input::output(to)];
        Case::new(label(&window, pictures), Patches { window, pictures }, inputs).scale(Scale::Exact)
    };
    WINDOWS.into_iter().map(case).chain([case(REALISTIC).realistic()]).collect()
}

pub(super) fn folds() -> Vec<Case> {
    let case = |(window, pictures): (Window, usize)| {
        let [to, from] = [window.pixels() * window.channels, window.rows() * window.width()].map(|one| one * pictures);
        let inputs = vec![Input::new(from, Fill::Normal(0.0, 1.0)), Input::output(to)];
        Case::new(label(&window, pictures), FoldPatches { window, pictures }, inputs)
    };
    WINDOWS.into_iter().map(case).chain([case(REALISTIC).realistic()]).collect()
}

/// Outputs (or inputs, where patches are folded) that each window is tried with.
const CHANNELS: [usize; 9] = [3, 8, 5, 7, 4, 12, 40, 33, 1];

/// An operand without gaps, with its input.
fn dense(rows: usize, columns: usize, transposed: bool) -> (Operand, Input) {
    let operand = Operand { offset: 0, stride: if transposed { rows } else { columns }, transposed };
    (operand, Input::new(rows * columns, Fill::Normal(0.0, 1.0)))
}

/// f(C + bias), or C and the sums of A's rows.
fn convolution(window: Window, pictures: usize, outputs: usize, side: Side, f: Option<Func>) -> Case {
    let (places, width) = (pictures * window.rows(), window.width());
    let (m, n, k) = if side == Side::A { (places, outputs, width) } else { (outputs, width, places) };
    let image = Input::new(pictures * window.pixels() * window.channels, Fill::Normal(0.0, 1.0));
    let image = (Operand { offset: 0, stride: window.channels, transposed: false }, image);
    let ((a, first), (b, second)) = match side {
        Side::A => (image, dense(k, n, true)),
        Side::B => (dense(m, k, true), image),
    };
    let (mut product, mut inputs) = matmul::of([m, n, k], [a, b], vec![first, second]);
    let epilogue = match side {
        Side::A => matmul::Epilogue::Bias(f),
        Side::B => matmul::Epilogue::RowSums,
    };
    matmul::finish(&mut product, &mut inputs, epilogue);
    let name = if side == Side::A { "convolution" } else { "gradient of weights" };
    let label = format!("{name} to {outputs}, {}", label(&window, pictures));
    let case = Case::new(label, PatchProduct::new(product, window, side), inputs);
    case.roundings(k).scale(Scale::Largest((k as f32).sqrt()))
}

/// f(fold(A·B) + bias), or f\' of that.
fn transposed(window: Window, pictures: usize, inputs: usize, epilogue: matmul::Epilogue) -> Case {
    let (places, pixels) = (pictures * window.rows(), pictures * window.pixels());
    let (a, first) = dense(places, inputs, false);
    // Places that see nothing are no matter.
    let sees_nothing = window.padding[0][0] >= window.kernel[0];
    let first = if sees_nothing { first.inert() } else { first };
    let (b, second) = dense(inputs, window.width(), false);
    let (mut product, mut words) = matmul::of([pixels, window.channels, inputs], [a, b], vec![first, second]);
    matmul::finish(&mut product, &mut words, epilogue);
    let Matmul { expr, stores, access, .. } = product;
    let kernel = FoldProduct::new((window, pictures, inputs), [a, b], expr, stores, access);
    let terms = inputs * window.kernel[0] * window.kernel[1];
    let label = format!("from {inputs}, {}", label(&window, pictures));
    Case::new(label, kernel, words).roundings(terms).scale(Scale::Largest((terms as f32).sqrt()))
}

pub(super) fn products() -> Vec<Case> {
    let mut all = Vec::new();
    for ((window, pictures), outputs) in WINDOWS.into_iter().zip(CHANNELS) {
        // A single number may be cut off, and then nothing matters.
        let f = (window.width() > 1).then_some(Func::Relu);
        all.push(convolution(window, pictures, outputs, Side::A, f).rule_only());
        all.push(convolution(window, pictures, outputs, Side::B, None).rule_only());
    }
    // Every text of one that reads single words, and of one that reads four.
    for (window, outputs) in [(WINDOWS[1].0, 9), (WINDOWS[6].0, 36)] {
        all.push(convolution(window, 3, outputs, Side::A, None));
        all.push(convolution(window, 3, outputs, Side::B, None));
    }
    let (window, pictures) = REALISTIC;
    for side in [Side::A, Side::B] {
        all.push(convolution(window, pictures, 32, side, Some(Func::Relu)).rule_only().realistic());
    }
    all
}

pub(super) fn folded() -> Vec<Case> {
    let (bias, derivative) = (matmul::Epilogue::Bias(Some(Func::Relu)), matmul::Epilogue::Derivative(Func::ReluGrad));
    let mut all = Vec::new();
    for ((window, pictures), inputs) in WINDOWS.into_iter().zip(CHANNELS) {
        if FoldProduct::takes(&window) {
            let epilogue = if window.width() > 1 { bias } else { matmul::Epilogue::Bias(None) };
            all.push(transposed(window, pictures, inputs, epilogue).rule_only());
        }
    }
    for (window, inputs) in [(WINDOWS[1].0, 9), (WINDOWS[6].0, 36)] {
        all.push(transposed(window, 3, inputs, derivative));
    }
    let (window, pictures) = REALISTIC;
    all.push(transposed(window, pictures, 32, derivative).rule_only().realistic());
    all
}
