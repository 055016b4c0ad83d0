//! Random graphs: every operation there is, on shapes of 1 to 9, with random outputs, statistics and gradients.

use elbo::engine::graph::eval::evaluate;
use elbo::engine::kernels::{FUNCS, Func, Window};

use super::sketch::{Sketch, Tensor};

/// The most elements of one tensor.
const MOST: usize = 400;

/// A graph of `operations` operations; fewer operations of one seed are the beginning of more.
pub fn graph(seed: u64, operations: usize) -> Sketch {
    let mut s = Sketch::new(seed, 1 + seed as usize % 7);
    let trains = seed.is_multiple_of(3);
    let mut pool = leaves(&mut s);
    for _ in 0..operations {
        if let Some(t) = operation(&mut s, &pool, trains) {
            pool.push(t);
        }
    }
    let pick = |s: &mut Sketch| pool[s.numbers.below(pool.len())];
    let last = pool[pool.len() - 1];
    s.outputs = (0..s.numbers.below(4)).map(|_| pick(&mut s)).chain([last]).collect();
    s.statistics = (0..s.numbers.below(5)).map(|_| pick(&mut s)).collect();
    for (name, shape) in s.of_second_set() {
        if s.numbers.below(2) == 0 {
            let whole = |t: Tensor| t.sum(&(0..t.shape().len()).collect::<Vec<_>>()).reshape(&[]);
            let value = s.graph.parameter(&name) * 0.5 + whole(pick(&mut s));
            s.assigns.push((name, value.expand(&shape)));
        }
    }
    if trains {
        let losses: Vec<Tensor> = (0..3).map(|_| pick(&mut s)).chain([last]).collect();
        let mut sum = s.graph.constant(0.0);
        for (i, t) in losses.into_iter().enumerate() {
            let axes: Vec<usize> = (0..t.shape().len()).collect();
            let scaled = t * (0.5 + i as f32);
            let total = scaled.sum(&axes);
            let total = total.reshape(&[]);
            sum = sum + total;
        }
        s.statistics.push(sum);
        s.loss = Some(sum);
        s.rule.clip = (seed.is_multiple_of(2)).then_some(1.0);
    }
    s.finish()
}

fn size(s: &mut Sketch) -> usize {
    1 + s.numbers.below(9)
}

fn leaves(s: &mut Sketch) -> Vec<Tensor> {
    let (rows, cols) = (size(s), size(s));
    let inner = size(s).min(4);
    let stream = s.graph.stream();
    let mut pool = vec![
        s.param(0, &[rows, cols]),
        s.param(0, &[cols]),
        s.param(1, &[cols, rows]),
        s.param(1, &[1, cols]),
        s.param(1, &[rows]),
        s.input("x", &[rows, inner, 3]),
        s.input("y", &[rows, cols]),
        s.batch("data", rows, cols),
        s.scalar("beta", 0.7),
        s.graph.normal(stream, &[rows, cols]),
        s.graph.uniform(stream + 1, &[inner, cols]),
    ];
    let (position, live, weights) = (s.graph.coordinate(1, &[rows, cols]), s.graph.rows(), s.graph.row_weights(rows));
    pool.extend([(position * 0.1), (live * 0.1), weights]);
    pool
}

/// One more tensor, if the operation that came up is possible and its numbers are tame.
fn operation(s: &mut Sketch, pool: &[Tensor], trains: bool) -> Option<Tensor> {
    // Late tensors more often than early ones, so that graphs grow deep.
    let near = s.numbers.below(2) == 0 && pool.len() > 6;
    let a = if near { pool[pool.len() - 1 - s.numbers.below(6)] } else { pool[s.numbers.below(pool.len())] };
    let shape = a.shape().to_vec();
    let count: usize = shape.iter().product();
    let t = match s.numbers.below(15) {
        0..4 => call(s, a, pool, trains)?,
        4 => matmul(s, a, pool)?,
        5 => {
            let axes: Vec<usize> = (0..shape.len()).filter(|_| s.numbers.below(2) == 0).collect();
            if s.numbers.below(3) == 0 { a.max(&axes) } else { a.sum(&axes) }
        }
        6 => {
            let mut to: Vec<usize> = shape.iter().map(|&n| if n == 1 { size(s) } else { n }).collect();
            if s.numbers.below(2) == 0 {
                to.insert(0, size(s).min(3));
            }
            a.expand(&to)
        }
        7 => {
            let to = match s.numbers.below(4) {
                0 => vec![count],
                1 => [shape.clone(), vec![1]].concat(),
                2 => vec![count / shape.last().unwrap_or(&1), *shape.last().unwrap_or(&1)],
                _ => {
                    let divisors: Vec<usize> = (1..=count).filter(|&d| count.is_multiple_of(d)).collect();
                    let d = divisors[s.numbers.below(divisors.len())];
                    vec![d, count / d]
                }
            };
            a.reshape(&to)
        }
        8 => {
            let mut order: Vec<usize> = (0..shape.len()).collect();
            for i in (1..order.len()).rev() {
                order.swap(i, s.numbers.below(i + 1));
            }
            a.permute(&order)
        }
        9 if !shape.is_empty() => {
            let axis = s.numbers.below(shape.len());
            let start = s.numbers.below(shape[axis]);
            let len = 1 + s.numbers.below(shape[axis] - start);
            a.slice(axis, start, len)
        }
        10 | 11 if !shape.is_empty() => {
            let axis = s.numbers.below(shape.len());
            let alike = |t: &&Tensor| {
                let other = (**t).shape();
                other.len() == shape.len() && (0..shape.len()).all(|d| d == axis || other[d] == shape[d])
            };
            let alike: Vec<Tensor> = pool.iter().filter(alike).copied().collect();
            let parts: Vec<Tensor> = (0..2 + s.numbers.below(2)).map(|_| alike[s.numbers.below(alike.len())]).collect();
            s.graph.concat(&[parts, vec![a]].concat(), axis)
        }
        12 => a.detach(),
        13 => window(s, a, true)?,
        14 => window(s, a, false)?,
        _ => return None,
    };
    tame(s, t)
}

