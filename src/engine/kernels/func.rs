//! Scalar functions: the vocabulary of every fused kernel.
//!
//! Each has one name, one arity, its WGSL (an operator, a builtin, or a function of a file in `shaders/functions/`)
//! and its CPU twin over a block of lanes. Derivatives are graph rewrites and live with the graph.

use super::{Work, math, special};

/// A scalar function of one to three f32 arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each variant is documented by its formula in `Func::formula`")]
pub enum Func {
    Neg,
    Exp,
    Log,
    Sqrt,
    Square,
    Recip,
    Abs,
    Floor,
    Add,
    Sub,
    Mul,
    Div,
    Max,
    Min,
    Less,
    Select,
    Relu,
    LeakyRelu,
    Elu,
    Silu,
    Gelu,
    Tanh,
    Sigmoid,
    Softplus,
    ReluGrad,
    LeakyReluGrad,
    EluGrad,
    SiluGrad,
    GeluGrad,
    TanhGrad,
    SigmoidGrad,
    SoftplusGrad,
    Reparameterise,
    ReparameteriseGradLogVar,
    KlStandardNormal,
    KlStandardNormalGradLogVar,
    BernoulliLogProb,
    GaussianLogProb,
    UniformCumulant,
    TiltedMean,
    TiltedMeanGrad,
    LogBeta,
    LogBetaGrad,
}

use Func::*;

/// Where a function's WGSL comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// An expression in `a`, `b` and `c`, its arguments.
    Inline(&'static str),
    /// A function of the same name in this prelude file.
    File(&'static str, &'static str),
}

const ACTIVATIONS: (&str, &str) =
    ("functions/activations", include_str!("../../../shaders/functions/activations.wgsl"));
const GAUSSIAN: (&str, &str) = ("functions/gaussian", include_str!("../../../shaders/functions/gaussian.wgsl"));
const LIKELIHOODS: (&str, &str) =
    ("functions/likelihoods", include_str!("../../../shaders/functions/likelihoods.wgsl"));
const TILTED: (&str, &str) = ("functions/tilted", include_str!("../../../shaders/functions/tilted.wgsl"));
const GAMMA: (&str, &str) = ("functions/gamma", include_str!("../../../shaders/functions/gamma.wgsl"));

