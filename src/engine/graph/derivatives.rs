//! The derivatives of the scalar functions, as more of the graph.

use super::Tensor;
use crate::kernels::Func::{self, *};

/// The gradients of a call's arguments, given its result `y` and the gradient `g` of that; `None` where it is 0.
///
/// # Panics
/// For the functions that are themselves derivatives: the graph differentiates once.
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
        ReluGrad
        | LeakyReluGrad
        | EluGrad
        | SiluGrad
        | GeluGrad
        | TanhGrad
        | SigmoidGrad
        | SoftplusGrad
        | ReparameteriseGradLogVar
        | KlStandardNormalGradLogVar
        | TiltedMeanGrad
        | LogBetaGrad => {
            panic!("{} is a derivative, and has none of its own", func.name())
        }
    }
}
