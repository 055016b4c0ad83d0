//! The networks for pictures, pixel by pixel from their definitions.

use elbo::catalogue::Spec;
use elbo::data::Shape;
use elbo::engine::graph::eval::{Values, evaluate};
use elbo::engine::graph::{Graph, Tensor};
use elbo::engine::nn::{Activation, Input, Known, Outputs};

use super::{bend, linear, made};
use crate::common::oracle::{Numbers, values};

/// Pictures with what each pixel holds, `[h][w][c]`.
#[derive(Clone)]
struct Picture {
    size: [usize; 2],
    channels: usize,
    numbers: Vec<f64>,
}

/// How numbers are brought to one scale.
#[derive(Clone, Copy)]
enum Norm {
    None,
    Groups(usize),
    EachChannel,
    Batch,
}

/// Sizes of a kernel: taps along each axis, and stride.
type Kernel = (usize, usize);

impl Picture {
    fn at(&self, y: usize, x: usize, c: usize) -> f64 {
        self.numbers[(y * self.size[1] + x) * self.channels + c]
    }

    /// Which pixel a tap sees: as many zeros around as ⌈h/s⌉×⌈w/s⌉ places take, of which the odd one stands at the end.
    fn seen(size: usize, (kernel, stride): Kernel, place: usize, tap: usize) -> Option<usize> {
        let places = size.div_ceil(stride);
        let zeros = ((places - 1) * stride + kernel).saturating_sub(size);
        (place * stride + tap).checked_sub(zeros / 2).filter(|&at| at < size)
    }

    /// Its convolution to so many channels.
    fn convolved(&self, values: &Values, name: &str, kernel: Kernel) -> Picture {
        let [weight, bias] = ["weight", "bias"].map(|part| &values.tensors[&format!("net.{name}.{part}")]);
        let ([h, w], size) = (self.size, self.size.map(|size| size.div_ceil(kernel.1)));
        let mut numbers = Vec::new();
        for place in 0..size[0] * size[1] {
            for (o, bias) in bias.iter().enumerate() {
                let mut sum = *bias;
                for (ky, kx) in (0..kernel.0).flat_map(|ky| (0..kernel.0).map(move |kx| (ky, kx))) {
                    let y = Picture::seen(h, kernel, place / size[1], ky);
                    let x = Picture::seen(w, kernel, place % size[1], kx);
                    if let (Some(y), Some(x)) = (y, x) {
                        for c in 0..self.channels {
                            let tap = ((o * kernel.0 + ky) * kernel.0 + kx) * self.channels + c;
                            sum += weight[tap] * self.at(y, x, c);
                        }
                    }
                }
                numbers.push(sum);
            }
        }
        Picture { size, channels: bias.len(), numbers }
    }

    /// Each number brought to mean 0 and variance 1: of its group of channels, or as it was over batches.
    fn normalised(&self, values: &Values, scope: &str, norm: Norm) -> Picture {
        let held = |part: &str| &values.tensors[&format!("net.{scope}norm.{part}")];
        let groups = match norm {
            Norm::None => return self.clone(),
            Norm::Groups(groups) => groups,
            Norm::EachChannel => self.channels,
            Norm::Batch => {
                let of = |(i, x): (usize, &f64)| {
                    let c = i % self.channels;
                    let normal = (x - held("mean")[c]) / (held("variance")[c] + 1e-5).sqrt();
                    normal * held("scale")[c] + held("shift")[c]
                };
                return Picture { numbers: self.numbers.iter().enumerate().map(of).collect(), ..self.clone() };
            }
        };
        let each = self.channels / groups;
        let [scale, shift] = ["scale", "shift"].map(held);
        let mut numbers = self.numbers.clone();
        for group in 0..groups {
            let of = |i: &usize| i % self.channels / each == group;
            let all: Vec<f64> = (0..numbers.len()).filter(of).map(|i| self.numbers[i]).collect();
            let mean = all.iter().sum::<f64>() / all.len() as f64;
            let variance = all.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / all.len() as f64;
            for i in (0..numbers.len()).filter(of) {
                let c = i % self.channels;
                numbers[i] = (self.numbers[i] - mean) / (variance + 1e-5).sqrt() * scale[c] + shift[c];
            }
        }
        Picture { numbers, ..self.clone() }
    }

    /// f(n(·)).
    fn bent(&self, values: &Values, name: &str, norm: Norm, f: Activation) -> Picture {
        let t = self.normalised(values, &format!("{name}."), norm);
        let gate =
            || t.numbers.chunks(t.channels).flat_map(|pixel| linear(values, &format!("{name}.gate"), pixel)).collect();
        Picture { numbers: bend(f, t.numbers.clone(), gate), ..t.clone() }
    }
}

