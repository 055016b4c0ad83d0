//! Cases of maps without sums: every scalar function, every way of indexing, and random draws.

use super::build::{Build, shape, view};
use super::{Case, Fill, Scale};
use crate::kernels::{FUNCS, Func, Instr, RandomStream, View};

/// Every function, and every way a map reads and writes.
pub(super) fn maps() -> Vec<Case> {
    let mut all: Vec<Case> = FUNCS.iter().map(|row| function(row.0)).collect();
    all.extend(SIZES.map(|n| sum_of_two(&[n])));
    all.extend([sum_of_two(&[3, 1, 5]), sum_of_two(&[2, 3, 4, 8]), sum_of_two(&[128, 784]).realistic()]);
    all.extend([broadcast(), transpose(), parts(), coordinates(), in_place()]);
    all
}

/// Around the edges of a workgroup of 64 threads with one or four points each, and a launch in two dimensions.
const SIZES: [usize; 8] = [1, 4, 63, 64, 65, 256, 257, 4_194_304 + 37];

fn function(func: Func) -> Case {
    // Alternately four points a thread and one.
    let extents = if (func as usize).is_multiple_of(2) { [9, 132] } else { [7, 67] };
    let mut build = Build::new(&extents, 0);
    let args: Vec<_> = domain(func).iter().take(func.arity()).map(|&fill| build.load(fill)).collect();
    let y = build.call(func, &args);
    build.store(y);
    let (roundings, scale) = accuracy(func);
    build.case(format!("{} {}", func.name(), shape(&extents))).roundings(roundings).scale(scale)
}

/// Where a function is tried: where it is defined, and far enough out to meet its limits.
fn domain(func: Func) -> [Fill; 3] {
    use Func::*;
    let normal = Fill::Normal(0.0, 2.0);
    let wide = Fill::Uniform(-30.0, 30.0);
    match func {
        Exp => [Fill::Uniform(-12.0, 12.0), normal, normal],
        Log | Sqrt => [Fill::Uniform(1e-3, 40.0), normal, normal],
        Recip => [Fill::Uniform(0.1, 10.0), normal, normal],
        Div => [normal, Fill::Uniform(0.1, 10.0), normal],
        Select => [Fill::Whole(2), normal, normal],
        Less => [Fill::Whole(5), Fill::Whole(5), normal],
        Elu | Silu | Gelu | Tanh | Sigmoid | Softplus => [wide, normal, normal],
        SiluGrad | GeluGrad | SoftplusGrad => [normal, Fill::Uniform(-12.0, 12.0), normal],
        EluGrad => [normal, Fill::Uniform(-1.0, 3.0), normal],
        TanhGrad => [normal, Fill::Uniform(-1.0, 1.0), normal],
        SigmoidGrad => [normal, Fill::Uniform(0.0, 1.0), normal],
        BernoulliLogProb => [wide, Fill::Uniform(0.0, 1.0), normal],
        UniformCumulant | TiltedMean => [Fill::Uniform(-6.0, 6.0), normal, normal],
        TiltedMeanGrad => [normal, Fill::Uniform(-6.0, 6.0), normal],
        LogBeta => [Fill::Uniform(0.05, 40.0), Fill::Uniform(0.05, 6.0), normal],
        LogBetaGrad => [normal, Fill::Uniform(0.05, 40.0), Fill::Uniform(0.05, 6.0)],
        _ => [normal; 3],
    }
}

/// The roundings granted to a function, and against what its errors are measured.
fn accuracy(func: Func) -> (usize, Scale) {
    use Func::*;
    match func {
        // No rounding at all.
        Neg | Abs | Floor | Max | Min | Less | Select | Relu | ReluGrad => (16, Scale::Exact),
        // WGSL grants e^x an error of 3 + 2|x| units in the last place, which is relative.
        Exp => (32, Scale::Own(0.0)),
        Recip | Div | Sqrt | Square => (16, Scale::Own(0.0)),
        // WGSL grants tanh an absolute error of 1e-5.
        Tanh => (100, Scale::Own(1.0)),
        // An e^x inside, with its error amplified by a factor of the arguments' size.
        Silu
        | Gelu
        | SiluGrad
        | GeluGrad
        | Reparameterise
        | ReparameteriseGradLogVar
        | KlStandardNormal
        | KlStandardNormalGradLogVar
        | GaussianLogProb
        | LogBeta
        | LogBetaGrad => (64, Scale::Own(1.0)),
        _ => (16, Scale::Own(1.0)),
    }
}

fn sum_of_two(extents: &[usize]) -> Case {
    let mut build = Build::new(extents, 0);
    let (a, b) = (build.load(Fill::Normal(0.0, 1.0)), build.load(Fill::Normal(0.0, 1.0)));
    let y = build.call(Func::Add, &[a, b]);
    build.store(y);
    build.case(format!("add {}", shape(extents))).scale(Scale::Exact)
}

