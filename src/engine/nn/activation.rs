//! Activations: the nonlinearities between layers.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantNames};

use crate::catalogue::Value;
use crate::graph::Tensor;
use crate::kernels::Func;

/// A nonlinearity: a function of each element, or a gate with weights of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumString, IntoStaticStr, VariantNames)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Activation {
    /// max(x, 0)
    Relu,
    /// x, or x/100 below 0
    LeakyRelu,
    /// x, or eˣ − 1 below 0
    Elu,
    /// x·σ(x)
    Silu,
    /// x·Φ(x)
    Gelu,
    /// tanh x
    Tanh,
    /// 1/(1 + e⁻ˣ)
    Sigmoid,
    /// ln(1 + eˣ)
    Softplus,
    /// (Wx + b) ⊙ σ(Vx + c): a second layer says how much of the first passes (Dauphin et al. 2017)
    Gated,
}

impl Activation {
    /// All of them.
    pub const ALL: [Activation; 9] = [
        Activation::Relu,
        Activation::LeakyRelu,
        Activation::Elu,
        Activation::Silu,
        Activation::Gelu,
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Softplus,
        Activation::Gated,
    ];

    /// The scalar function; `None` for a gate, which is none of the layer's result alone.
    pub fn func(self) -> Option<Func> {
        match self {
            Activation::Relu => Some(Func::Relu),
            Activation::LeakyRelu => Some(Func::LeakyRelu),
            Activation::Elu => Some(Func::Elu),
            Activation::Silu => Some(Func::Silu),
            Activation::Gelu => Some(Func::Gelu),
            Activation::Tanh => Some(Func::Tanh),
            Activation::Sigmoid => Some(Func::Sigmoid),
            Activation::Softplus => Some(Func::Softplus),
            Activation::Gated => None,
        }
    }

    /// What becomes of a layer's result `y`; `gate` is asked for a second layer's where this is a gate.
    pub fn of<'g>(self, y: Tensor<'g>, gate: impl FnOnce() -> Tensor<'g>) -> Tensor<'g> {
        match self.func() {
            Some(func) => y.apply(func),
            None => y * gate().sigmoid(),
        }
    }
}

/// As a setting of a network.
impl From<Activation> for Value {
    fn from(activation: Activation) -> Value {
        Value::from(<&str>::from(activation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "cli")]
    #[test]
    fn options_take_its_name() {
        for (activation, name) in Activation::ALL.into_iter().zip(Activation::VARIANTS) {
            assert_eq!(clap::ValueEnum::to_possible_value(&activation).unwrap().get_name(), *name);
        }
    }

    #[test]
    fn it_has_one_name_everywhere() {
        for (activation, name) in Activation::ALL.into_iter().zip(Activation::VARIANTS) {
            assert_eq!(serde_json::to_value(activation).unwrap(), *name);
            assert_eq!((name.parse::<Activation>(), Value::from(activation)), (Ok(activation), Value::from(*name)));
        }
        assert_eq!(Activation::ALL.len(), Activation::VARIANTS.len());
    }
}
