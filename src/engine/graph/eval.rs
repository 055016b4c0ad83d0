//! The graph's meaning, in f64: every operation as its definition reads, one element at a time.
//!
//! This is the oracle of the tests: the derived backward pass against central differences, and the lowered program
//! against the graph it came from. It is slow, and knows nothing of programs or executors.

#![allow(clippy::disallowed_methods, reason = "no executor takes numbers from here")]

use std::collections::HashMap;

use super::{Graph, NodeId, Op, Tensor};
use crate::kernels::random::{normal4, uniform4};
use crate::kernels::{Func, RandomStream, Step, Window};

/// What a graph's named leaves hold.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// Parameters, inputs and batches, by name, row-major.
    pub tensors: HashMap<String, Vec<f64>>,
    /// The step's named scalars.
    pub scalars: HashMap<String, f64>,
    /// Live rows, seed and step.
    pub step: Step,
    /// What nodes are, whatever their operations would make of the rest: detached tensors that stay as they were while a parameter moves.
    pub held: HashMap<NodeId, Vec<f64>>,
}

/// The elements of some tensors, row-major.
///
/// # Panics
/// If a named leaf has no value.
pub fn evaluate(values: &Values, wanted: &[Tensor]) -> Vec<Vec<f64>> {
    let mut known: Vec<Vec<f64>> = Vec::new();
    if let Some(last) = wanted.iter().max_by_key(|t| t.id()) {
        for id in (0..=last.id().0).map(NodeId) {
            let held = values.held.get(&id).cloned();
            let value = held.unwrap_or_else(|| node(last.graph(), values, id, &known));
            known.push(value);
        }
    }
    wanted.iter().map(|t| known[t.id().0 as usize].clone()).collect()
}

/// The multi-index of a linear one.
fn unflatten(mut linear: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for d in (0..shape.len()).rev() {
        index[d] = linear % shape[d];
        linear /= shape[d];
    }
    index
}

fn flatten(index: &[usize], shape: &[usize]) -> usize {
    index.iter().zip(shape).fold(0, |linear, (i, n)| linear * n + i)
}

/// Numbers of a picture, and of its patches.
fn sizes(window: &Window) -> [usize; 2] {
    [window.pixels() * window.channels, window.rows() * window.width()]
}

fn node(graph: &Graph, values: &Values, t: NodeId, known: &[Vec<f64>]) -> Vec<f64> {
    let n = graph.node(t);
    let count: usize = n.shape.iter().product();
    let arg = |i: usize| &known[n.inputs[i].0 as usize];
    let shape_of = |i: usize| graph.shape(n.inputs[i]);
    let named = |name: &String| values.tensors.get(name).unwrap_or_else(|| panic!("no value for {name}")).clone();
    let gather = |from: &dyn Fn(Vec<usize>) -> usize| -> Vec<f64> {
        (0..count).map(|e| arg(0)[from(unflatten(e, &n.shape))]).collect()
    };
    let drawn = |stream: &RandomStream, four: &dyn Fn(u32, u32) -> [f32; 4]| -> Vec<f64> {
        let first = stream.start(values.step.row_offset);
        (first..first + count).map(|e| f64::from(four(stream.number, e as u32 / 4)[e % 4])).collect()
    };
    match &n.op {
        Op::Param(name) | Op::Input(name) => named(name),
        Op::Batch { data, .. } => named(data),
        Op::Const(bits) => vec![f64::from(bits.get()); count],
        Op::Scalar(name) => vec![values.scalars[name]; count],
        Op::Rows => vec![f64::from(values.step.rows); count],
        Op::RowOffset => vec![f64::from(values.step.row_offset); count],
        Op::Coordinate(axis) => (0..count).map(|e| unflatten(e, &n.shape)[*axis] as f64).collect(),
        Op::Normal(stream) => drawn(stream, &|number, block| normal4(&values.step, number, block)),
        Op::Uniform(stream) => drawn(stream, &|number, block| uniform4(&values.step, number, block)),
        Op::Call(func) => {
            let at = |i: usize, e: usize| if i < n.inputs.len() { arg(i)[e] } else { 0.0 };
            (0..count).map(|e| call(*func, at(0, e), at(1, e), at(2, e))).collect()
        }
        Op::MatMul { transpose_a, transpose_b } => {
            let (m, columns) = (n.shape[0], n.shape[1]);
            let k = shape_of(0)[usize::from(!transpose_a)];
            let a = |i: usize, l: usize| if *transpose_a { arg(0)[l * m + i] } else { arg(0)[i * k + l] };
            let b = |l: usize, j: usize| if *transpose_b { arg(1)[j * k + l] } else { arg(1)[l * columns + j] };
            (0..count).map(|e| (0..k).map(|l| a(e / columns, l) * b(l, e % columns)).sum()).collect()
        }
        Op::Patches(window) => {
            let (mut out, [from, to]) = (vec![0.0; count], sizes(window));
            for picture in 0..count / to {
                window.each(|place, number, pixel| {
                    out[picture * to + place * window.width() + number] = arg(0)[picture * from + pixel];
                });
            }
            out
        }
        Op::Fold(window) => {
            let (mut out, [to, from]) = (vec![0.0; count], sizes(window));
            for picture in 0..count / to {
                window.each(|place, number, pixel| {
                    out[picture * to + pixel] += arg(0)[picture * from + place * window.width() + number];
                });
            }
            out
        }
        Op::Sum(axes) => {
            let mut out = vec![0.0; count];
            for (e, value) in arg(0).iter().enumerate() {
                let mut index = unflatten(e, shape_of(0));
                for &axis in axes {
                    index[axis] = 0;
                }
                out[flatten(&index, &n.shape)] += value;
            }
            out
        }
        Op::Max(axes) => {
            let mut out = vec![f64::NEG_INFINITY; count];
            for (e, value) in arg(0).iter().enumerate() {
                let mut index = unflatten(e, shape_of(0));
                for &axis in axes {
                    index[axis] = 0;
                }
                let largest = &mut out[flatten(&index, &n.shape)];
                *largest = largest.max(*value);
            }
            out
        }
        Op::Expand => gather(&|mut index| {
            for (i, &size) in index.iter_mut().zip(shape_of(0)) {
                *i = (*i).min(size - 1);
            }
            flatten(&index, shape_of(0))
        }),
        Op::Reshape | Op::Detach => arg(0).clone(),
        Op::Permute(order) => gather(&|index| {
            let mut from = vec![0; index.len()];
            for (d, &axis) in order.iter().enumerate() {
                from[axis] = index[d];
            }
            flatten(&from, shape_of(0))
        }),
        Op::Slice { axis, start } => gather(&|mut index| {
            index[*axis] += start;
            flatten(&index, shape_of(0))
        }),
        Op::Concat(axis) => (0..count)
            .map(|e| {
                let mut index = unflatten(e, &n.shape);
                let mut part = 0;
                while index[*axis] >= shape_of(part)[*axis] {
                    index[*axis] -= shape_of(part)[*axis];
                    part += 1;
                }
                arg(part)[flatten(&index, shape_of(part))]
            })
            .collect(),
    }
}

