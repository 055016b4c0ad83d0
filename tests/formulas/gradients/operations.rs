//! The cases of single operations: every function, every product, every view.

use elbo::engine::kernels::{FUNCS, Func, Window};

use super::trial::{Cases, Fault, Tensor, Trial};

/// Central differences in f64 agree to about 1e-11.
const EXACT: f64 = 1e-7;
/// Φ is approximated to 1.5e-7, and what it is differentiated to is the density itself.
const APPROXIMATE: f64 = 1e-5;

/// Whether a function is a derivative that has none of its own.
fn has_no_derivative(func: Func) -> bool {
    matches!(func, Func::TiltedMeanGrad | Func::LogBetaGrad)
}

/// Whether a function is constant but for its steps.
fn is_step(func: Func) -> bool {
    matches!(func, Func::Less | Func::Floor)
}

/// Every function that has a gradient, all arguments being computed.
pub fn functions() -> Cases {
    const SHAPE: [usize; 2] = [3, 4];
    let mut cases: Cases = Vec::new();
    for &(func, name, arity, ..) in FUNCS.iter().filter(|f| !has_no_derivative(f.0) && !is_step(f.0)) {
        let limit = if matches!(func, Func::Gelu | Func::GeluGrad) { APPROXIMATE } else { EXACT };
        let case = move |trial: &mut Trial| {
            let args: Vec<Tensor> = (0..arity)
                .map(|place| match (func, place) {
                    (Func::Log | Func::Sqrt | Func::Recip | Func::LogBeta, _) | (Func::Div, 1) => {
                        trial.positive(place, &SHAPE)
                    }
                    (Func::Select, 0) => {
                        let (x, zero) = (trial.signal(place, &SHAPE), trial.graph.constant(0.0));
                        x.less(zero)
                    }
                    _ => trial.signal(place, &SHAPE),
                })
                .collect();
            let y = trial.graph.call(func, &args);
            trial.result(y);
        };
        cases.push((name.to_string(), limit, Box::new(case)));
        // One tensor in every place: the parts of its gradient add up.
        if arity > 1 && !matches!(func, Func::Sub | Func::Div | Func::Max | Func::Min | Func::Select) {
            let case = move |trial: &mut Trial| {
                let x = if func == Func::LogBeta { trial.positive(0, &SHAPE) } else { trial.signal(0, &SHAPE) };
                let y = trial.graph.call(func, &vec![x; arity]);
                trial.result(y);
            };
            cases.push((format!("{name} of one tensor"), limit, Box::new(case)));
        }
        // Arguments that are broadcast: their gradients are summed.
        if arity == 2 {
            let case = move |trial: &mut Trial| {
                let first = if func == Func::LogBeta { Trial::positive } else { Trial::signal };
                let (column, row) = (first(trial, 2, &[3, 1]), trial.positive(3, &[4]));
                let y = trial.graph.call(func, &[column, row]);
                trial.result(y);
            };
            cases.push((format!("{name} of a column and a row"), limit, Box::new(case)));
        }
    }
    cases
}

fn case(cases: &mut Cases, name: &str, build: impl Fn(&mut Trial) -> Tensor + 'static) {
    let build = move |trial: &mut Trial| {
        let y = build(trial);
        trial.result(y);
    };
    cases.push((name.to_string(), EXACT, Box::new(build)));
}

