//! The derivatives of the scalar functions, as more of the graph.

use super::{Graph, Tensor};
use crate::kernels::Func::{self, *};

/// The gradients of a call's arguments, given its result `y` and the gradient `g` of that; `None` where it is 0.
///
/// # Panics
/// For the functions that are themselves derivatives: the graph differentiates once.
pub(super) fn of_call(graph: &mut Graph, func: Func, args: &[Tensor], y: Tensor, g: Tensor) -> Vec<Option<Tensor>> {
    let (a, b) = (args[0], args.get(1).copied().unwrap_or(args[0]));
    let from = |graph: &mut Graph, func: Func, saved: Tensor| vec![Some(graph.call(func, &[g, saved]))];
    match func {
        Neg => vec![Some(graph.neg(g))],
        Exp => vec![Some(graph.mul(g, y))],
        Log => vec![Some(graph.div(g, a))],
        Sqrt => {
            let half = graph.scale(g, 0.5);
            vec![Some(graph.div(half, y))]
        }
        Square => {
            let twice = graph.scale(a, 2.0);
            vec![Some(graph.mul(g, twice))]
        }
        Recip => {
            let squared = graph.call(Square, &[y]);
            let product = graph.mul(g, squared);
            vec![Some(graph.neg(product))]
        }
        Abs => {
            let zero = graph.constant(0.0);
            let negative = graph.call(Less, &[a, zero]);
            let minus = graph.neg(g);
            vec![Some(graph.call(Select, &[negative, minus, g]))]
        }
        Add => vec![Some(g), Some(g)],
        Sub => vec![Some(g), Some(graph.neg(g))],
        Mul => vec![Some(graph.mul(g, b)), Some(graph.mul(g, a))],
        Div => {
            let quotient = graph.div(g, b);
            let product = graph.mul(quotient, y);
            vec![Some(quotient), Some(graph.neg(product))]
        }
        Max | Min => {
            // At a tie the gradient goes to the first argument.
            let second = if func == Max { graph.call(Less, &[a, b]) } else { graph.call(Less, &[b, a]) };
            let zero = graph.constant(0.0);
            vec![Some(graph.call(Select, &[second, zero, g])), Some(graph.call(Select, &[second, g, zero]))]
        }
        Less => vec![None, None],
        Floor => vec![None],
        Select => {
            let zero = graph.constant(0.0);
            vec![None, Some(graph.call(Select, &[a, g, zero])), Some(graph.call(Select, &[a, zero, g]))]
        }
        Relu => from(graph, ReluGrad, y),
        LeakyRelu => from(graph, LeakyReluGrad, y),
        Elu => from(graph, EluGrad, y),
        Silu => from(graph, SiluGrad, a),
        Gelu => from(graph, GeluGrad, a),
        Tanh => from(graph, TanhGrad, y),
        Sigmoid => from(graph, SigmoidGrad, y),
        Softplus => from(graph, SoftplusGrad, a),
        Reparameterise => {
            let (log_var, eps) = (b, args[2]);
            let half = graph.scale(log_var, 0.5);
            let sigma = graph.call(Exp, &[half]);
            vec![Some(g), Some(graph.call(ReparameteriseGradLogVar, &[g, log_var, eps])), Some(graph.mul(g, sigma))]
        }
        KlStandardNormal => vec![Some(graph.mul(g, a)), Some(graph.call(KlStandardNormalGradLogVar, &[g, b]))],
        BernoulliLogProb => {
            let mean = graph.call(Sigmoid, &[a]);
            let residual = graph.sub(b, mean);
            vec![Some(graph.mul(g, residual)), Some(graph.mul(g, a))]
        }
        GaussianLogProb => {
            let (x, mu, log_var) = (a, b, args[2]);
            let minus = graph.neg(log_var);
            let precision = graph.call(Exp, &[minus]);
            let residual = graph.sub(x, mu);
            let score = graph.mul(residual, precision);
            let d_mu = graph.mul(g, score);
            let square = graph.mul(score, residual);
            let one = graph.constant(1.0);
            let excess = graph.sub(square, one);
            let half = graph.scale(excess, 0.5);
            vec![Some(graph.neg(d_mu)), Some(d_mu), Some(graph.mul(g, half))]
        }
        UniformCumulant => {
            let mean = graph.call(TiltedMean, &[a]);
            vec![Some(graph.mul(g, mean))]
        }
        TiltedMean => from(graph, TiltedMeanGrad, a),
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
