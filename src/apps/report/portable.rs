//! A decoder that runs in a page: the graph of E\[x | z, y\] as a list of operations, and its parameters in 16 bits each.
//!
//! The page computes whatever the list holds, so every network is decoded there whose operations `assets/report/decoder.js` knows.
//! Parameters are whole numbers from −32,767 to 32,767, times a scale for every row of a tensor: an error of at most 1.6e-5 of the largest
//! number in the row, where half-precision numbers have one of 4.9e-4 of each.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::inline::text_of;
use crate::error::Result;
use crate::graph::{Graph, Node, NodeId, Op, Tensor};
use crate::kernels::{Func, Window};
use crate::training::Session;

/// The most parameters that a page carries: two bytes each, and a third more as text.
const MOST_PARAMETERS: usize = 250_000;
/// The most products for one row, so that a slider moves without waiting.
const MOST_PRODUCTS: usize = 40_000_000;
/// The largest whole number of a parameter.
const TOP: f32 = 32_767.0;

/// The scalar functions that a page knows.
const FUNCTIONS: [Func; 26] = [
    Func::Neg,
    Func::Exp,
    Func::Log,
    Func::Sqrt,
    Func::Square,
    Func::Recip,
    Func::Abs,
    Func::Floor,
    Func::Add,
    Func::Sub,
    Func::Mul,
    Func::Div,
    Func::Max,
    Func::Min,
    Func::Less,
    Func::Select,
    Func::Relu,
    Func::LeakyRelu,
    Func::Elu,
    Func::Silu,
    Func::Gelu,
    Func::Tanh,
    Func::Sigmoid,
    Func::Softplus,
    Func::KlStandardNormal,
    Func::TiltedMean,
];

/// A decoder for a page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Portable {
    /// Operations in the order in which they are done: a name, the places of what is given, the shape of what comes out, and what else belongs to it.
    nodes: Vec<Value>,
    /// All parameters behind each other, 16-bit numbers in Base64.
    weights: String,
    /// The scales of their rows, 32-bit floats in Base64.
    scales: String,
}

/// The decoder of a model; a reason, as half a sentence, where a page cannot carry it.
///
/// # Errors
/// If the device fails.
pub fn portable(
    session: &mut Session,
    (latent, condition): (usize, usize),
) -> Result<std::result::Result<Portable, String>> {
    let graph = Graph::new();
    let z = graph.input("z", &[1, latent]);
    let y = (condition > 0).then(|| graph.input("y", &[1, condition]));
    let rows = session.model.can().decode()?.mean(z, y);
    let used = used(&graph, rows);
    if let Some(why) = refusal(&graph, &used) {
        return Ok(Err(why));
    }
    let values: HashMap<String, Vec<f32>> =
        session.values()?.into_iter().map(|(name, _, values)| (name, values)).collect();
    Ok(Ok(packed(&graph, &used, &values)))
}

/// The nodes that a tensor needs, in their order.
fn used(graph: &Graph, of: Tensor) -> Vec<NodeId> {
    let mut is_used = vec![false; graph.len()];
    is_used[of.id().0 as usize] = true;
    for id in graph.ids().rev().filter(|id| *id <= of.id()) {
        if is_used[id.0 as usize] {
            graph.node(id).inputs.iter().for_each(|input| is_used[input.0 as usize] = true);
        }
    }
    graph.ids().filter(|id| is_used[id.0 as usize]).collect()
}

/// Why a page cannot do it.
fn refusal(graph: &Graph, used: &[NodeId]) -> Option<String> {
    let nodes = || used.iter().map(|&id| graph.node(id));
    let size = |node: &Node| node.shape.iter().product::<usize>();
    let parameters: usize = nodes().filter(|node| matches!(node.op, Op::Param(_))).map(size).sum();
    if parameters > MOST_PARAMETERS {
        return Some(format!("the decoder has {parameters} parameters, and a page carries at most {MOST_PARAMETERS}"));
    }
    let products: usize =
        nodes().filter(|node| matches!(node.op, Op::MatMul { .. })).map(|node| size(node) * depth(graph, node)).sum();
    if products > MOST_PRODUCTS {
        return Some(format!("a row takes {products} products, too many for a page"));
    }
    nodes().find(|node| operation(graph, node).is_none()).map(|_| "the decoder computes what a page cannot".to_string())
}

/// The products that are summed up for each element of a product.
fn depth(graph: &Graph, node: &Node) -> usize {
    let Op::MatMul { transpose_a, .. } = node.op else { return 0 };
    graph.shape(node.inputs[0])[usize::from(!transpose_a)]
}