/// Every function with its name, arity, WGSL source and formula.
pub const FUNCS: &[(Func, &str, usize, Source, &str)] = &[
    (Neg, "neg", 1, Source::Inline("-a"), "−a"),
    (Exp, "exp", 1, Source::Inline("exp(a)"), "eᵃ"),
    (Log, "log", 1, Source::Inline("log(a)"), "ln a"),
    (Sqrt, "sqrt", 1, Source::Inline("sqrt(a)"), "√a"),
    (Square, "square", 1, Source::Inline("a * a"), "a²"),
    (Recip, "recip", 1, Source::Inline("1.0 / a"), "1/a"),
    (Abs, "abs", 1, Source::Inline("abs(a)"), "|a|"),
    (Floor, "floor", 1, Source::Inline("floor(a)"), "⌊a⌋"),
    (Add, "add", 2, Source::Inline("a + b"), "a + b"),
    (Sub, "sub", 2, Source::Inline("a - b"), "a − b"),
    (Mul, "mul", 2, Source::Inline("a * b"), "a·b"),
    (Div, "div", 2, Source::Inline("a / b"), "a/b"),
    (Max, "max", 2, Source::Inline("max(a, b)"), "max(a, b)"),
    (Min, "min", 2, Source::Inline("min(a, b)"), "min(a, b)"),
    (Less, "less", 2, Source::Inline("select(0.0, 1.0, a < b)"), "1 if a < b, else 0"),
    (Select, "select", 3, Source::Inline("select(c, b, a != 0.0)"), "b if a ≠ 0, else c"),
    (Relu, "relu", 1, file(ACTIVATIONS), "max(a, 0)"),
    (LeakyRelu, "leaky_relu", 1, file(ACTIVATIONS), "a if a > 0, else a/100"),
    (Elu, "elu", 1, file(ACTIVATIONS), "a if a > 0, else eᵃ − 1"),
    (Silu, "silu", 1, file(ACTIVATIONS), "a σ(a)"),
    (Gelu, "gelu", 1, file(ACTIVATIONS), "a Φ(a)"),
    (Tanh, "tanh_clamped", 1, file(ACTIVATIONS), "tanh a"),
    (Sigmoid, "sigmoid", 1, file(ACTIVATIONS), "σ(a) = 1/(1 + e⁻ᵃ)"),
    (Softplus, "softplus", 1, file(ACTIVATIONS), "ln(1 + eᵃ)"),
    (ReluGrad, "relu_grad", 2, file(ACTIVATIONS), "a relu′, from b = relu(x)"),
    (LeakyReluGrad, "leaky_relu_grad", 2, file(ACTIVATIONS), "a leaky_relu′, from b = leaky_relu(x)"),
    (EluGrad, "elu_grad", 2, file(ACTIVATIONS), "a elu′, from b = elu(x)"),
    (SiluGrad, "silu_grad", 2, file(ACTIVATIONS), "a silu′(b)"),
    (GeluGrad, "gelu_grad", 2, file(ACTIVATIONS), "a gelu′(b)"),
    (TanhGrad, "tanh_grad", 2, file(ACTIVATIONS), "a (1 − b²), from b = tanh(x)"),
    (SigmoidGrad, "sigmoid_grad", 2, file(ACTIVATIONS), "a b (1 − b), from b = σ(x)"),
    (SoftplusGrad, "softplus_grad", 2, file(ACTIVATIONS), "a σ(b)"),
    (Reparameterise, "reparameterise", 3, file(GAUSSIAN), "μ + e^{ln σ²/2} ε, of (μ, ln σ², ε)"),
    (ReparameteriseGradLogVar, "reparameterise_grad_log_var", 3, file(GAUSSIAN), "½ a e^{ln σ²/2} ε, of (a, ln σ², ε)"),
    (KlStandardNormal, "kl_standard_normal", 2, file(GAUSSIAN), "½(μ² + σ² − 1 − ln σ²), of (μ, ln σ²)"),
    (KlStandardNormalGradLogVar, "kl_standard_normal_grad_log_var", 2, file(GAUSSIAN), "½ a (σ² − 1), of (a, ln σ²)"),
    (BernoulliLogProb, "bernoulli_log_prob", 2, file(LIKELIHOODS), "x·l − ln(1 + eˡ), of (logit l, x)"),
    (GaussianLogProb, "gaussian_log_prob", 3, file(LIKELIHOODS), "−½(ln 2π + ln σ² + (x − μ)²/σ²), of (x, μ, ln σ²)"),
    (UniformCumulant, "uniform_cumulant", 1, file(TILTED), "ln((eᵃ − 1)/a)"),
    (TiltedMean, "tilted_mean", 1, file(TILTED), "1/(1 − e⁻ᵃ) − 1/a"),
    (TiltedMeanGrad, "tilted_mean_grad", 2, file(TILTED), "a (1/b² − e⁻ᵇ/(1 − e⁻ᵇ)²)"),
    (LogBeta, "log_beta", 2, file(GAMMA), "ln B(a, b) = ln Γ(a) + ln Γ(b) − ln Γ(a + b)"),
    (LogBetaGrad, "log_beta_grad", 3, file(GAMMA), "a (ψ(b) − ψ(b + c))"),
];

const fn file((name, text): (&'static str, &'static str)) -> Source {
    Source::File(name, text)
}

