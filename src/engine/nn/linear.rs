//! The linear layer: y = x Wᵀ + b.

use crate::graph::{Init, Tensor};

/// A linear layer of the scope `name`: `weight` `[outputs, inputs]` and `bias` `[outputs]`, of `x` `[rows, inputs]`. Both start
/// uniform in ±1/√inputs, as PyTorch's `nn.Linear` does (Kaiming uniform with a = √5). `[rows, outputs]`
pub fn linear<'g>(name: &str, x: Tensor<'g>, outputs: usize) -> Tensor<'g> {
    let (graph, inputs) = (x.graph(), x.width());
    let init = Init::Uniform(1.0 / (inputs as f32).sqrt());
    graph.scope(name, || {
        x.matmul(graph.param("weight", &[outputs, inputs], init).t()) + graph.param("bias", &[outputs], init)
    })
}