/// The name of an operation, and what else belongs to it.
fn operation(graph: &Graph, node: &Node) -> Option<(&'static str, Value)> {
    let given = |at: usize| graph.shape(node.inputs[at]);
    Some(match &node.op {
        Op::Param(_) => ("param", Value::Null),
        Op::Input(name) => ("input", json!(name)),
        Op::Const(bits) => ("const", json!(bits.get())),
        Op::Coordinate(axis) => ("coordinate", json!(axis)),
        Op::Call(func) if FUNCTIONS.contains(func) => ("call", json!(func.name())),
        Op::MatMul { transpose_a, transpose_b } => ("matmul", json!([transpose_a, transpose_b, depth(graph, node)])),
        Op::Patches(window) => ("patches", described(window)),
        Op::Fold(window) => ("fold", described(window)),
        Op::Sum(_) => ("sum", json!(given(0))),
        Op::Max(_) => ("max", json!(given(0))),
        Op::Expand => ("expand", json!(given(0))),
        Op::Reshape | Op::Detach => ("same", Value::Null),
        Op::Permute(order) => ("permute", json!([given(0), order])),
        Op::Slice { axis, start } => ("slice", json!([given(0), axis, start])),
        Op::Concat(axis) => ("concat", json!([axis, (0..node.inputs.len()).map(given).collect::<Vec<_>>()])),
        Op::Call(_) | Op::Batch { .. } | Op::Scalar(_) | Op::Rows | Op::RowOffset | Op::Normal(_) | Op::Uniform(_) => {
            return None;
        }
    })
}

fn described(window: &Window) -> Value {
    json!({
        "image": window.image, "channels": window.channels, "kernel": window.kernel, "stride": window.stride,
        "before": window.padding.map(|[before, _]| before), "dilation": window.dilation, "places": window.places(),
    })
}

fn packed(graph: &Graph, used: &[NodeId], values: &HashMap<String, Vec<f32>>) -> Portable {
    let places: HashMap<NodeId, usize> = used.iter().enumerate().map(|(place, &id)| (id, place)).collect();
    let (mut nodes, mut weights, mut scales) = (vec![], vec![], vec![]);
    for &id in used {
        let node = graph.node(id);
        let Some((name, more)) = operation(graph, node) else { continue };
        let inputs: Vec<usize> = node.inputs.iter().map(|input| places[input]).collect();
        if let Op::Param(name) = &node.op {
            let row = node.shape.last().copied().unwrap_or(1);
            values[name].chunks(row).for_each(|row| pack(row, &mut weights, &mut scales));
        }
        nodes.push(json!([name, inputs, node.shape, more]));
    }
    Portable { nodes, weights: text_of(&weights), scales: text_of(&scales) }
}

/// A row as whole numbers, and what they are multiplied with.
fn pack(row: &[f32], weights: &mut Vec<u8>, scales: &mut Vec<u8>) {
    let largest = row.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let scale = if largest > 0.0 { largest / TOP } else { 1.0 };
    weights.extend(row.iter().flat_map(|value| ((value / scale).round().clamp(-TOP, TOP) as i16).to_le_bytes()));
    scales.extend(scale.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_keep_four_digits_of_the_largest_in_their_row() {
        let row = [0.25_f32, -1.5, 1e-3, 0.0];
        let (mut weights, mut scales) = (vec![], vec![]);
        pack(&row, &mut weights, &mut scales);
        pack(&[0.0; 4], &mut weights, &mut scales);
        let scale = f32::from_le_bytes(scales[..4].try_into().unwrap());
        let numbers: Vec<i16> = weights.chunks(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect();
        for (value, number) in row.iter().zip(&numbers) {
            assert!((value - scale * f32::from(*number)).abs() <= 1.5 * 1.6e-5, "{value} {number}");
        }
        assert_eq!((numbers[1], &numbers[4..]), (-32_767, &[0; 4][..]));
    }

    #[test]
    fn only_what_is_needed_is_carried_and_draws_are_refused() {
        let graph = Graph::new();
        let z = graph.input("z", &[1, 2]);
        let unused = z * 3.0;
        let weight = graph.param("weight", &[4, 2], crate::graph::Init::Constant(0.5));
        let rows = z.matmul(weight.t()).sigmoid();
        let found = used(&graph, rows);
        assert!(!found.contains(&unused.id()) && refusal(&graph, &found).is_none());
        let values = HashMap::from([("weight".to_string(), vec![0.5; 8])]);
        let names: Vec<String> =
            packed(&graph, &found, &values).nodes.iter().map(|node| node[0].as_str().unwrap().to_string()).collect();
        assert_eq!(names, ["input", "param", "matmul", "call"]);
        let drawn = rows + graph.normal(graph.stream(), &[1, 4]);
        assert!(refusal(&graph, &used(&graph, drawn)).unwrap().contains("what a page cannot"));
        let large = z.matmul(graph.param("large", &[2, 200_000], crate::graph::Init::Constant(0.5)));
        assert!(refusal(&graph, &used(&graph, large)).unwrap().contains("400000 parameters"));
    }
}
