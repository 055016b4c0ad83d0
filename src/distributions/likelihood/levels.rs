//! What likelihoods of data at evenly spaced levels share: an axis of choices in front of the features.

use crate::catalogue::{Bounds, Setting};
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

/// How many levels there are.
pub(super) const LEVELS: Setting = Setting {
    name: "levels",
    default: 256.0,
    bounds: Bounds::Whole(2, 1024),
    meaning: "how many values a feature can take, 0, 1/(levels − 1), …, 1; 256 for pixels of one byte, 2 for black and white",
};

/// `[…, parts·features]` as `[…, parts, features]`.
pub(super) fn stack(graph: &mut Graph, t: Tensor, parts: usize) -> Tensor {
    let mut shape = graph.shape(t).to_vec();
    let features = shape.pop().expect("outputs have an axis of features") / parts;
    shape.extend([parts, features]);
    graph.reshape(t, &shape)
}

/// `[…, features]` as `[…, 1, features]`.
pub(super) fn raise(graph: &mut Graph, t: Tensor) -> Tensor {
    stack(graph, t, 1)
}

/// `[…, 1, features]` as `[…, features]`.
pub(super) fn lower(graph: &mut Graph, t: Tensor) -> Tensor {
    let mut shape = graph.shape(t).to_vec();
    assert_eq!(shape.remove(shape.len() - 2), 1, "one of the choices, or a sum over them");
    graph.reshape(t, &shape)
}

/// The sum over the choices: `[…, choices, features]` to `[…, features]`.
pub(super) fn total(graph: &mut Graph, t: Tensor) -> Tensor {
    let axis = graph.shape(t).len() - 2;
    let sum = graph.sum(t, &[axis]);
    lower(graph, sum)
}

/// The logarithms of probabilities in proportion to eᵗ along the choices. The largest is taken out first, which is exact also
/// where all are large.
pub(super) fn log_softmax(graph: &mut Graph, t: Tensor) -> Tensor {
    let axis = graph.shape(t).len() - 2;
    let largest = graph.max(t, &[axis]);
    let largest = graph.detach(largest);
    let shifted = graph.sub(t, largest);
    let exp = graph.call(Func::Exp, &[shifted]);
    let sum = graph.sum(exp, &[axis]);
    let log = graph.call(Func::Log, &[sum]);
    graph.sub(shifted, log)
}

/// Of `[…, choices, features]` the one whose index is `[…, 1, features]`, rounded. `[…, features]`
pub(super) fn pick(graph: &mut Graph, t: Tensor, index: Tensor) -> Tensor {
    let shape = graph.shape(t).to_vec();
    let place = graph.coordinate(shape.len() - 2, &shape);
    let apart = graph.sub(place, index);
    let (apart, half, zero) = (graph.call(Func::Abs, &[apart]), graph.constant(0.5), graph.constant(0.0));
    let chosen = graph.call(Func::Less, &[apart, half]);
    let picked = graph.call(Func::Select, &[chosen, t, zero]);
    total(graph, picked)
}
