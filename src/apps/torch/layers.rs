//! Networks as a line of layers, read off a graph from its end: what PyTorch calls `nn.Sequential`.
//!
//! Not every network is one. Residual blocks, gates and what is told beside the values have no place in a line.

use crate::data::Shape;
use crate::graph::{NodeId, Op, Tensor};
use crate::kernels::{Func, Window};
use crate::nn::{batch_norm, group_norm};

/// The sides of a picture: height, width and channels.
pub type Sides = [usize; 3];

/// A layer.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// y = W x + b of rows.
    Linear { scope: String, inputs: usize, outputs: usize },
    /// A convolution of pictures.
    Conv { scope: String, window: Window, outputs: usize },
    /// A transposed convolution to pictures.
    Transposed { scope: String, window: Window, inputs: usize },
    /// Batch normalisation by running means.
    BatchNorm { scope: String, channels: usize },
    /// Normalisation of the numbers of each row, or picture, by groups of channels: of one for layer normalisation, and of as many as there
    /// are channels for that of instances.
    GroupNorm { scope: String, channels: usize, groups: usize },
    /// A function of each value.
    Bend(Func),
    /// Pictures become rows of numbers.
    Flatten(Sides),
    /// Rows of numbers become pictures.
    Unflatten(Sides),
}

/// The layers that lead from a node of rows of one shape to one of another, in their order; `None` where that is no line of layers. Where
/// the end is a part of what a last layer gives, the line gives all of it.
pub fn line(end: Tensor, start: NodeId, from: Shape, to: Shape) -> Option<Vec<Layer>> {
    let rows = end.shape()[0];
    let mut walk = Walk { rows, wanted: sides(to), behind: 0, layers: vec![] };
    let mut at = end;
    if matches!(at.node().op, Op::Slice { axis: 1, .. }) && !to.is_picture() {
        at = at.argument(0);
    }
    while at.id() != start {
        at = walk.back(at)?;
    }
    walk.gives(sides(from))?;
    walk.layers.reverse();
    Some(walk.layers)
}

impl Layer {
    /// The numbers that a linear layer gives of a row.
    pub fn outputs(&self) -> Option<usize> {
        if let Layer::Linear { outputs, .. } = self { Some(*outputs) } else { None }
    }
}

/// The sides of pictures; nothing of rows of numbers.
pub fn sides(shape: Shape) -> Option<Sides> {
    shape.is_picture().then_some([shape.height, shape.width, shape.channels])
}

/// A way back along a graph.
struct Walk {
    rows: usize,
    /// The pictures that the layer behind takes; nothing where it takes rows of numbers.
    wanted: Option<Sides>,
    /// How many layers there are up to that which wants them.
    behind: usize,
    layers: Vec<Layer>,
}

