//! The scalar functions as operators of ONNX: one operator where there is one, else the formula.

use super::builder::{Builder, Value, number_of};
use crate::error::{Error, Result};
use crate::kernels::Func;

/// A function of values.
///
/// # Errors
/// If operators of ONNX do not give it.
pub fn call(out: &Builder, func: Func, args: &[Value]) -> Result<Value> {
    use Func::*;
    let (a, b, c) = (&args[0], args.get(1).unwrap_or(&args[0]), args.get(2).unwrap_or(&args[0]));
    let n = |number: f32| out.scalar(number);
    let add = |a: &Value, b: &Value| out.binary("Add", a, b);
    let sub = |a: &Value, b: &Value| out.binary("Sub", a, b);
    let mul = |a: &Value, b: &Value| out.binary("Mul", a, b);
    let exp = |a: &Value| out.unary("Exp", a);
    let half = |a: &Value| mul(a, &n(0.5));
    Ok(match func {
        Neg => out.unary("Neg", a),
        Exp => exp(a),
        Log => out.unary("Log", a),
        Sqrt => out.unary("Sqrt", a),
        Square => mul(a, a),
        Recip => out.unary("Reciprocal", a),
        Abs => out.unary("Abs", a),
        Floor => out.unary("Floor", a),
        Add => add(a, b),
        Sub => sub(a, b),
        Mul => mul(a, b),
        Div => out.binary("Div", a, b),
        Max => out.binary("Max", a, b),
        Min => out.binary("Min", a, b),
        Less => out.less(a, b),
        Select => out.choose(a, b, c),
        Relu => out.unary("Relu", a),
        LeakyRelu => out.op("LeakyRelu", &[a], vec![number_of("alpha", 0.01)], a.shape.clone()),
        Elu => out.unary("Elu", a),
        Silu => mul(a, &out.unary("Sigmoid", a)),
        Gelu => {
            let erf = out.unary("Erf", &mul(a, &n(std::f32::consts::FRAC_1_SQRT_2)));
            mul(a, &half(&add(&erf, &n(1.0))))
        }
        Tanh => out.unary("Tanh", a),
        Sigmoid => out.unary("Sigmoid", a),
        Softplus => out.unary("Softplus", a),
        Reparameterise => add(a, &mul(&exp(&half(b)), c)),
        KlStandardNormal => half(&sub(&add(&mul(a, a), &exp(b)), &add(b, &n(1.0)))),
        BernoulliLogProb => sub(&mul(b, a), &out.unary("Softplus", a)),
        GaussianLogProb => {
            let apart = sub(a, b);
            let squares = mul(&mul(&apart, &apart), &exp(&out.unary("Neg", c)));
            mul(&add(&add(&squares, c), &n(std::f32::consts::TAU.ln())), &n(-0.5))
        }
        TiltedMean => tilted_mean(out, a),
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
        | UniformCumulant
        | TiltedMeanGrad
        | LogBeta
        | LogBetaGrad => {
            return Err(Error::invalid(format!(
                "the function {}, which is {}, has no form in ONNX",
                func.name(),
                func.formula()
            )));
        }
    })
}

/// 1/(1 − e⁻ᵃ) − 1/a, by its Taylor series where |a| < 1, as the kernels compute it.
fn tilted_mean(out: &Builder, a: &Value) -> Value {
    let n = |number: f32| out.scalar(number);
    let add = |a: &Value, b: &Value| out.binary("Add", a, b);
    let mul = |a: &Value, b: &Value| out.binary("Mul", a, b);
    let sub = |a: &Value, b: &Value| out.binary("Sub", a, b);
    let size = out.unary("Abs", a);
    let square = out.binary("Min", &mul(a, a), &n(1.0));
    let series = [2.087_675_6e-8, -8.267_196e-7, 3.306_878_3e-5, -1.388_888_9e-3, 0.083_333_336];
    let [first, rest @ ..] = series;
    let slope = rest.iter().fold(n(first), |sum, &term| add(&mul(&sum, &square), &n(term)));
    let near = add(&mul(a, &slope), &n(0.5));
    let t = out.binary("Max", &size, &n(1.0));
    let e = out.unary("Exp", &out.unary("Neg", &t));
    let (rest, inverse) = (sub(&n(1.0), &e), out.unary("Reciprocal", &t));
    let above = sub(&out.unary("Reciprocal", &rest), &inverse);
    let below = sub(&inverse, &out.binary("Div", &e, &rest));
    let far = out.choose(&out.less(&n(0.0), a), &above, &below);
    out.choose(&out.less(&size, &n(1.0)), &near, &far)
}
