//! The derivatives of the scalar functions, as more of the graph.

use super::Tensor;
use crate::kernels::Func::{self, *};

/// The gradients of a call's arguments, given its result `y` and the gradient `g` of that; `None` where it is 0.
///
/// The derivatives of activations have derivatives of their own, so that a loss may hold the gradient of a network.
///
/// # Panics
/// For the derivatives of special functions, which have none here.
pub(super) fn of_call<'g>(func: Func, args: &[Tensor<'g>], y: Tensor<'g>, g: Tensor<'g>) -> Vec<Option<Tensor<'g>>> {
    let graph = g.graph();
    let (a, b) = (args[0], args.get(1).copied().unwrap_or(args[0]));
    let zero = graph.constant(0.0);
    let from = |func: Func, saved: Tensor<'g>| vec![Some(graph.call(func, &[g, saved]))];
    match func {
        Neg => vec![Some(-g)],
        Exp => vec![Some(g * y)],
        Log => vec![Some(g / a)],
        Sqrt => vec![Some(g * 0.5 / y)],
        Square => vec![Some(g * (a * 2.0))],
        Recip => vec![Some(-(g * y.square()))],
        Abs => vec![Some(a.less(zero).select(-g, g))],
        Add => vec![Some(g), Some(g)],
        Sub => vec![Some(g), Some(-g)],
        Mul => vec![Some(g * b), Some(g * a)],
        Div => vec![Some(g / b), Some(-(g / b * y))],
        Max | Min => {
            // At a tie the gradient goes to the first argument.
            let second = if func == Max { a.less(b) } else { b.less(a) };
            vec![Some(second.select(zero, g)), Some(second.select(g, zero))]
        }
        Less => vec![None, None],
        Floor => vec![None],
        Select => vec![None, Some(a.select(g, zero)), Some(a.select(zero, g))],
        Relu => from(ReluGrad, y),
        LeakyRelu => from(LeakyReluGrad, y),
        Elu => from(EluGrad, y),
        Silu => from(SiluGrad, a),
        Gelu => from(GeluGrad, a),
        Tanh => from(TanhGrad, y),
        Sigmoid => from(SigmoidGrad, y),
        Softplus => from(SoftplusGrad, a),
        Reparameterise => {
            let (log_var, eps) = (b, args[2]);
            let sigma = (log_var * 0.5).exp();
            vec![Some(g), Some(graph.call(ReparameteriseGradLogVar, &[g, log_var, eps])), Some(g * sigma)]
        }
        KlStandardNormal => vec![Some(g * a), Some(graph.call(KlStandardNormalGradLogVar, &[g, b]))],
        BernoulliLogProb => vec![Some(g * (b - a.sigmoid())), Some(g * a)],
        GaussianLogProb => {
            let (x, mu, log_var) = (a, b, args[2]);
            let residual = x - mu;
            let score = residual * (-log_var).exp();
            let of_mu = g * score;
            vec![Some(-of_mu), Some(of_mu), Some(g * ((score * residual - 1.0) * 0.5))]
        }
        UniformCumulant => vec![Some(g * graph.call(TiltedMean, &[a]))],
        TiltedMean => from(TiltedMeanGrad, a),
        LogBeta => vec![Some(graph.call(LogBetaGrad, &[g, a, b])), Some(graph.call(LogBetaGrad, &[g, b, a]))],
        // f(a, b) = a f'(b), or of what f gave: linear in a. Those of kinked functions are the same on either side of the kink.
        ReluGrad | LeakyReluGrad => vec![Some(graph.call(func, &[g, b])), None],
        EluGrad => vec![Some(graph.call(func, &[g, b])), Some(zero.less(b).select(zero, g * a))],
        SiluGrad => {
            let s = b.sigmoid();
            let second = s * (1.0 - s) * (b * (1.0 - s * 2.0) + 2.0);
            vec![Some(graph.call(func, &[g, b])), Some(g * a * second)]
        }
        GeluGrad => {
            let density = (b.square() * -0.5).exp() * 0.398_942_3;
            vec![Some(graph.call(func, &[g, b])), Some(g * a * density * (2.0 - b.square()))]
        }
        TanhGrad => vec![Some(graph.call(func, &[g, b])), Some(g * a * b * -2.0)],
        SigmoidGrad => vec![Some(graph.call(func, &[g, b])), Some(g * a * (1.0 - b * 2.0))],
        SoftplusGrad => vec![Some(graph.call(func, &[g, b])), Some(graph.call(SigmoidGrad, &[g * a, b.sigmoid()]))],
        ReparameteriseGradLogVar => {
            let (log_var, eps) = (b, args[2]);
            let of = |t: Tensor<'g>| graph.call(func, &[t, log_var, eps]);
            vec![Some(of(g)), Some(of(g * a) * 0.5), Some(g * a * (log_var * 0.5).exp() * 0.5)]
        }
        KlStandardNormalGradLogVar => vec![Some(graph.call(func, &[g, b])), Some(g * a * b.exp() * 0.5)],
        TiltedMeanGrad | LogBetaGrad => panic!("{} is a derivative, and has none of its own", func.name()),
    }
}