impl Walk {
    /// One step back.
    fn back<'g>(&mut self, at: Tensor<'g>) -> Option<Tensor<'g>> {
        match &at.node().op {
            Op::Reshape | Op::Detach => Some(at.argument(0)),
            Op::Call(Func::Add) => {
                let bias = parameter(at.argument(1))?;
                match bias.rsplit_once('.')? {
                    (scope, "bias") => self.product(at.argument(0), scope),
                    (scope, "shift") => self.norm(at, scope),
                    _ => None,
                }
            }
            Op::Call(func) if is_activation(*func) => {
                self.layers.push(Layer::Bend(*func));
                Some(at.argument(0))
            }
            _ => None,
        }
    }

    /// A linear layer or a convolution, to which a bias was added.
    fn product<'g>(&mut self, at: Tensor<'g>, scope: &str) -> Option<Tensor<'g>> {
        let is_weight = |t: Tensor| parameter(t).is_some_and(|name| name.strip_suffix(".weight") == Some(scope));
        let scope = scope.to_string();
        match &at.node().op {
            Op::MatMul { transpose_a: false, transpose_b: true } if is_weight(at.argument(1)) => {
                let (x, outputs) = (at.argument(0), at.width());
                if let Op::Patches(window) = x.node().op {
                    let [h, w] = window.places();
                    self.gives(Some([h, w, outputs]))?;
                    let wanted = [window.image[0], window.image[1], window.channels];
                    self.wants(Layer::Conv { scope, window, outputs }, Some(wanted));
                    return Some(x.argument(0));
                }
                if at.shape()[0] != self.rows {
                    return None;
                }
                self.gives(None)?;
                self.wants(Layer::Linear { scope, inputs: x.width(), outputs }, None);
                Some(x)
            }
            Op::Fold(window) => {
                let product = at.argument(0);
                let is_plain = product.node().op == Op::MatMul { transpose_a: false, transpose_b: false };
                if !is_plain || !is_weight(product.argument(1)) {
                    return None;
                }
                let (x, [h, w]) = (product.argument(0), window.places());
                self.gives(Some([window.image[0], window.image[1], window.channels]))?;
                let layer = Layer::Transposed { scope, window: *window, inputs: x.width() };
                self.wants(layer, Some([h, w, x.width()]));
                Some(x)
            }
            _ => None,
        }
    }

    /// Normalisation, to which a shift was added last. What looks like it is built anew, and has to be the same node.
    fn norm<'g>(&mut self, end: Tensor<'g>, scope: &str) -> Option<Tensor<'g>> {
        let channels = end.width();
        let pixels = end.shape().iter().product::<usize>() / channels / self.rows;
        let x = normalised(end, scope)?.reshape(&[self.rows * pixels, channels]);
        let is_it = |made: Tensor<'g>| as_it_lies(made) == end;
        let divides = |groups: &usize| channels.is_multiple_of(*groups);
        let scope = scope.to_string();
        let layer = if is_it(batch_norm(&scope, x, pixels)) {
            Layer::BatchNorm { scope, channels }
        } else {
            let mut all = (1..=channels).filter(divides);
            let groups = all.find(|&groups| is_it(group_norm(&scope, x, pixels, groups)))?;
            Layer::GroupNorm { scope, channels, groups }
        };
        self.layers.push(layer);
        Some(x)
    }

    /// One more layer in front, which wants pictures, or rows of numbers.
    fn wants(&mut self, layer: Layer, wanted: Option<Sides>) {
        self.layers.push(layer);
        (self.wanted, self.behind) = (wanted, self.layers.len());
    }

    /// What stands in front of the layers so far gives such pictures, or rows of numbers.
    fn gives(&mut self, given: Option<Sides>) -> Option<()> {
        match (given, self.wanted) {
            // Just in front of the layer that wants numbers: what is between, such as normalisation, is done to pictures.
            (Some(given), None) => self.layers.insert(self.behind, Layer::Flatten(given)),
            (None, Some(wanted)) => self.layers.push(Layer::Unflatten(wanted)),
            (given, wanted) if given != wanted => return None,
            _ => {}
        }
        Some(())
    }
}

fn is_activation(func: Func) -> bool {
    use Func::{Elu, Gelu, LeakyRelu, Relu, Sigmoid, Silu, Softplus, Tanh};
    matches!(func, Relu | LeakyRelu | Elu | Silu | Gelu | Tanh | Sigmoid | Softplus)
}

/// A tensor before it was given another shape.
fn as_it_lies(t: Tensor) -> Tensor {
    if t.node().op == Op::Reshape { as_it_lies(t.argument(0)) } else { t }
}

/// What may have been normalised to `end`, γ·((x − μ)·s) + β with γ the `scale` of a scope and β its `shift`: x, as it lies.
fn normalised<'g>(end: Tensor<'g>, scope: &str) -> Option<Tensor<'g>> {
    let argument = |t: Tensor<'g>, func: Func| (t.node().op == Op::Call(func)).then(|| t.argument(0));
    let scaled = argument(end, Func::Add)?;
    let normal = argument(scaled, Func::Mul)?;
    let is_scaled = parameter(scaled.argument(1)).is_some_and(|name| name.strip_suffix(".scale") == Some(scope));
    let centred = is_scaled.then(|| argument(as_it_lies(normal), Func::Mul))??;
    Some(as_it_lies(argument(centred, Func::Sub)?))
}