fn broadcast() -> Case {
    let mut build = Build::new(&[13, 24], 0);
    let row = build.load_view(Fill::Normal(0.0, 1.0), view(0, &[0, 1]));
    let column = build.load_view(Fill::Normal(0.0, 1.0), view(5, &[1, 0]));
    let single = build.load_view(Fill::Normal(0.0, 1.0), view(2, &[0, 0]));
    let product = build.call(Func::Mul, &[row, column]);
    let y = build.call(Func::Max, &[product, single]);
    build.store(y);
    build.case("row × column, at least one number, 13×24").scale(Scale::Exact)
}

fn transpose() -> Case {
    let mut build = Build::new(&[4, 17, 12], 0);
    let x = build.load_view(Fill::Normal(0.0, 1.0), view(3, &[1, 48, 4]));
    build.store(x);
    build.case("axes reordered, 4×17×12").scale(Scale::Exact)
}

fn parts() -> Case {
    let mut build = Build::new(&[11, 20], 0);
    let x = build.load(Fill::Normal(0.0, 1.0));
    let (negated, absolute) = (build.call(Func::Neg, &[x]), build.call(Func::Abs, &[x]));
    build.store(negated);
    let binding = build.inputs.len() - 1;
    build.inputs[binding].len = 11 * 53;
    build.map.stores[0].view = view(1, &[53, 1]);
    build.store_to(binding, absolute, view(30, &[53, 1]));
    build.case("two stores into parts of one buffer, 11×20").scale(Scale::Exact)
}

fn coordinates() -> Case {
    let mut build = Build::new(&[6, 10], 0);
    let (row, column) = (build.push(Instr::Coordinate(0, 2)), build.push(Instr::Coordinate(1, 0)));
    let (scalar, weight) = (build.push(Instr::Scalar(5)), build.row_weight());
    let product = build.call(Func::Mul, &[row, column]);
    let product = build.call(Func::Mul, &[product, scalar]);
    let y = build.call(Func::Add, &[product, weight]);
    build.store(y);
    build.case("coordinates, a scalar, row weights, 6×10")
}

fn in_place() -> Case {
    let mut build = Build::new(&[300], 0);
    let x = build.load(Fill::Normal(0.0, 1.0));
    let y = build.call(Func::Relu, &[x]);
    build.map.access[0] = crate::kernels::Access::Write;
    build.store_to(0, y, View::contiguous(&[300]));
    build.case("relu in place, 300").scale(Scale::Exact)
}

/// Normals and uniforms, as many as fit four to a block and one more or less; and through a view of the stream.
pub(super) fn draws() -> Vec<Case> {
    let mut all = Vec::new();
    for n in [1, 3, 4, 5, 1021] {
        let views = [(vec![n], view(0, &[1]))];
        all.extend(views.into_iter().flat_map(|(extents, v)| both(&extents, &v)));
    }
    all.extend(both(&[9, 20], &View::contiguous(&[9, 20])));
    all.extend(both(&[5, 12], &view(7, &[3, 40])));
    // Of a part of a batch that begins at row 3, whose rows have so many numbers of the stream.
    for per_row in [5, 12] {
        let part = |case: Case| case.step(|step| step.row_offset = 3);
        all.extend([true, false].map(|normal| part(draw_of(&[5, 12], &View::contiguous(&[5, 12]), normal, per_row))));
    }
    all.push(draw(&[128, 20], &View::contiguous(&[128, 20]), true).realistic());
    all
}

fn both(extents: &[usize], view: &View) -> [Case; 2] {
    [draw(extents, view, true), draw(extents, view, false)]
}

fn draw(extents: &[usize], elements: &View, normal: bool) -> Case {
    draw_of(extents, elements, normal, 0)
}

fn draw_of(extents: &[usize], elements: &View, normal: bool, per_row: u32) -> Case {
    let mut build = Build::new(extents, 0);
    let stream = |number: u32| RandomStream { number, per_row };
    let instr =
        if normal { Instr::Normal(stream(3), elements.clone()) } else { Instr::Uniform(stream(4), elements.clone()) };
    let z = build.push(instr);
    build.store(z);
    let (name, scale) = if normal { ("normal", Scale::Own(1.0)) } else { ("uniform", Scale::Exact) };
    let of_rows = if per_row > 0 { format!(", {per_row} a row") } else { String::new() };
    let from = if *elements == View::contiguous(extents) {
        String::new()
    } else {
        format!(" from {} in steps of {:?}", elements.offset, elements.strides)
    };
    build.case(format!("{name} {}{from}{of_rows}", shape(extents))).scale(scale)
}
