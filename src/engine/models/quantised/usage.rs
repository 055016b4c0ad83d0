//! Which vectors are in use: those that were chosen within so many steps.

use crate::graph::{Graph, Init, Tensor};

/// Ages `[K, 1]`, steps since each vector was last chosen, and steps so far `[1, 1]`, after a step in which each was chosen so many times
/// `[K, 1]`; and how many were chosen within the last `window` steps `[1, 1]`.
pub(super) fn aged<'g>(
    [age, steps]: [Tensor<'g>; 2],
    count: Tensor<'g>,
    window: usize,
) -> ([Tensor<'g>; 2], Tensor<'g>) {
    let graph = age.graph();
    let zero = graph.constant(0.0);
    let steps = steps + 1.0;
    let age = zero.less(count).select(zero, age + 1.0);
    let used = age.less(steps.minimum(graph.constant(window as f32))).sum(&[0]);
    ([age, steps], used)
}

/// The same of vectors that are not learnt, kept from step to step in the scope `name`; in training only.
pub(super) fn in_use<'g>(name: &str, graph: &'g Graph, counted: Tensor<'g>, window: usize) -> Option<Tensor<'g>> {
    graph.scope(name, || {
        let codes = counted.width();
        let kept = [("age", [codes, 1]), ("steps", [1, 1])];
        let [age, steps] = kept.map(|(name, shape)| graph.state(name, &shape, Init::Constant(0.0)));
        if !graph.is_assigned(age) {
            return None;
        }
        let (next, used) = aged([age, steps], counted.sum(&[0]).reshape(&[codes, 1]), window);
        [age, steps].into_iter().zip(next).for_each(|(state, value)| graph.assign(state, value));
        Some(used)
    })
}