/// The parameter that a tensor is, whatever shape it is stretched to.
fn parameter<'g>(t: Tensor<'g>) -> Option<&'g str> {
    match &t.node().op {
        Op::Expand | Op::Reshape => parameter(t.argument(0)),
        Op::Param(name) => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::nn::{Activation, Input, Known, Mlp, Network, Outputs};

    const PICTURE: Shape = Shape { height: 4, width: 6, channels: 3 };

    #[test]
    fn a_multilayer_perceptron_is_a_line() {
        let graph = Graph::new();
        let x = graph.input("x", &[7, PICTURE.features()]);
        let mlp = Mlp::new(vec![5], Activation::Silu);
        let hidden = mlp.forward("encoder", Input { x, shape: PICTURE, known: Known::Nothing }, Shape::vector(4));
        let end = mlp.last("head", hidden, Outputs::vector(4));
        let layer = |scope: &str, inputs, outputs| Layer::Linear { scope: scope.into(), inputs, outputs };
        let expected =
            [Layer::Flatten([4, 6, 3]), layer("encoder.0", 72, 5), Layer::Bend(Func::Silu), layer("head", 5, 4)];
        assert_eq!(line(end, x.id(), PICTURE, Shape::vector(4)).unwrap(), expected);
        // The first half of what a head gives is led to by all of it.
        assert_eq!(line(end.slice(1, 0, 2), x.id(), PICTURE, Shape::vector(2)).unwrap(), expected);
    }

    #[test]
    fn normalisation_is_told_apart() {
        let line_of = |norm: &dyn for<'g> Fn(Tensor<'g>) -> Tensor<'g>, shape: Shape| {
            let graph = Graph::new();
            let x = graph.input("x", &[7, shape.features()]);
            let pixels = x.reshape(&[7 * shape.height * if shape.is_picture() { shape.width } else { 1 }, 6]);
            line(norm(pixels).reshape(&[7, shape.features()]), x.id(), shape, shape)
        };
        let (scope, channels) = ("n".to_string(), 6);
        let picture = Shape { height: 2, width: 3, channels };
        for groups in [1, 2, 3, 6] {
            let layer = Layer::GroupNorm { scope: scope.clone(), channels, groups };
            assert_eq!(line_of(&|x| group_norm("n", x, 6, groups), picture), Some(vec![layer]), "{groups}");
        }
        let batch = Some(vec![Layer::BatchNorm { scope: scope.clone(), channels }]);
        assert_eq!(line_of(&|x| batch_norm("n", x, 6), picture), batch);
        let rows = Shape::vector(channels);
        assert_eq!(line_of(&|x| batch_norm("n", x, 1), rows), batch);
        let layer = Layer::GroupNorm { scope, channels, groups: 1 };
        assert_eq!(line_of(&|x| group_norm("n", x, 1, 1), rows), Some(vec![layer]));
        // Over half of the pixels it is none of PyTorch's.
        assert_eq!(line_of(&|x| group_norm("n", x, 3, 2), picture), None);
    }

    #[test]
    fn what_branches_is_none() {
        let graph = Graph::new();
        let x = graph.input("x", &[7, 5]);
        let vector = |n| Shape::vector(n);
        let gated = Mlp::new(vec![5], Activation::Gated).hidden("net", x);
        assert_eq!(line(gated, x.id(), vector(5), vector(5)), None);
        let around = crate::nn::linear("layer", x, 5) + x;
        assert_eq!(line(around, x.id(), vector(5), vector(5)), None);
    }
}
