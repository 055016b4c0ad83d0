//! The linear layer: y = x Wᵀ + b.

use crate::graph::{Graph, Init, Tensor};

/// A linear layer of the scope `name`, of `x` `[rows, inputs]`, see [`parameters`]. `[rows, outputs]`
pub fn linear<'g>(name: &str, x: Tensor<'g>, outputs: usize) -> Tensor<'g> {
    let [weight, bias] = parameters(name, x.graph(), [outputs, x.width()]);
    x.matmul(weight.t()) + bias
}

/// What a linear layer of the scope `name` learns: `weight` `[outputs, inputs]` and `bias` `[outputs]`. Both start uniform in ±1/√inputs, as
/// PyTorch's `nn.Linear` does (Kaiming uniform with a = √5).
pub(super) fn parameters<'g>(name: &str, graph: &'g Graph, [outputs, inputs]: [usize; 2]) -> [Tensor<'g>; 2] {
    let init = Init::Uniform(1.0 / (inputs as f32).sqrt());
    graph.scope(name, || [graph.param("weight", &[outputs, inputs], init), graph.param("bias", &[outputs], init)])
}
