//! Networks as a line of layers, read off a graph from its end: what PyTorch calls `nn.Sequential`.
//!
//! A residual block, which is a line whose values are added to what it is given, counts as one layer, and so do two lines whose values are
//! multiplied, a layer and its gate. Not every network is a line: what is told beside the values has no place in it.

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
    /// Layers whose values are added to what they are given.
    Residual(Vec<Layer>),
    /// Two lines of layers that are given the same, and whose values are multiplied.
    Gated([Vec<Layer>; 2]),
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
    let mut walk = Walk::new(end.shape()[0], Some(sides(to)));
    let is_part = matches!(end.node().op, Op::Slice { axis: 1, .. }) && !to.is_picture();
    walk.all_the_way(if is_part { end.argument(0) } else { end }, start)?;
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
    /// What the layer behind takes: pictures, or nothing where it takes rows of numbers. Not known at the end of a residual block, which
    /// gives what its layers do.
    wanted: Option<Option<Sides>>,
    /// What the last layer gives.
    given: Option<Sides>,
    /// How many layers there are up to that which wants them.
    behind: usize,
    /// Height and width of the pictures around a line within another, which are its own unless a convolution of its own says otherwise.
    around: Option<[usize; 2]>,
    layers: Vec<Layer>,
}

impl Walk {
    fn new(rows: usize, wanted: Option<Option<Sides>>) -> Walk {
        Walk { rows, wanted, given: None, behind: 0, around: None, layers: vec![] }
    }

    /// A way back along a line within this one.
    fn within(&self) -> Walk {
        let around = self.wanted.flatten().map(|[height, width, _]| [height, width]).or(self.around);
        Walk { around, ..Walk::new(self.rows, None) }
    }

    /// Height and width of the pictures whose pixels are given.
    fn image(&self, pixels: Tensor) -> Option<[usize; 2]> {
        let fits = |[height, width]: &[usize; 2]| self.rows * height * width == pixels.shape()[0];
        image_of(pixels).or(self.around).filter(fits)
    }

    /// From a node back to where the line starts.
    fn all_the_way(&mut self, end: Tensor, start: NodeId) -> Option<()> {
        let mut at = end;
        while at.id() != start {
            at = self.back(at)?;
        }
        Some(())
    }

