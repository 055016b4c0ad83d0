//! MADE, a network whose outputs are autoregressive (Germain et al. 2015): output d depends on inputs before d alone.
//!
//! One hidden layer of H units over D inputs. Unit h sees the inputs i ≤ h(D − 1)/H and feeds the outputs o > h(D − 1)/H,
//! so that no path leads from an input to an output that does not come after it. The masks are made of comparisons of whole
//! numbers, h(D − 1) with i·H, which f32 holds exactly; a context, which any output may see, enters the hidden layer as a whole.

use super::parameters::{Init, ParameterSpec};
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

/// A masked network from `[rows, width]` to a shift and a scale `[rows, width]` each.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// The network's name, before those of its parameters.
    pub name: String,
    /// D, values that come in, and that go out of each of the two heads.
    pub width: usize,
    /// H, hidden units.
    pub hidden: usize,
    /// Values of the context; 0 where there is none.
    pub context: usize,
    /// Whether the order goes from the last dimension to the first.
    pub reversed: bool,
    /// Where the bias of the scale starts.
    pub scale_bias: f32,
}

impl Made {
    fn linear(&self, part: &str, shape: [usize; 2], bias: Init) -> Vec<ParameterSpec> {
        let init = Init::Uniform(1.0 / (shape[1] as f32).sqrt());
        let name = |end: &str| format!("{}.{part}.{end}", self.name);
        vec![
            ParameterSpec { name: name("weight"), shape: shape.to_vec(), init },
            ParameterSpec { name: name("bias"), shape: vec![shape[0]], init: bias },
        ]
    }

    /// Its parameters: `<name>.hidden`, `<name>.context` (a weight alone), `<name>.shift` and `<name>.scale`.
    pub fn parameters(&self) -> Vec<ParameterSpec> {
        let zero = Init::Constant(0.0);
        let mut all = self.linear("hidden", [self.hidden, self.width], zero);
        if self.context > 0 {
            all.extend(self.linear("context", [self.hidden, self.context], zero).into_iter().take(1));
        }
        all.extend(self.linear("shift", [self.width, self.hidden], zero));
        all.extend(self.linear("scale", [self.width, self.hidden], Init::Constant(self.scale_bias)));
        all
    }

    /// x Wᵀ with the parameter `<name>.<part>.weight` `[outputs, inputs]`, of which `keep` is what stays.
    fn product(&self, graph: &mut Graph, part: &str, x: Tensor, outputs: usize, keep: Option<Tensor>) -> Tensor {
        let inputs = graph.shape(x)[1];
        let mut weight = graph.param(&format!("{}.{part}.weight", self.name), &[outputs, inputs]);
        if let Some(keep) = keep {
            let zero = graph.constant(0.0);
            weight = graph.call(Func::Select, &[keep, weight, zero]);
        }
        graph.matmul(x, weight, false, true)
    }

    fn bias(&self, graph: &mut Graph, part: &str, width: usize, y: Tensor) -> Tensor {
        let bias = graph.param(&format!("{}.{part}.bias", self.name), &[width]);
        graph.add(y, bias)
    }

    /// 1 where a hidden unit, along axis `unit` of `shape`, comes before a dimension along axis `dimension`.
    fn comes_before(&self, graph: &mut Graph, shape: [usize; 2], unit: usize, dimension: usize) -> Tensor {
        let (h, mut d) = (graph.coordinate(unit, &shape), graph.coordinate(dimension, &shape));
        if self.reversed {
            let last = graph.constant((self.width - 1) as f32);
            d = graph.sub(last, d);
        }
        let (h, d) = (graph.scale(h, (self.width - 1) as f32), graph.scale(d, self.hidden as f32));
        graph.call(Func::Less, &[h, d])
    }

    /// The shift and the scale `[rows, width]` of `x` `[rows, width]` and a context `[rows, context]`.
    pub fn forward(&self, graph: &mut Graph, x: Tensor, context: Option<Tensor>) -> [Tensor; 2] {
        let (width, hidden) = (self.width, self.hidden);
        let unseen = self.comes_before(graph, [hidden, width], 0, 1);
        let one = graph.constant(1.0);
        let seen = graph.sub(one, unseen);
        let y = self.product(graph, "hidden", x, hidden, Some(seen));
        let mut y = self.bias(graph, "hidden", hidden, y);
        if let Some(context) = context {
            let more = self.product(graph, "context", context, hidden, None);
            y = graph.add(y, more);
        }
        let y = graph.call(Func::Elu, &[y]);
        let fed = self.comes_before(graph, [width, hidden], 1, 0);
        ["shift", "scale"].map(|part| {
            let product = self.product(graph, part, y, width, Some(fed));
            self.bias(graph, part, width, product)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::eval::{Values, evaluate};

    /// Whether each output depends on each input, by the gradients at random weights.
    fn seen(width: usize, hidden: usize, reversed: bool) -> Vec<Vec<bool>> {
        let made = Made { name: "made".into(), width, hidden, context: 2, reversed, scale_bias: 0.0 };
        let (mut graph, mut values) = (Graph::new(), Values::default());
        for (place, spec) in made.parameters().iter().enumerate() {
            let start = ParameterSpec { init: Init::Uniform(1.0), ..spec.clone() }.start(3, place);
            values.tensors.insert(spec.name.clone(), start.into_iter().map(f64::from).collect());
        }
        let (x, context) = (graph.input("x", &[1, width]), graph.input("context", &[1, 2]));
        values.tensors.insert("x".into(), (0..width).map(|i| 0.3 * i as f64 - 0.5).collect());
        values.tensors.insert("context".into(), vec![0.4, -0.7]);
        let [shift, scale] = made.forward(&mut graph, x, Some(context));
        let both = graph.mul(shift, scale);
        let row = |d: usize| {
            let one = graph.slice(both, 1, d, 1);
            let slope = graph.gradients(one, &[x])[0];
            evaluate(&graph, &values, &[slope])[0].iter().map(|s| *s != 0.0).collect()
        };
        (0..width).map(row).collect()
    }

    #[test]
    fn outputs_see_what_comes_before_them_and_no_more() {
        for (width, hidden) in [(1, 3), (2, 4), (5, 16), (6, 5), (7, 3)] {
            for reversed in [false, true] {
                let place = |d: usize| if reversed { width - 1 - d } else { d };
                for (d, inputs) in seen(width, hidden, reversed).into_iter().enumerate() {
                    for (i, is_seen) in inputs.into_iter().enumerate() {
                        let before = place(i) < place(d);
                        assert!(before || !is_seen, "{width}, {hidden}: output {d} sees input {i}");
                        // With fewer units than there are places, some see less.
                        let all = !before || is_seen || hidden < width - 1;
                        assert!(all, "{width}, {hidden}: output {d} does not see input {i}");
                    }
                    // The first dimension always counts for the last.
                    assert!(width == 1 || seen(width, hidden, reversed)[place(width - 1)][place(0)]);
                }
            }
        }
    }
}
