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