/// Every product, sum, view and join.
pub fn structure() -> Cases {
    let mut all = Vec::new();
    for (name, ta, tb) in [("NN", false, false), ("NT", false, true), ("TN", true, false), ("TT", true, true)] {
        let shape = |turn: bool, rows: usize, cols: usize| if turn { [cols, rows] } else { [rows, cols] };
        let turned = |t: Tensor, turn: bool| if turn { t.t() } else { t };
        case(&mut all, &format!("matmul {name}"), move |t| {
            let (a, b) = (t.signal(0, &shape(ta, 3, 5)), t.signal(1, &shape(tb, 5, 4)));
            turned(a, ta).matmul(turned(b, tb))
        });
        case(&mut all, &format!("matmul {name} of one tensor"), move |t| {
            let a = t.signal(0, &[4, 4]);
            turned(a, ta).matmul(turned(a, tb))
        });
    }
    let axes: [&[usize]; 5] = [&[0], &[1], &[2], &[0, 2], &[0, 1, 2]];
    for axes in axes {
        case(&mut all, &format!("sum over {axes:?}"), move |t| t.signal(0, &[2, 3, 4]).sum(axes));
        case(&mut all, &format!("largest over {axes:?}"), move |t| t.signal(0, &[2, 3, 4]).max(axes));
    }
    for (from, to) in
        [(vec![1, 4], vec![3, 4]), (vec![3, 1], vec![3, 4]), (vec![1, 3, 1], vec![2, 3, 4]), (vec![4], vec![2, 3, 4])]
    {
        case(&mut all, &format!("expand {from:?} to {to:?}"), move |t| t.signal(0, &from).expand(&to));
    }
    for to in [vec![6, 4], vec![4, 6], vec![2, 1, 3, 4], vec![24], vec![3, 2, 4]] {
        case(&mut all, &format!("reshape to {to:?}"), move |t| t.signal(0, &[2, 3, 4]).reshape(&to));
    }
    for order in [[0, 2, 1], [1, 0, 2], [2, 0, 1], [2, 1, 0], [1, 2, 0]] {
        case(&mut all, &format!("permute by {order:?}"), move |t| t.signal(0, &[2, 3, 4]).permute(&order));
    }
    let ranges: [(&str, &[(usize, usize)]); 5] = [
        ("one", &[(1, 3)]),
        ("tiling", &[(0, 2), (2, 3), (5, 1)]),
        ("with gaps", &[(0, 2), (4, 1)]),
        ("overlapping", &[(0, 4), (2, 4), (2, 3)]),
        ("twice the same", &[(1, 3), (1, 3)]),
    ];
    for (name, ranges) in ranges {
        for axis in [0, 1] {
            case(&mut all, &format!("slices of axis {axis}, {name}"), move |t| {
                let x = t.signal(0, if axis == 0 { &[6, 2] } else { &[2, 6] });
                let parts: Vec<Tensor> = ranges.iter().map(|&(start, len)| x.slice(axis, start, len)).collect();
                for (i, &part) in parts.iter().enumerate().skip(1) {
                    t.result(part * (1.0 + i as f32));
                }
                parts[0].tanh()
            });
        }
    }
    case(&mut all, "slices of both axes", |t| {
        let x = t.signal(0, &[5, 6]);
        x.slice(0, 1, 3).slice(1, 0, 4) * x.slice(1, 2, 4).slice(0, 2, 3)
    });
    for axis in [0, 1] {
        case(&mut all, &format!("concat along {axis}"), move |t| {
            let (x, y) = (t.signal(0, &[3, 3]), t.signal(1, if axis == 0 { &[2, 3] } else { &[3, 2] }));
            let scaled = t.scaled(x, 1.3);
            t.graph.concat(&[x, y, scaled, x], axis)
        });
    }
    let windows = [
        ("odd sizes", Window { channels: 3, ..Window::square([5, 3], 1, 3, 2, 1) }),
        ("uneven padding", Window { padding: [[0, 2], [3, 1]], ..Window::square([4, 3], 2, 2, 3, 0) }),
        ("dilation", Window { dilation: [2, 1], ..Window::square([5, 4], 4, 2, 1, 1) }),
        ("padding beyond the kernel", Window::square([2, 2], 5, 2, 1, 3)),
    ];
    for (name, window) in windows {
        case(&mut all, &format!("patches, {name}"), move |t| {
            t.signal(0, &[2 * window.pixels(), window.channels]).patches(window)
        });
        case(&mut all, &format!("fold, {name}"), move |t| {
            t.signal(0, &[2 * window.rows(), window.width()]).fold(window)
        });
    }
    case(&mut all, "clamp", |t| t.signal(0, &[4, 5]).clamp(-0.3, 0.4));
    case(&mut all, "log of a sum of exponentials", |t| t.signal(0, &[3, 5]).log_sum_exp(&[1]));
    all
}

/// Detach, the condition of a selection, comparisons, and what the loss does not reach.
pub fn zeros() {
    let trial = Trial::of(Fault::Nothing, &|t| {
        let (x, y, zero) = (t.signal(0, &[3, 4]), t.signal(1, &[3, 4]), t.graph.constant(0.0));
        let (kept, below) = (x.detach(), x.less(zero));
        t.result(below.select(y, kept));
        t.result(below);
        t.result(x.floor());
        t.signal(2, &[2]);
    });
    let gradients = trial.gradients_in_f64();
    let all_zero = |list: &[f64]| list.iter().all(|&g| g == 0.0);
    // The parameters come in pairs: those of x, of y, and of what the loss does not reach.
    let found: Vec<bool> = gradients.iter().map(|g| all_zero(g)).collect();
    assert_eq!(found, [true, true, false, false, true, true]);
    let shapes: Vec<usize> = gradients.iter().map(Vec::len).collect();
    assert_eq!(shapes, [12, 12, 12, 12, 2, 2]);
}

#[test]
fn the_list_of_functions_is_whole() {
    let with = FUNCS.iter().filter(|f| has_no_derivative(f.0)).count();
    assert_eq!(with, 2, "the derivatives of special functions alone are not differentiated");
    assert!(functions().len() > FUNCS.len() - with);
}
