//! What likelihoods of data at evenly spaced levels share: an axis of choices in front of the features.

use crate::catalogue::{Bounds, Setting, Usual};
use crate::graph::Tensor;

/// How many levels there are.
pub(super) const LEVELS: Setting = Setting {
    name: "levels",
    default: Usual::Number(256.0),
    bounds: Bounds::Whole(2, 1024),
    meaning: "how many values a feature can take, 0, 1/(levels − 1), …, 1; 256 for pixels of one byte, 2 for black and white",
};

/// `[…, parts·features]` as `[…, parts, features]`.
pub(super) fn stack(t: Tensor, parts: usize) -> Tensor {
    let mut shape = t.shape().to_vec();
    let features = shape.pop().expect("outputs have an axis of features") / parts;
    shape.extend([parts, features]);
    t.reshape(&shape)
}

/// `[…, features]` as `[…, 1, features]`.
pub(super) fn raise(t: Tensor) -> Tensor {
    stack(t, 1)
}

/// `[…, 1, features]` as `[…, features]`.
pub(super) fn lower(t: Tensor) -> Tensor {
    let mut shape = t.shape().to_vec();
    assert_eq!(shape.remove(shape.len() - 2), 1, "one of the choices, or a sum over them");
    t.reshape(&shape)
}

/// The sum over the choices: `[…, choices, features]` to `[…, features]`.
pub(super) fn total(t: Tensor) -> Tensor {
    lower(t.sum(&[t.shape().len() - 2]))
}

/// The logarithms of probabilities in proportion to eᵗ along the choices. The largest is taken out first, which is exact also
/// where all are large.
pub(super) fn log_softmax(t: Tensor) -> Tensor {
    let axis = t.shape().len() - 2;
    let shifted = t - t.max(&[axis]).detach();
    shifted - shifted.exp().sum(&[axis]).ln()
}

/// Of `[…, choices, features]` the one whose index is `[…, 1, features]`, rounded. `[…, features]`
pub(super) fn pick<'g>(t: Tensor<'g>, index: Tensor<'g>) -> Tensor<'g> {
    let graph = t.graph();
    let place = graph.coordinate(t.shape().len() - 2, t.shape());
    let is_chosen = (place - index).abs().less(graph.constant(0.5));
    total(is_chosen.select(t, graph.constant(0.0)))
}
