//! MADE, a network whose outputs are autoregressive (Germain et al. 2015): output d depends on inputs before d alone.
//!
//! One hidden layer of H units over D inputs. Unit h sees the inputs i ≤ h(D − 1)/H and feeds the outputs o > h(D − 1)/H,
//! so that no path leads from an input to an output that does not come after it. The masks are made of comparisons of whole
//! numbers, h(D − 1) with i·H, which f32 holds exactly; a context, which any output may see, enters the hidden layer as a whole.

use crate::graph::{Init, Tensor};

/// A masked network from `[rows, width]` to a shift and a scale `[rows, width]` each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Made {
    /// H, hidden units.
    pub hidden: usize,
    /// Whether the order goes from the last dimension to the first.
    pub reversed: bool,
    /// Where the bias of the scale starts.
    pub scale_bias: f32,
}

impl Made {
    /// The shift and the scale `[rows, width]` of `x` `[rows, width]` and a context `[rows, context]`. Its parameters are those of
    /// the scopes `<name>.hidden`, `<name>.context` (a weight alone), `<name>.shift` and `<name>.scale`.
    pub fn forward<'g>(self, name: &str, x: Tensor<'g>, context: Option<Tensor<'g>>) -> [Tensor<'g>; 2] {
        let (graph, hidden, width) = (x.graph(), self.hidden, x.width());
        graph.scope(name, || {
            let seen = 1.0 - self.comes_before(x, [hidden, width], 0);
            let mut y = product("hidden", x, hidden, Some(seen)) + bias(x, "hidden", hidden, 0.0);
            if let Some(context) = context {
                y = y + product("context", context, hidden, None);
            }
            let (y, fed) = (y.elu(), self.comes_before(x, [width, hidden], 1));
            let head = |part, start| product(part, y, width, Some(fed)) + bias(x, part, width, start);
            [head("shift", 0.0), head("scale", self.scale_bias)]
        })
    }

    /// 1 where a hidden unit, along axis `unit` of `shape`, comes before a dimension of `x`, along the other axis.
    fn comes_before<'g>(self, x: Tensor<'g>, shape: [usize; 2], unit: usize) -> Tensor<'g> {
        let (graph, last) = (x.graph(), (x.width() - 1) as f32);
        let (h, mut d) = (graph.coordinate(unit, &shape), graph.coordinate(1 - unit, &shape));
        if self.reversed {
            d = last - d;
        }
        (h * last).less(d * self.hidden as f32)
    }
}

/// x Wᵀ with the parameter `<part>.weight` `[outputs, inputs]`, of which `keep` is what stays.
fn product<'g>(part: &str, x: Tensor<'g>, outputs: usize, keep: Option<Tensor<'g>>) -> Tensor<'g> {
    let (graph, inputs) = (x.graph(), x.width());
    let init = Init::Uniform(1.0 / (inputs as f32).sqrt());
    let weight = graph.param(&format!("{part}.weight"), &[outputs, inputs], init);
    let kept = keep.map_or(weight, |keep| keep.select(weight, graph.constant(0.0)));
    x.matmul(kept.t())
}

/// The parameter `<part>.bias` `[width]`.
fn bias<'g>(x: Tensor<'g>, part: &str, width: usize, start: f32) -> Tensor<'g> {
    x.graph().param(&format!("{part}.bias"), &[width], Init::Constant(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::eval::{Values, evaluate};
    use crate::graph::{Graph, ParameterSpec};

    /// Whether each output depends on each input, by the gradients at random weights.
    fn seen(width: usize, hidden: usize, reversed: bool) -> Vec<Vec<bool>> {
        let made = Made { hidden, reversed, scale_bias: 0.0 };
        let (graph, mut values) = (Graph::new(), Values::default());
        let (x, context) = (graph.input("x", &[1, width]), graph.input("context", &[1, 2]));
        let [shift, scale] = made.forward("made", x, Some(context));
        for (place, spec) in graph.parameters().iter().enumerate() {
            let start = ParameterSpec { init: Init::Uniform(1.0), ..spec.clone() }.start(3, place);
            values.tensors.insert(spec.name.clone(), start.into_iter().map(f64::from).collect());
        }
        values.tensors.insert("x".into(), (0..width).map(|i| 0.3 * i as f64 - 0.5).collect());
        values.tensors.insert("context".into(), vec![0.4, -0.7]);
        let row = |d: usize| {
            let slope = (shift * scale).slice(1, d, 1).gradients(&[x])[0];
            evaluate(&values, &[slope])[0].iter().map(|s| *s != 0.0).collect()
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