/// A scalar function in f64, straight from its formula.
pub fn call(func: Func, a: f64, b: f64, c: f64) -> f64 {
    use Func::*;
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
    // Abramowitz and Stegun 7.1.26: the function that is implemented, not the ideal one, so that differences are exact.
    let erf = |x: f64| {
        let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
        let p =
            t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
        (1.0 - p * (-x * x).exp()).copysign(x)
    };
    let cdf = |x: f64| 0.5 * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2));
    match func {
        Neg => -a,
        Exp => a.exp(),
        Log => a.ln(),
        Sqrt => a.sqrt(),
        Square => a * a,
        Recip => 1.0 / a,
        Abs => a.abs(),
        Floor => a.floor(),
        Add => a + b,
        Sub => a - b,
        Mul => a * b,
        Div => a / b,
        Max => a.max(b),
        Min => a.min(b),
        Less => f64::from(u8::from(a < b)),
        Select => {
            if a != 0.0 {
                b
            } else {
                c
            }
        }
        Relu => a.max(0.0),
        LeakyRelu => {
            if a < 0.0 {
                0.01 * a
            } else {
                a
            }
        }
        Elu => {
            if a > 0.0 {
                a
            } else {
                a.exp() - 1.0
            }
        }
        Silu => a * sigmoid(a),
        Gelu => a * cdf(a),
        Tanh => a.tanh(),
        Sigmoid => sigmoid(a),
        Softplus => softplus(a),
        ReluGrad => {
            if b > 0.0 {
                a
            } else {
                0.0
            }
        }
        LeakyReluGrad => {
            if b > 0.0 {
                a
            } else {
                0.01 * a
            }
        }
        EluGrad => {
            if b > 0.0 {
                a
            } else {
                a * (b + 1.0)
            }
        }
        SiluGrad => a * sigmoid(b) * (1.0 + b * (1.0 - sigmoid(b))),
        GeluGrad => a * (cdf(b) + b * (-0.5 * b * b).exp() / std::f64::consts::TAU.sqrt()),
        TanhGrad => a * (1.0 - b * b),
        SigmoidGrad => a * b * (1.0 - b),
        SoftplusGrad => a * sigmoid(b),
        Reparameterise => a + (0.5 * b).exp() * c,
        ReparameteriseGradLogVar => 0.5 * a * (0.5 * b).exp() * c,
        KlStandardNormal => 0.5 * (a * a + b.exp() - 1.0 - b),
        KlStandardNormalGradLogVar => 0.5 * a * (b.exp() - 1.0),
        BernoulliLogProb => b * a - softplus(a),
        GaussianLogProb => -0.5 * (std::f64::consts::TAU.ln() + c + (a - b).powi(2) * (-c).exp()),
        UniformCumulant => match a.abs() {
            0.0 => 0.0,
            t => a.max(0.0) + (-(-t).exp_m1() / t).ln(),
        },
        // Near 0 the definitions cancel also in f64; the series are exact to 1e-16 there.
        TiltedMean if a.abs() < 0.02 => 0.5 + a / 12.0 - a.powi(3) / 720.0 + a.powi(5) / 30240.0,
        TiltedMean => -1.0 / (-a).exp_m1() - 1.0 / a,
        TiltedMeanGrad if b.abs() < 0.02 => a * (1.0 / 12.0 - b * b / 240.0 + b.powi(4) / 6048.0),
        TiltedMeanGrad => a * (1.0 / (b * b) - (-b.abs()).exp() / (-b.abs()).exp_m1().powi(2)),
        LogBeta => libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b),
        LogBetaGrad => a * (digamma(b) - digamma(b + c)),
    }
}

/// ψ(z) for z above 0: the asymptotic series beyond 12, and the recurrence ψ(z) = ψ(z + 1) − 1/z up to there.
fn digamma(mut z: f64) -> f64 {
    let mut sum = 0.0;
    while z < 12.0 {
        sum -= 1.0 / z;
        z += 1.0;
    }
    let s = 1.0 / (z * z);
    let series = s * (1.0 / 12.0 - s * (1.0 / 120.0 - s * (1.0 / 252.0 - s * (1.0 / 240.0 - s * (1.0 / 132.0)))));
    sum + z.ln() - 0.5 / z - series
}