/// The normalisation that a network is given.
fn norm_of(spec: &Spec) -> Norm {
    let setting = |name: &str| spec.settings.get(name).map(|value| value.to_string());
    let usual = if spec.id == "dcgan" { "group" } else { "none" };
    match setting("norm").as_deref().unwrap_or(usual) {
        "none" => Norm::None,
        "group" => Norm::Groups(setting("groups").map_or(8, |groups| groups.parse().unwrap())),
        "layer" => Norm::Groups(1),
        "instance" => Norm::EachChannel,
        "batch" => Norm::Batch,
        other => panic!("say here what norm={other} is"),
    }
}

/// n(·) of the numbers of a row, which are normalised as one pixel is.
pub fn row_normalised(spec: &Spec, values: &Values, scope: &str, row: Vec<f64>) -> Vec<f64> {
    Picture { size: [1, 1], channels: row.len(), numbers: row }.normalised(values, scope, norm_of(spec)).numbers
}

/// The hidden values from one picture of 5×4×2 pixels, and what is known behind them.
pub fn by_hand(spec: &Spec, values: &Values, row: &[f64]) -> Vec<f64> {
    const SHAPE: Shape = Shape { height: 5, width: 4, channels: 2 };
    let (network, f) = (made(spec), made(spec).activation());
    let (numbers, known) = row.split_at(SHAPE.features());
    let mut x = Picture { size: [SHAPE.height, SHAPE.width], channels: SHAPE.channels, numbers: numbers.to_vec() };
    let text = spec.to_string();
    let (setting, norm) = (|name: &str| spec.settings.get(name).map(|value| value.to_string()), norm_of(spec));
    let kernel = if spec.id == "keras-conv" { 3 } else { setting("kernel").map_or(4, |k| k.parse().unwrap()) };
    if spec.id == "resnet" {
        let shrink: usize = setting("shrink").unwrap().parse().unwrap();
        for number in 0..shrink {
            let name = number.to_string();
            x = x.convolved(values, &name, (4, 2)).bent(values, &name, norm, f);
        }
        let first = shrink.to_string();
        x = x.convolved(values, &first, (3, 1));
        for number in shrink + 1..network.layers() {
            let [one, two] = [0, 1].map(|part| format!("{number}.{part}"));
            let inner = x.bent(values, &one, norm, f).convolved(values, &one, (3, 1));
            let change = inner.bent(values, &two, norm, f).convolved(values, &two, (1, 1));
            x.numbers.iter_mut().zip(change.numbers).for_each(|(h, change)| *h += change);
        }
        return [&x.bent(values, &format!("{first}.end"), norm, f).numbers[..], known].concat();
    }
    // The channels stand in front of all that is named.
    let named = |part: &&str| part.contains('=');
    let convolutions = text.split_once(':').unwrap().1.split(',').take_while(|part| !named(part)).count();
    for number in 0..convolutions {
        let name = number.to_string();
        x = x.convolved(values, &name, (kernel, 2)).bent(values, &name, norm, f);
    }
    let flat = [&x.numbers[..], known].concat();
    (convolutions..network.layers()).fold(flat, |x, number| {
        let y = linear(values, &number.to_string(), &x);
        bend(f, y.clone(), || linear(values, &format!("{number}.gate"), &y))
    })
}

/// The network of `spec` between pictures of a shape and a code of so many numbers, there and back, with a loss that hangs on each
/// output.
fn there_and_back(spec: &str, shape: Shape, latent: usize, each: usize) -> (&'static Graph, Tensor<'static>, Values) {
    let graph: &'static Graph = Box::leak(Box::new(Graph::new()));
    let network = made(&spec.parse().unwrap());
    let x = graph.input("x", &[2, shape.features()]);
    let code = Shape::vector(latent);
    let hidden = network.forward("in", Input { x, shape, known: Known::Nothing }, code);
    let code = network.last("code", hidden, Outputs { shape: code, count: latent });
    let back = network.mirror();
    let pixels = back.forward("out", code.into(), shape);
    let result = back.last("result", pixels, Outputs { shape, count: each * shape.features() });
    assert_eq!(result.shape(), [2, each * shape.features()], "{spec}");
    let (mut values, mut numbers) = (values(2), Numbers(5));
    for spec in graph.parameters() {
        let weights = numbers.signed(spec.shape.iter().product());
        // Variances are above 0.
        let least = if spec.name.ends_with(".norm.variance") { 1.0 } else { 0.0 };
        values.tensors.insert(spec.name, weights.into_iter().map(|weight| least + 0.4 * weight).collect());
    }
    values.tensors.insert("x".into(), numbers.signed(2 * shape.features()));
    (graph, result, values)
}