/// One loop over lanes. A macro, since a closure would not be compiled for the vectors of the function it stands in.
macro_rules! lanes {
    ($out:ident, $other:ident; $($x:ident = $a:ident),*; $value:expr) => {{
        let len = $out.len();
        let $other = &mut $other[..len];
        $(let $a = &$a[..len];)*
        for i in 0..len {
            let $other = &mut $other[i];
            $(let $x = $a[i];)*
            ($out[i], *$other) = $value;
        }
    }};
    ($out:ident; $x:ident = $a:ident; $value:expr) => {
        for (out, &$x) in $out.iter_mut().zip($a) {
            *out = $value;
        }
    };
    ($out:ident; $x:ident = $a:ident, $y:ident = $b:ident; $value:expr) => {
        for ((out, &$x), &$y) in $out.iter_mut().zip($a).zip($b) {
            *out = $value;
        }
    };
    ($out:ident; $x:ident = $a:ident, $y:ident = $b:ident, $z:ident = $c:ident; $value:expr) => {
        for (((out, &$x), &$y), &$z) in $out.iter_mut().zip($a).zip($b).zip($c) {
            *out = $value;
        }
    };
}

impl Func {
    fn row(self) -> &'static (Func, &'static str, usize, Source, &'static str) {
        // The table stands in the order of the enum, which a test asserts.
        &FUNCS[self as usize]
    }

    /// The function's name, also in WGSL where it is a function of a file.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// How many arguments it takes.
    pub fn arity(self) -> usize {
        self.row().2
    }

    /// Its WGSL.
    pub fn source(self) -> Source {
        self.row().3
    }

    /// Its formula, for people.
    pub fn formula(self) -> &'static str {
        self.row().4
    }

    /// Whether it costs so much more than a load that recomputing it in a second kernel would not pay.
    pub fn is_costly(self) -> bool {
        matches!(self.source(), Source::File(..))
            && !matches!(self, Relu | LeakyRelu | ReluGrad | LeakyReluGrad | TanhGrad | SigmoidGrad)
            || matches!(self, Exp | Log)
    }

    /// What it computes at one point.
    pub fn work(self) -> Work {
        use math::{ERF, EXP, LOG, SIGMOID, SOFTPLUS, TANH};
        use special::{LOG_BETA, LOG_BETA_SLOPE, TILTED_MEAN, TILTED_VARIANCE, UNIFORM_CUMULANT};
        let (base, operations) = match self {
            Neg | Square | Abs | Floor | Add | Sub | Mul | Max | Min | Relu => (Work::default(), 1.0),
            Less | Select | ReluGrad => (Work::default(), 2.0),
            LeakyRelu | LeakyReluGrad | TanhGrad | SigmoidGrad => (Work::default(), 3.0),
            EluGrad => (Work::default(), 4.0),
            Sqrt | Recip | Div => (Work::new(0.0, 1.0), 0.0),
            Exp => (EXP, 0.0),
            Log => (LOG, 0.0),
            Tanh => (TANH, 0.0),
            Sigmoid => (SIGMOID, 0.0),
            Softplus => (SOFTPLUS, 0.0),
            Elu | Reparameterise | KlStandardNormalGradLogVar => (EXP, 3.0),
            Silu | SoftplusGrad => (SIGMOID, 1.0),
            SiluGrad => (SIGMOID, 5.0),
            Gelu => (ERF, 4.0),
            GeluGrad => (ERF.and(EXP), 9.0),
            ReparameteriseGradLogVar => (EXP, 4.0),
            KlStandardNormal => (EXP, 5.0),
            BernoulliLogProb => (SOFTPLUS, 2.0),
            GaussianLogProb => (EXP, 7.0),
            UniformCumulant => (UNIFORM_CUMULANT, 0.0),
            TiltedMean => (TILTED_MEAN, 0.0),
            TiltedMeanGrad => (TILTED_VARIANCE, 1.0),
            LogBeta => (LOG_BETA, 0.0),
            LogBetaGrad => (LOG_BETA_SLOPE, 1.0),
        };
        base.and(Work::of(operations))
    }

    /// What it has in common with its [twin](super::expr::Expr::twin).
    pub(super) fn shared_work(self) -> Work {
        match self {
            Softplus | BernoulliLogProb => math::EXP_BELOW,
            _ => math::EXP,
        }
    }

    /// Its value at one point.
    pub fn at(self, a: f32, b: f32, c: f32) -> f32 {
        let mut out = [0.0];
        self.block(&mut out, &[a], &[b], &[c]);
        out[0]
    }

    /// [`Func::block`], and that of its [twin](super::expr::Expr::twin) into `other`, where the exponential of both stands in between: two loops wait
    /// less for their own results than one of both.
    #[inline(always)]
    pub(super) fn block_with_twin(self, out: &mut [f32], other: &mut [f32], a: &[f32], b: &[f32], c: &[f32]) {
        match self {
            Softplus | BernoulliLogProb => lanes!(other; x = a; math::exp_below(x)),
            _ => lanes!(other; log_var = c; math::exp(-log_var)),
        }
        match self {
            Softplus => lanes!(out, other; x = a; (math::softplus_of(x, *other), math::sigmoid_of(x, *other))),
            BernoulliLogProb => lanes!(out, other; logit = a, x = b; {
                (x * logit - math::softplus_of(logit, *other), math::sigmoid_of(logit, *other))
            }),
            GaussianLogProb => lanes!(out, other; x = a, mu = b, log_var = c; {
                (gaussian_log_prob(x, mu, log_var, *other), *other)
            }),
            _ => unreachable!("{} has no twin", self.name()),
        }
    }

    /// The CPU twin: `out[i] = f(a[i], b[i], c[i])`; arguments beyond the arity are ignored. A single `a` is a factor of all `b`.
    #[inline(always)]
    pub fn block(self, out: &mut [f32], a: &[f32], b: &[f32], c: &[f32]) {
        match self {
            Neg => lanes!(out; a = a; -a),
            Exp => lanes!(out; a = a; math::exp(a)),
            Log => lanes!(out; a = a; math::log(a)),
            Sqrt => lanes!(out; a = a; f32::sqrt(a)),
            Square => lanes!(out; a = a; a * a),
            Recip => lanes!(out; a = a; 1.0 / a),
            Abs => lanes!(out; a = a; f32::abs(a)),
            Floor => lanes!(out; a = a; f32::floor(a)),
            Add => lanes!(out; a = a, b = b; a + b),
            Sub => lanes!(out; a = a, b = b; a - b),
            Mul => match a {
                &[factor] => lanes!(out; b = b; factor * b),
                _ => lanes!(out; a = a, b = b; a * b),
            },
            Div => lanes!(out; a = a, b = b; a / b),
            Max => lanes!(out; a = a, b = b; if a < b { b } else { a }),
            Min => lanes!(out; a = a, b = b; if b < a { b } else { a }),
            Less => lanes!(out; a = a, b = b; if a < b { 1.0 } else { 0.0 }),
            Select => lanes!(out; a = a, b = b, c = c; if a != 0.0 { b } else { c }),
            Relu => lanes!(out; a = a; if a < 0.0 { 0.0 } else { a }),
            LeakyRelu => lanes!(out; a = a; if a < 0.0 { 0.01 * a } else { a }),
            Elu => lanes!(out; a = a; if a > 0.0 { a } else { math::exp(a) - 1.0 }),
            Silu => lanes!(out; a = a; a * math::sigmoid(a)),
            Gelu => lanes!(out; a = a; a * normal_cdf(a)),
            Tanh => lanes!(out; a = a; math::tanh(a)),
            Sigmoid => lanes!(out; a = a; math::sigmoid(a)),
            Softplus => lanes!(out; a = a; math::softplus(a)),
            ReluGrad => lanes!(out; g = a, y = b; if y > 0.0 { g } else { 0.0 }),
            LeakyReluGrad => lanes!(out; g = a, y = b; if y > 0.0 { g } else { 0.01 * g }),
            EluGrad => lanes!(out; g = a, y = b; if y > 0.0 { g } else { g * (y + 1.0) }),
            SiluGrad => lanes!(out; g = a, x = b; {
                let s = math::sigmoid(x);
                g * s * (1.0 + x * (1.0 - s))
            }),
            GeluGrad => lanes!(out; g = a, x = b; g * (normal_cdf(x) + x * 0.398_942_3 * math::exp(-0.5 * x * x))),
            TanhGrad => lanes!(out; g = a, y = b; g * (1.0 - y * y)),
            SigmoidGrad => lanes!(out; g = a, y = b; g * y * (1.0 - y)),
            SoftplusGrad => lanes!(out; g = a, x = b; g * math::sigmoid(x)),
            Reparameterise => lanes!(out; mu = a, log_var = b, eps = c; mu + math::exp(0.5 * log_var) * eps),
            ReparameteriseGradLogVar => {
                lanes!(out; g = a, log_var = b, eps = c; 0.5 * g * math::exp(0.5 * log_var) * eps)
            }
            KlStandardNormal => lanes!(out; mu = a, log_var = b; 0.5 * (mu * mu + math::exp(log_var) - 1.0 - log_var)),
            KlStandardNormalGradLogVar => lanes!(out; g = a, log_var = b; 0.5 * g * (math::exp(log_var) - 1.0)),
            BernoulliLogProb => lanes!(out; logit = a, x = b; x * logit - math::softplus(logit)),
            GaussianLogProb => {
                lanes!(out; x = a, mu = b, log_var = c; gaussian_log_prob(x, mu, log_var, math::exp(-log_var)))
            }
            UniformCumulant => lanes!(out; a = a; special::uniform_cumulant(a)),
            TiltedMean => lanes!(out; a = a; special::tilted_mean(a)),
            TiltedMeanGrad => lanes!(out; g = a, x = b; g * special::tilted_variance(x)),
            LogBeta => lanes!(out; a = a, b = b; special::log_beta(a, b)),
            LogBetaGrad => lanes!(out; g = a, x = b, y = c; g * special::log_beta_slope(x, y)),
        }
    }
}

