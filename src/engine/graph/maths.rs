//! Elementwise maths on tensors: operators between tensors and numbers, and functions. All broadcast.

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::Tensor;
use crate::kernels::Func;

/// An operator between tensors, and between a tensor and a number on either side.
macro_rules! operator {
    ($trait:ident, $method:ident, $func:ident) => {
        impl<'g> $trait for Tensor<'g> {
            type Output = Tensor<'g>;
            #[track_caller]
            fn $method(self, other: Tensor<'g>) -> Tensor<'g> {
                self.graph().call(Func::$func, &[self, other])
            }
        }

        impl<'g> $trait<f32> for Tensor<'g> {
            type Output = Tensor<'g>;
            #[track_caller]
            fn $method(self, other: f32) -> Tensor<'g> {
                self.$method(self.graph().constant(other))
            }
        }

        impl<'g> $trait<Tensor<'g>> for f32 {
            type Output = Tensor<'g>;
            #[track_caller]
            fn $method(self, other: Tensor<'g>) -> Tensor<'g> {
                other.graph().constant(self).$method(other)
            }
        }
    };
}

operator!(Add, add, Add);
operator!(Sub, sub, Sub);
operator!(Mul, mul, Mul);
operator!(Div, div, Div);

impl<'g> Neg for Tensor<'g> {
    type Output = Tensor<'g>;
    fn neg(self) -> Tensor<'g> {
        self.apply(Func::Neg)
    }
}

impl<'g> Tensor<'g> {
    /// A scalar function of every element.
    #[track_caller]
    pub fn apply(self, func: Func) -> Tensor<'g> {
        self.graph().call(func, &[self])
    }

    /// eᵃ.
    pub fn exp(self) -> Tensor<'g> {
        self.apply(Func::Exp)
    }

    /// ln a.
    pub fn ln(self) -> Tensor<'g> {
        self.apply(Func::Log)
    }

    /// √a.
    pub fn sqrt(self) -> Tensor<'g> {
        self.apply(Func::Sqrt)
    }

    /// a².
    pub fn square(self) -> Tensor<'g> {
        self.apply(Func::Square)
    }

    /// 1/a.
    pub fn recip(self) -> Tensor<'g> {
        self.apply(Func::Recip)
    }

    /// |a|.
    pub fn abs(self) -> Tensor<'g> {
        self.apply(Func::Abs)
    }

    /// ⌊a⌋, through which no gradient flows.
    pub fn floor(self) -> Tensor<'g> {
        self.apply(Func::Floor)
    }

    /// tanh a.
    pub fn tanh(self) -> Tensor<'g> {
        self.apply(Func::Tanh)
    }

    /// a, or eᵃ − 1 below 0.
    pub fn elu(self) -> Tensor<'g> {
        self.apply(Func::Elu)
    }

    /// σ(a) = 1/(1 + e⁻ᵃ).
    pub fn sigmoid(self) -> Tensor<'g> {
        self.apply(Func::Sigmoid)
    }

    /// sin 2πa of a number of turns, to about 1e-7 between −½ and ½, also relative to itself near 0 and ½. (Taylor's polynomial of
    /// degree 13 on a quarter of a turn.)
    pub fn sin_turns(self) -> Tensor<'g> {
        const SERIES: [f64; 7] =
            [1.0, -1.0 / 6.0, 1.0 / 120.0, -1.0 / 5040.0, 1.0 / 362_880.0, -1.0 / 39_916_800.0, 1.0 / 6_227_020_800.0];
        let graph = self.graph();
        let turn = self - (self + 0.5).floor();
        let angle = turn.abs().minimum(0.5 - turn.abs()) * std::f32::consts::TAU;
        let square = angle.square();
        let start = graph.constant(SERIES[6] as f32);
        let series = SERIES[..6].iter().rev().fold(start, |sum, &term| sum * square + term as f32);
        let of_upper_half = angle * series;
        turn.less(graph.constant(0.0)).select(-of_upper_half, of_upper_half)
    }

    /// cos 2πa of a number of turns, see [`Tensor::sin_turns`].
    pub fn cos_turns(self) -> Tensor<'g> {
        (self + 0.25).sin_turns()
    }

    /// What there is already, and this.
    pub(crate) fn added_to(self, all: Option<Tensor<'g>>) -> Tensor<'g> {
        all.map_or(self, |all| all + self)
    }

    /// ln(1 + eᵃ).
    pub fn softplus(self) -> Tensor<'g> {
        self.apply(Func::Softplus)
    }

    /// The larger of the two; at a tie the gradient goes to this one.
    #[track_caller]
    pub fn maximum(self, other: Tensor<'g>) -> Tensor<'g> {
        self.graph().call(Func::Max, &[self, other])
    }

    /// The smaller of the two; at a tie the gradient goes to this one.
    #[track_caller]
    pub fn minimum(self, other: Tensor<'g>) -> Tensor<'g> {
        self.graph().call(Func::Min, &[self, other])
    }

    /// This limited to [low, high]; the gradient is 0 where the limit holds.
    pub fn clamp(self, low: f32, high: f32) -> Tensor<'g> {
        let graph = self.graph();
        self.maximum(graph.constant(low)).minimum(graph.constant(high))
    }

    /// 1 where this is less than the other, else 0; no gradient flows through it.
    #[track_caller]
    pub fn less(self, other: Tensor<'g>) -> Tensor<'g> {
        self.graph().call(Func::Less, &[self, other])
    }

    /// `yes` where this condition is not 0, else `no`; no gradient flows into the condition.
    #[track_caller]
    pub fn select(self, yes: Tensor<'g>, no: Tensor<'g>) -> Tensor<'g> {
        self.graph().call(Func::Select, &[self, yes, no])
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::Graph;
    use crate::graph::eval::{Values, evaluate};

    #[test]
    fn turns_have_the_sine_and_the_cosine_of_the_library() {
        let turns: Vec<f64> = (-400..=400).map(|i| f64::from(i) / 160.0).chain([1e-6, 0.499_999]).collect();
        let (graph, mut values) = (Graph::new(), Values::default());
        let a = graph.input("a", &[1, turns.len()]);
        values.tensors.insert("a".into(), turns.clone());
        let found = evaluate(&values, &[a.sin_turns(), a.cos_turns()]);
        for (i, turn) in turns.iter().enumerate() {
            let (sin, cos) = (turn * std::f64::consts::TAU).sin_cos();
            let [by_sin, by_cos] = [found[0][i], found[1][i]];
            assert!((by_sin - sin).abs() < 1e-7 && (by_cos - cos).abs() < 1e-7, "{turn}: {by_sin}, {by_cos}");
            assert!(sin.abs() < 0.1 || (by_sin + sin).abs() > 0.1, "another half is told apart");
        }
        // Near 0 and near half a turn it is the relative error that counts.
        for (found, turn) in found[0].iter().zip(&turns).rev().take(2) {
            let exact = (turn * std::f64::consts::TAU).sin();
            assert!((found / exact - 1.0).abs() < 1e-6, "{found}, not {exact}");
        }
    }
}