    /// One step back.
    fn back<'g>(&mut self, at: Tensor<'g>) -> Option<Tensor<'g>> {
        match &at.node().op {
            Op::Reshape | Op::Detach => Some(at.argument(0)),
            Op::Call(Func::Add) => match parameter(at.argument(1)).and_then(|name| name.rsplit_once('.')) {
                Some((scope, "bias")) => self.product(at.argument(0), scope),
                Some((scope, "shift")) => self.norm(at, scope),
                _ => self.residual(at),
            },
            Op::Call(Func::Mul) => self.gated(at),
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
                let (window, x) = match x.node().op {
                    Op::Patches(window) => (window, x.argument(0)),
                    _ if x.shape()[0] != self.rows => (Window::square(self.image(x)?, x.width(), 1, 1, 0), x),
                    _ => {
                        self.gives(None)?;
                        self.wants(Layer::Linear { scope, inputs: x.width(), outputs }, None);
                        return Some(x);
                    }
                };
                let ([h, w], [height, width]) = (window.places(), window.image);
                self.gives(Some([h, w, outputs]))?;
                self.wants(Layer::Conv { scope, window, outputs }, Some([height, width, window.channels]));
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

    /// A sum of what a block is given and what its layers make of it: what it is given.
    fn residual<'g>(&mut self, sum: Tensor<'g>) -> Option<Tensor<'g>> {
        // What is given was there before what is made of it.
        let mut ends = [0, 1].map(|i| sum.argument(i));
        ends.sort_by_key(|end| end.id());
        let [given, change] = ends;
        let mut block = self.within();
        block.all_the_way(change, as_it_lies(given).id())?;
        if block.wanted? != block.given {
            return None;
        }
        let Walk { given: picture, mut layers, .. } = block;
        layers.reverse();
        self.gives(picture)?;
        self.wants(Layer::Residual(layers), picture);
        Some(given)
    }

    /// A layer's values times those of its gate, a function of a second product of the same, or of a product of those values: what both are
    /// given.
    fn gated<'g>(&mut self, product: Tensor<'g>) -> Option<Tensor<'g>> {
        let [value, gate] = [0, 1].map(|i| product.argument(i));
        let mut beside = self.within();
        let Op::Call(func) = as_it_lies(gate).node().op else { return None };
        let mut given = is_activation(func).then_some(gate)?;
        while beside.wanted.is_none() {
            given = beside.back(given)?;
        }
        let mut line = self.within();
        line.all_the_way(value, as_it_lies(given).id())?;
        let (wanted, made) = (beside.wanted?, beside.given);
        // Without a product of its own the value keeps what both are given.
        if line.wanted.map_or([wanted; 2], |wanted| [wanted, line.given]) != [wanted, made] {
            return None;
        }
        let lines = [line, beside].map(|walk| walk.layers.into_iter().rev().collect());
        self.gives(made)?;
        self.wants(Layer::Gated(lines), wanted);
        Some(given)
    }

    /// One more layer in front, which wants pictures, or rows of numbers.
    fn wants(&mut self, layer: Layer, wanted: Option<Sides>) {
        self.layers.push(layer);
        (self.wanted, self.behind) = (Some(wanted), self.layers.len());
    }

    /// What stands in front of the layers so far gives such pictures, or rows of numbers.
    fn gives(&mut self, given: Option<Sides>) -> Option<()> {
        match (given, self.wanted) {
            (given, None) => self.given = given,
            // Just in front of the layer that wants numbers: what is between, such as normalisation, is done to pictures.
            (Some(given), Some(None)) => self.layers.insert(self.behind, Layer::Flatten(given)),
            (None, Some(Some(wanted))) => self.layers.push(Layer::Unflatten(wanted)),
            (given, Some(wanted)) if given != wanted => return None,
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

/// Height and width of the pictures whose pixels `[pictures·h·w, C]` are given: those of the convolution that made them.
fn image_of(pixels: Tensor) -> Option<[usize; 2]> {
    match pixels.node().op {
        Op::Patches(window) => Some(window.places()),
        Op::Fold(window) => Some(window.image),
        Op::Reshape | Op::Call(_) | Op::MatMul { .. } => image_of(pixels.argument(0)),
        _ => None,
    }
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
    use crate::catalogue::build;
    use crate::graph::Graph;
    use crate::nn::{Activation, Input, Known, Mlp, NETWORKS, Network, Outputs, Residual, RowNorm};

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
    fn a_residual_block_is_one_layer_whatever_it_is_made_of() {
        let linear = |scope: &str, inputs, outputs| Layer::Linear { scope: scope.into(), inputs, outputs };
        let (graph, of_pictures) = (Graph::new(), Graph::new());
        let x = graph.input("x", &[7, 4]);
        let end = Residual::new(5, 2, Activation::Silu).forward("net", x.into(), Shape::vector(5));
        let block = |k: usize| {
            let layer = |i: usize| [Layer::Bend(Func::Silu), linear(&format!("net.{k}.{i}"), 5, 5)];
            Layer::Residual([layer(0), layer(1)].concat())
        };
        let expected = [linear("net.0", 4, 5), block(1), block(2), Layer::Bend(Func::Silu)];
        assert_eq!(line(end, x.id(), Shape::vector(4), Shape::vector(5)).unwrap(), expected);

        // Of pictures: 3×3 and 1×1, and back to numbers behind it.
        let resnet = build(NETWORKS, &"resnet:6,inner=2,blocks=1,shrink=1,activation=relu".parse().unwrap()).unwrap();
        let picture = of_pictures.input("x", &[7, PICTURE.features()]);
        let input = Input { x: picture, shape: PICTURE, known: Known::Nothing };
        let end = resnet.last("head", resnet.forward("net", input, Shape::vector(4)), Outputs::vector(4));
        let found = line(end, picture.id(), PICTURE, Shape::vector(4)).unwrap();
        let blocks: Vec<_> = found.iter().filter(|layer| matches!(layer, Layer::Residual(_))).collect();
        let [Layer::Residual(layers)] = blocks[..] else { panic!("{found:?}") };
        let windows = layers.iter().filter_map(|layer| match layer {
            Layer::Conv { window, outputs, .. } => Some((window.kernel[0], window.channels, *outputs)),
            _ => None,
        });
        assert_eq!(windows.collect::<Vec<_>>(), [(3, 6, 2), (1, 2, 6)]);
        assert!(!layers.iter().any(|layer| matches!(layer, Layer::Flatten(_))), "{layers:?}");
        assert_eq!(found.iter().filter(|layer| matches!(layer, Layer::Flatten(_))).count(), 1, "{found:?}");
    }

    #[test]
    fn a_layer_and_its_gate_are_one() {
        let linear = |scope: &str, inputs, outputs| Layer::Linear { scope: scope.into(), inputs, outputs };
        let graph = Graph::new();
        let x = graph.input("x", &[7, PICTURE.features()]);
        let mlp = Mlp { norm: RowNorm::Batch, ..Mlp::new(vec![5, 3], Activation::Gated) };
        let end = mlp.hidden("net", x);
        let layer = |k: usize, inputs, outputs| {
            let norm = Layer::BatchNorm { scope: format!("net.{k}.norm"), channels: outputs };
            let gate = vec![linear(&format!("net.{k}.gate"), inputs, outputs), Layer::Bend(Func::Sigmoid)];
            Layer::Gated([vec![linear(&format!("net.{k}"), inputs, outputs), norm], gate])
        };
        let expected = [Layer::Flatten([4, 6, 3]), layer(0, 72, 5), layer(1, 5, 3)];
        assert_eq!(line(end, x.id(), PICTURE, Shape::vector(3)).unwrap(), expected);

        // Of pictures, each pixel of which is its own gate's; and back to numbers behind them.
        let conv = build(NETWORKS, &"conv:2,hidden=0,activation=gated".parse().unwrap()).unwrap();
        let input = Input { x, shape: PICTURE, known: Known::Nothing };
        let end = conv.last("head", conv.forward("conv", input, Shape::vector(4)), Outputs::vector(4));
        let found = line(end, x.id(), PICTURE, Shape::vector(4)).unwrap();
        let [Layer::Conv { outputs: 2, .. }, Layer::Gated([value, gate]), Layer::Flatten(_), Layer::Linear { .. }] =
            &found[..]
        else {
            panic!("{found:?}")
        };
        assert_eq!(value[..], []);
        let [Layer::Conv { window, outputs: 2, .. }, Layer::Bend(Func::Sigmoid)] = &gate[..] else {
            panic!("{gate:?}")
        };
        assert_eq!((window.kernel, window.channels), ([1, 1], 2));

        // The same the other way: the size of these pictures is known by what takes them.
        let (z, mirror) = (graph.input("z", &[7, 4]), conv.mirror());
        let input = Input { x: z, shape: Shape::vector(4), known: Known::Nothing };
        let outputs = Outputs { shape: PICTURE, ..Outputs::vector(PICTURE.features()) };
        let end = mirror.last("tail", mirror.forward("mirror", input, PICTURE), outputs);
        let found = line(end, z.id(), Shape::vector(4), PICTURE).unwrap();
        let [Layer::Linear { .. }, Layer::Unflatten(_), Layer::Gated(_), Layer::Transposed { .. }] = &found[..] else {
            panic!("{found:?}")
        };

        // The gate of another layer's values is none.
        let (y, other) = (crate::nn::linear("a", x, 5), x.square());
        let elsewhere = y * crate::nn::linear("b", other, 5).sigmoid();
        assert_eq!(line(elsewhere, x.id(), PICTURE, Shape::vector(5)), None);
    }

    #[test]
    fn what_branches_is_none() {
        let graph = Graph::new();
        let x = graph.input("x", &[7, 5]);
        let vector = |n| Shape::vector(n);
        let twice = crate::nn::linear("layer", x, 5);
        assert_eq!(line(twice + twice.square(), x.id(), vector(5), vector(5)), None);
    }
}