/// ln 2π.
const LN_TAU: f32 = 1.837_877;

/// ln N(x; μ, σ²), of ln σ² and 1/σ².
#[inline(always)]
fn gaussian_log_prob(x: f32, mu: f32, log_var: f32, precision: f32) -> f32 {
    let d = x - mu;
    -0.5 * (LN_TAU + log_var + d * d * precision)
}

#[inline(always)]
fn normal_cdf(x: f32) -> f32 {
    0.5 * (1.0 + math::erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_in_the_order_of_the_enum() {
        for (i, row) in FUNCS.iter().enumerate() {
            assert_eq!(row.0 as usize, i, "{} is out of place", row.1);
            if let Source::File(name, text) = row.3 {
                assert!(text.contains(&format!("fn {}(", row.1)), "{} is not in {name}.wgsl", row.1);
            }
        }
        assert_eq!(FUNCS.len(), LogBetaGrad as usize + 1);
    }

    #[test]
    fn values_at_known_points() {
        let close = |a: f32, b: f32| assert!((a - b).abs() < 2e-6, "{a} is not {b}");
        close(Gelu.at(1.0, 0.0, 0.0), 0.841_344_7);
        close(Silu.at(-1.0, 0.0, 0.0), -0.268_941_4);
        close(Softplus.at(0.0, 0.0, 0.0), std::f32::consts::LN_2);
        assert_eq!(Softplus.at(200.0, 0.0, 0.0), 200.0);
        close(BernoulliLogProb.at(0.0, 1.0, 0.0), -std::f32::consts::LN_2);
        close(GaussianLogProb.at(1.0, 1.0, 0.0), -0.918_938_5);
        close(KlStandardNormal.at(1.0, 0.0, 0.0), 0.5);
        close(Reparameterise.at(1.0, 2.0_f32.ln() * 2.0, 3.0), 7.0);
    }
}