#[test]
fn pictures_of_any_size_are_led_to_codes_and_back() {
    let shape = |height, width, channels| Shape { height, width, channels };
    let cases = [
        ("conv:4,3,hidden=5,activation=tanh", shape(7, 10, 1), 3, 1),
        ("conv:4,3,kernel=3,stride=3,hidden=0,norm=group,groups=1,activation=silu", shape(8, 5, 3), 2, 2),
        ("burgess:3,4,hidden=5,activation=tanh", shape(9, 9, 4), 3, 2),
        ("keras-conv:3,2,activation=tanh", shape(5, 6, 1), 2, 2),
        ("dcgan:2,4,groups=2,activation=silu", shape(6, 6, 3), 3, 1),
        ("dcgan:2,4,norm=batch,activation=silu", shape(6, 5, 3), 3, 1),
        ("resnet:4,inner=2,blocks=1,activation=silu", shape(6, 5, 3), 3, 2),
        ("resnet:4,inner=2,blocks=1,code=spatial,activation=silu", shape(6, 5, 3), 8, 1),
    ];
    for (spec, shape, latent, each) in cases {
        let (graph, result, values) = there_and_back(spec, shape, latent, each);
        let loss = (result * (graph.coordinate(1, result.shape()) * 0.1 + 0.5)).tanh();
        let total = |values: &Values| evaluate(values, &[loss])[0].iter().sum::<f64>();
        let names: Vec<String> = graph.parameters().into_iter().map(|spec| spec.name).collect();
        let wrt: Vec<Tensor> = names.iter().map(|name| graph.parameter(name)).collect();
        let gradients = evaluate(&values, &loss.gradients(&wrt));
        for (name, gradient) in names.iter().zip(&gradients) {
            let (place, found) = gradient.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).unwrap();
            assert!(found.abs() > 0.0, "{spec}: nothing hangs on {name}");
            let at = |h: f64| {
                let mut moved = values.clone();
                moved.tensors.get_mut(name).unwrap()[place] += h;
                total(&moved)
            };
            let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((found - slope).abs() < 1e-5 * slope.abs().max(1.0), "{spec}: {name}: {found}, {slope}");
        }
    }
}

#[test]
fn outputs_of_a_value_stand_in_blocks() {
    // Of two outputs a value, the second of all values stand behind the first: moving the bias of the first moves the first half.
    let shape = Shape { height: 4, width: 6, channels: 3 };
    for spec in ["conv:4,hidden=0", "resnet:4,inner=2,blocks=1,shrink=1", "keras-conv:4"] {
        let (_, result, mut values) = there_and_back(spec, shape, 3, 2);
        let before = evaluate(&values, &[result]).remove(0);
        // Biases of channels 0, 1, 2 of the first output, then of the second.
        values.tensors.get_mut("result.bias").unwrap()[1] += 1.0;
        let moved: Vec<usize> = evaluate(&values, &[result])[0]
            .iter()
            .zip(&before)
            .enumerate()
            .filter(|(_, (a, b))| (*a - *b).abs() > 0.5)
            .map(|(i, _)| i)
            .collect();
        // The first half of each of the two rows.
        let expected: Vec<usize> = (0..48).map(|pixel| 144 * (pixel / 24) + 3 * (pixel % 24) + 1).collect();
        assert_eq!(moved, expected, "{spec}");
    }
}

#[test]
fn what_no_picture_can_be_is_refused() {
    let picture = |height, width| Shape { height, width, channels: 3 };
    let code = Shape::vector(10);
    let cases = [
        ("conv", Shape::vector(30), code, "rows of 30 numbers are no pictures: `mlp` and `residual`"),
        ("conv", code, Shape::vector(30), "rows of 30 numbers are no pictures"),
        ("conv", picture(8, 8), picture(8, 8), "and not from 8×8×3 to 8×8×3"),
        ("conv:4,4,4,4", picture(4, 4), code, "is one pixel after 2 layers of stride 2, and there are 4: leave 2 out"),
        ("conv:4,4,4", code, picture(2, 2), "is one pixel after 1 layer of stride 2, and there are 3: leave 2 out"),
        ("conv:4,kernel=2,stride=3", picture(9, 9), code, "leaves pixels out: give a kernel of at least 3"),
        (
            "conv:12,norm=group",
            picture(9, 9),
            code,
            "8 groups do not divide 12 channels: give groups as one of 1, 2, 3, 4, 6, 12",
        ),
        (
            "conv:4,4,4,norm=instance",
            picture(8, 8),
            code,
            "a channel of a picture of one pixel is one number, of which normalisation leaves nothing, and norm=instance",
        ),
        ("dcgan:4,4,groups=4", code, picture(3, 4), "and norm=group is over channels one by one: leave a layer out"),
        ("resnet:code=spatial", picture(8, 8), code, "give --latent as a multiple of 4, or code=vector"),
        ("resnet:shrink=4", picture(8, 8), code, "is one pixel after 3 layers"),
    ];
    for (spec, from, to, expected) in cases {
        let said = made(&spec.parse().unwrap()).refusal(from, to).unwrap_or_default();
        assert!(said.contains(expected), "{spec}: {said}");
    }
    for spec in ["conv", "burgess", "keras-conv", "dcgan", "resnet"] {
        assert_eq!(made(&spec.parse().unwrap()).refusal(picture(64, 48), code), None, "{spec}");
    }
}
