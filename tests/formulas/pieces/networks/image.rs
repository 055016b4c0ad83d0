//! A network that sees an image as one, and is told its shape on the way out: models hand both over.

use std::sync::Arc;

use elbo::data::Shape;
use elbo::engine::distributions::LearnedGaussian;
use elbo::engine::graph::eval::{Values, evaluate};
use elbo::engine::graph::{Graph, Init, Tensor};
use elbo::engine::models::{Decode, Encode, NetworkPair, Parts, Rows, Sizes, Vae, parameters};
use elbo::engine::nn::{Activation, Input, Network, Outputs};

use crate::common::oracle::{Numbers, values};

const SHAPE: Shape = Shape { height: 3, width: 4, channels: 2 };

/// The mean of each line of pixels, channel by channel.
#[derive(Clone, Copy, Debug)]
struct Lines;

/// The way back: a value for each line and channel, the same along the line, and something of each pixel's own.
#[derive(Clone, Copy, Debug)]
struct Spread;

impl Network for Lines {
    fn summary(&self) -> String {
        "lines".to_string()
    }

    fn layers(&self) -> usize {
        0
    }

    fn activation(&self) -> Activation {
        Activation::Tanh
    }

    fn mirror(&self) -> Arc<dyn Network> {
        Arc::new(Spread)
    }

    fn refusal(&self, from: Shape, _: Shape) -> Option<String> {
        (from.height < 2).then(|| format!("rows of {from} have no lines"))
    }

    fn forward<'g>(&self, _: &str, Input { x, shape, known }: Input<'g>, _: Shape) -> Tensor<'g> {
        let Shape { height, width, channels } = shape;
        let lines = x.reshape(&[x.shape()[0], height, width, channels]).mean(&[2]);
        let lines = lines.reshape(&[x.shape()[0], height * channels]);
        Input { known, ..lines.into() }.joined()
    }
}

impl Network for Spread {
    fn summary(&self) -> String {
        "spread".to_string()
    }

    fn layers(&self) -> usize {
        1
    }

    fn activation(&self) -> Activation {
        Activation::Tanh
    }

    fn mirror(&self) -> Arc<dyn Network> {
        Arc::new(Lines)
    }

    fn refusal(&self, _: Shape, to: Shape) -> Option<String> {
        Lines.refusal(to, to)
    }

    fn forward<'g>(&self, name: &str, input: Input<'g>, to: Shape) -> Tensor<'g> {
        input.linear(&input.scope(name, 0), to.height * to.channels)
    }

    fn last<'g>(&self, name: &str, hidden: Tensor<'g>, to: Outputs) -> Tensor<'g> {
        let (rows, Shape { height, width, channels }) = (hidden.shape()[0], to.shape);
        let lines = hidden.reshape(&[rows, 1, height, 1, channels]);
        let pixels = lines.expand(&[rows, to.count / to.shape.features(), height, width, channels]);
        let own = hidden.graph().param(&format!("{name}.pixels"), &[to.count], Init::Constant(0.0));
        pixels.reshape(&[rows, to.count]) + own
    }
}

#[test]
fn models_hand_over_the_shape_of_rows_and_what_is_known() {
    let hidden = NetworkPair { encoder: Arc::new(Lines), decoder: Lines.mirror() };
    let sizes = Sizes { shape: SHAPE, condition: 2 };
    let model = Vae::with_networks(sizes, 5, hidden, Parts::new(Arc::new(LearnedGaussian)));
    let shapes: Vec<_> = parameters(&model).into_iter().map(|spec| (spec.name, spec.shape)).collect();
    let expected = [
        // Six lines of a channel and two numbers beside them; μ and ln σ² of five dimensions.
        ("head.weight", vec![10, 8]),
        ("head.bias", vec![10]),
        // A code and two numbers beside it; μ and ln σ² of each of 24 values.
        ("decoder.0.weight", vec![6, 7]),
        ("decoder.0.bias", vec![6]),
        ("decoder.1.pixels", vec![48]),
    ];
    assert_eq!(shapes, expected.map(|(name, shape)| (name.to_string(), shape)));

    let (graph, mut values, mut numbers) = (Graph::new(), values(1), Numbers(2));
    let input = |name: &str, width: usize, values: &mut Values, numbers: &mut Numbers| {
        values.tensors.insert(name.into(), numbers.signed(width));
        graph.input(name, &[1, width])
    };
    let x = input("x", 24, &mut values, &mut numbers);
    let y = input("y", 2, &mut values, &mut numbers);
    let z = input("z", 5, &mut values, &mut numbers);
    let mean = Encode::mean(&model, Rows { y: Some(y), ..x.into() });
    let back = Decode::mean(&model, z, Some(y));
    for spec in graph.parameters() {
        values.tensors.insert(spec.name, numbers.signed(spec.shape.iter().product()));
    }
    let at = |name: &str| &values.tensors[name];
    let [found, decoded] = <[_; 2]>::try_from(evaluate(&values, &[mean, back])).unwrap();
    let line = |h: usize, c: usize| (0..4).map(|w| at("x")[(h * 4 + w) * 2 + c]).sum::<f64>() / 4.0;
    let told: Vec<f64> = (0..6).map(|i| line(i / 2, i % 2)).chain(at("y").iter().copied()).collect();
    let product = |weight: &[f64], x: &[f64]| weight.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
    for (i, found) in found.iter().enumerate() {
        let exact = product(&at("head.weight")[i * 8..][..8], &told) + at("head.bias")[i];
        assert!((found - exact).abs() < 1e-12);
    }
    let code = [&at("z")[..], at("y")].concat();
    for (i, found) in decoded.iter().enumerate() {
        // Pixel (h, w) of channel c lies at (4h + w)·2 + c.
        let unit = i / 8 * 2 + i % 2;
        let line = product(&at("decoder.0.weight")[unit * 7..][..7], &code) + at("decoder.0.bias")[unit];
        assert!((found - (line + at("decoder.1.pixels")[i])).abs() < 1e-12, "{i}");
    }
    assert!(Lines.refusal(Shape::vector(9), SHAPE).is_some_and(|why| why == "rows of 9 have no lines"));
}