/// Patches of what `a` holds as pictures, or what it holds as patches, folded.
fn window(s: &mut Sketch, a: Tensor, patches: bool) -> Option<Tensor> {
    let count: usize = a.shape().iter().product();
    let mut pick = |most: usize| 1 + s.numbers.below(most);
    let window = Window {
        image: [pick(5), pick(5)],
        channels: pick(4),
        kernel: [pick(3), pick(3)],
        stride: [pick(2), pick(2)],
        padding: [[pick(3) - 1, pick(3) - 1], [pick(3) - 1, pick(3) - 1]],
        dilation: [pick(2), pick(2)],
    };
    window.check().ok()?;
    let each = if patches { window.pixels() * window.channels } else { window.rows() * window.width() };
    // What does not come out even is repeated.
    let row = a.reshape(&[1, count]);
    let times = each.div_ceil(count);
    let long = row.expand(&[times, count]).reshape(&[times * count]).slice(0, 0, each);
    Some(if patches { long.patches(window) } else { long.fold(window) })
}

/// A scalar function of `a` and of what broadcasts with it.
fn call(s: &mut Sketch, a: Tensor, pool: &[Tensor], trains: bool) -> Option<Tensor> {
    let (func, name, arity, ..) = FUNCS[s.numbers.below(FUNCS.len())];
    let derivative = name.contains("_grad");
    if trains && derivative {
        return None;
    }
    let mut shape = a.shape().to_vec();
    let mut args = vec![a];
    for _ in 1..arity {
        let fits = |other: &[usize]| {
            let rank = other.len().max(shape.len());
            let at = |list: &[usize], d: usize| if d + list.len() < rank { 1 } else { list[d + list.len() - rank] };
            let both: Vec<(usize, usize)> = (0..rank).map(|d| (at(&shape, d), at(other, d))).collect();
            let fit = both.iter().all(|&(x, y)| x == y || x == 1 || y == 1);
            fit.then(|| both.iter().map(|&(x, y)| x.max(y)).collect::<Vec<_>>())
        };
        let candidates: Vec<(Tensor, Vec<usize>)> = pool.iter().filter_map(|&t| Some((t, fits(t.shape())?))).collect();
        let (other, grown) = candidates[s.numbers.below(candidates.len())].clone();
        shape = grown;
        args.push(other);
    }
    if s.numbers.below(3) == 0 {
        args.reverse();
    }
    match func {
        Func::Log | Func::Sqrt | Func::Recip => args[0] = positive(s, args[0]),
        Func::Div => args[1] = positive(s, args[1]),
        Func::LogBeta | Func::LogBetaGrad => {
            for arg in &mut args[arity - 2..] {
                *arg = positive(s, *arg);
            }
        }
        Func::Select => {
            let half = s.graph.constant(0.31);
            args[0] = args[0].less(half);
        }
        _ => {}
    }
    // Near a jump or a kink, f32 may stand on the other side of it.
    let edge = match func {
        Func::Less | Func::Max | Func::Min => args[0] - args[1],
        Func::Floor => {
            let half = s.graph.constant(0.5);
            let next = args[0] + half;
            let nearest = next.floor();
            args[0] - nearest
        }
        Func::Abs | Func::Relu | Func::LeakyRelu | Func::Elu => args[0],
        Func::ReluGrad | Func::LeakyReluGrad | Func::EluGrad => args[1],
        _ => return Some(s.graph.call(func, &args)),
    };
    let clear = evaluate(&s.values, &[edge])[0].iter().all(|v| v.abs() > 1e-3);
    clear.then(|| s.graph.call(func, &args))
}

fn positive(s: &mut Sketch, t: Tensor) -> Tensor {
    let square = t.square();
    let least = s.graph.constant(0.5);
    square + least
}

fn matmul(s: &mut Sketch, a: Tensor, pool: &[Tensor]) -> Option<Tensor> {
    let [rows, cols] = *a.shape() else { return None };
    let turn = s.numbers.below(2) == 0;
    let inner = if turn { rows } else { cols };
    let mut candidates: Vec<(Tensor, bool)> = Vec::new();
    for &t in pool {
        if let [r, c] = *t.shape() {
            candidates.extend((r == inner).then_some((t, false)));
            candidates.extend((c == inner).then_some((t, true)));
        }
    }
    if candidates.is_empty() || s.numbers.below(4) == 0 {
        let cols = size(s);
        let weights = s.param(0, &[inner, cols]);
        return Some(turned(a, turn).matmul(weights));
    }
    let (b, turn_b) = candidates[s.numbers.below(candidates.len())];
    Some(turned(a, turn).matmul(turned(b, turn_b)))
}

/// A matrix, or its transpose.
fn turned(t: Tensor, turn: bool) -> Tensor {
    if turn { t.t() } else { t }
}

/// The tensor, scaled down where its numbers are large; nothing where they are not numbers, or too many.
fn tame(s: &mut Sketch, t: Tensor) -> Option<Tensor> {
    if t.shape().iter().product::<usize>() > MOST || t.shape().len() > 4 {
        return None;
    }
    let largest =
        evaluate(&s.values, &[t])[0].iter().fold(0.0_f64, |m, v| if v.is_nan() { *v } else { m.max(v.abs()) });
    match largest {
        0.0..4.0 => Some(t),
        4.0..1e4 => Some(t * (2.0 / largest) as f32),
        _ => None,
    }
}
