//! Where the numbers of a parameter lie in PyTorch's layers.
//!
//! Pictures lie pixel by pixel here, the channels of a pixel side by side, and channel by channel there. So kernels `[outputs, kh·kw·C]` are
//! `[outputs, C, kh, kw]` there, those of transposed convolutions `[inputs, C, kh, kw]`, and of linear layers beside pictures inputs or outputs
//! stand in another order.

use super::layers::{Layer, Sides};
use super::module::{VALUE_AND_GATE, modules};

/// A parameter here and there.
#[derive(Clone, Debug, PartialEq)]
pub struct Arranged {
    /// Its name here.
    pub name: String,
    /// Its name in PyTorch.
    pub theirs: String,
    /// The sizes of its axes here, an axis for each that PyTorch orders otherwise.
    sizes: Vec<usize>,
    /// Which of these each of PyTorch's axes is.
    order: Vec<usize>,
    /// Its shape in PyTorch.
    pub shape: Vec<usize>,
}

impl Arranged {
    fn new(name: String, theirs: String, sizes: Vec<usize>, order: Vec<usize>, shape: Vec<usize>) -> Arranged {
        Arranged { name, theirs, sizes, order, shape }
    }

    /// The place here of each of PyTorch's numbers.
    fn places(&self) -> impl Iterator<Item = usize> {
        let strides: Vec<usize> = (0..self.sizes.len()).map(|axis| self.sizes[axis + 1..].iter().product()).collect();
        (0..self.sizes.iter().product()).map(move |mut element: usize| {
            let mut place = 0;
            for &axis in self.order.iter().rev() {
                place += element % self.sizes[axis] * strides[axis];
                element /= self.sizes[axis];
            }
            place
        })
    }

    /// Numbers from here as they lie there.
    pub fn out(&self, numbers: &[f32]) -> Vec<f32> {
        self.places().map(|place| numbers[place]).collect()
    }

    /// Numbers from there as they lie here.
    pub fn back(&self, numbers: &[f32]) -> Vec<f32> {
        let mut here = vec![0.0; numbers.len()];
        self.places().zip(numbers).for_each(|(place, &number)| here[place] = number);
        here
    }
}

/// The parameters of a line of layers, with their names there where each layer is a module of this number of `of`.
pub fn arranged(of: &str, layers: &[Layer], places: &[usize]) -> Vec<Arranged> {
    between(of, layers, places, [None, None])
}

/// The same of a line within another, behind and in front of such pictures whose numbers it takes and gives.
fn between(of: &str, layers: &[Layer], places: &[usize], [from, to]: [Option<Sides>; 2]) -> Vec<Arranged> {
    let mut all = vec![];
    for (place, (layer, module)) in layers.iter().zip(places).enumerate() {
        let theirs = |part: &str| format!("{of}.{module}.{part}");
        let plain = |name: String, part: &str, n: usize| Arranged::new(name, theirs(part), vec![n], vec![0], vec![n]);
        match layer {
            Layer::Conv { scope, window, outputs: n } | Layer::Transposed { scope, window, inputs: n } => {
                let ([kh, kw], channels) = (window.kernel, window.channels);
                let (sizes, order) = (vec![*n, kh, kw, channels], vec![0, 3, 1, 2]);
                let biases = if matches!(layer, Layer::Conv { .. }) { *n } else { channels };
                let shape = vec![*n, channels, kh, kw];
                all.push(Arranged::new(format!("{scope}.weight"), theirs("weight"), sizes, order, shape));
                all.push(plain(format!("{scope}.bias"), "bias", biases));
            }
            Layer::Linear { scope, inputs, outputs } => {
                let (rows, columns) = (next_picture(&layers[place + 1..], to), last_picture(&layers[..place], from));
                let (mut sizes, mut order) = axes(rows, *outputs);
                all.push(Arranged::new(
                    format!("{scope}.bias"),
                    theirs("bias"),
                    sizes.clone(),
                    order.clone(),
                    vec![*outputs],
                ));
                let (more, behind) = axes(columns, *inputs);
                order.extend(behind.iter().map(|axis| axis + sizes.len()));
                sizes.extend(more);
                let shape = vec![*outputs, *inputs];
                all.push(Arranged::new(format!("{scope}.weight"), theirs("weight"), sizes, order, shape));
            }
            Layer::BatchNorm { scope, channels } => {
                let parts =
                    [("scale", "weight"), ("shift", "bias"), ("mean", "running_mean"), ("variance", "running_var")];
                all.extend(parts.map(|(own, part)| plain(format!("{scope}.{own}"), part, *channels)));
            }
            Layer::GroupNorm { scope, channels, .. } => {
                let parts = [("scale", "weight"), ("shift", "bias")];
                all.extend(parts.map(|(own, part)| plain(format!("{scope}.{own}"), part, *channels)));
            }
            // The number of a module is the same whatever the block is given.
            Layer::Residual(layers) => {
                all.extend(arranged(&format!("{of}.{module}"), layers, &modules(layers, false).1))
            }
            Layer::Gated(lines) => {
                let pictures = [last_picture(&layers[..place], from), next_picture(&layers[place + 1..], to)];
                for (part, line) in VALUE_AND_GATE.iter().zip(lines) {
                    all.extend(between(&theirs(part), line, &modules(line, false).1, pictures));
                }
            }
            Layer::Bend(_) | Layer::Flatten(_) | Layer::Unflatten(_) => {}
        }
    }
    all
}

/// The axes of numbers that may be those of a picture, and their order there.
fn axes(picture: Option<Sides>, count: usize) -> (Vec<usize>, Vec<usize>) {
    match picture {
        Some([h, w, c]) => (vec![h, w, c], vec![2, 0, 1]),
        None => (vec![count], vec![0]),
    }
}

/// The picture that numbers become next, before another layer takes them; `end` behind the last layer.
fn next_picture(layers: &[Layer], end: Option<Sides>) -> Option<Sides> {
    let keeps = |layer: &&Layer| matches!(layer, Layer::Bend(_) | Layer::BatchNorm { .. } | Layer::GroupNorm { .. });
    match layers.iter().find(|layer| !keeps(layer)) {
        Some(Layer::Unflatten(sides)) => Some(*sides),
        Some(_) => None,
        None => end,
    }
}

/// The picture that numbers were just before; `start` in front of the first layer.
fn last_picture(layers: &[Layer], start: Option<Sides>) -> Option<Sides> {
    match layers.iter().rev().find(|layer| !matches!(layer, Layer::Bend(_))) {
        Some(Layer::Flatten(sides)) => Some(*sides),
        Some(_) => None,
        None => start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Window;

    fn linear(inputs: usize, outputs: usize) -> Layer {
        Layer::Linear { scope: "l".into(), inputs, outputs }
    }

    #[test]
    fn kernels_lie_channel_by_channel() {
        let window = Window { kernel: [1, 2], ..Window::square([4, 4], 3, 1, 1, 0) };
        let layers = [Layer::Conv { scope: "c".into(), window, outputs: 2 }];
        let [weight, bias] = &arranged("encoder", &layers, &[4])[..] else { panic!() };
        assert_eq!((weight.name.as_str(), weight.theirs.as_str()), ("c.weight", "encoder.4.weight"));
        assert_eq!((&weight.shape[..], &bias.shape[..]), (&[2, 3, 1, 2][..], &[2][..]));
        // Of the first output: taps a and b of channels 0, 1, 2 lie as a0 a1 a2 b0 b1 b2.
        let numbers: Vec<f32> = (0..12).map(|n| n as f32).collect();
        let out = weight.out(&numbers);
        assert_eq!(out, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0, 6.0, 9.0, 7.0, 10.0, 8.0, 11.0]);
        assert_eq!(weight.back(&out), numbers);
        assert_eq!(bias.out(&[7.0, 8.0]), [7.0, 8.0]);
    }

    #[test]
    fn linear_layers_beside_pictures_are_put_in_order() {
        // A picture of 1×2 pixels with 2 channels: values p0c0 p0c1 p1c0 p1c1 here, c0p0 c0p1 c1p0 c1p1 there.
        let inwards = arranged("encoder", &[Layer::Flatten([1, 2, 2]), linear(4, 1)], &[0, 1]);
        assert_eq!(inwards[1].out(&[0.0, 1.0, 2.0, 3.0]), [0.0, 2.0, 1.0, 3.0]);
        let outwards = arranged(
            "decoder",
            &[linear(1, 4), Layer::Bend(crate::kernels::Func::Relu), Layer::Unflatten([1, 2, 2])],
            &[0, 1, 2],
        );
        for parameter in &outwards {
            assert_eq!(parameter.out(&[0.0, 1.0, 2.0, 3.0]), [0.0, 2.0, 1.0, 3.0], "{}", parameter.name);
        }
        // Behind a gate, and in front of it.
        let gated = || Layer::Gated([vec![linear(4, 4)], vec![linear(4, 4)]]);
        let [from, to] = [[Layer::Flatten([1, 2, 2]), gated()], [gated(), Layer::Unflatten([1, 2, 2])]];
        let [from, to] = [(from, [0, 1]), (to, [0, 1])].map(|(layers, places)| arranged("encoder", &layers, &places));
        let numbers: Vec<f32> = (0..16).map(|n| n as f32).collect();
        for k in [1, 3] {
            assert_eq!(from[k].out(&numbers)[..4], [0.0, 2.0, 1.0, 3.0], "{}", from[k].theirs);
            assert_eq!(to[k].out(&numbers)[4..8], [8.0, 9.0, 10.0, 11.0], "{}", to[k].theirs);
        }
        assert_eq!(from[1].theirs, "encoder.1.value.0.weight");
        assert_eq!(from[3].theirs, "encoder.1.gate.0.weight");
        // Between rows of numbers nothing moves.
        let plain = arranged("encoder", &[linear(4, 1)], &[0]);
        assert_eq!(plain[1].out(&[0.0, 1.0, 2.0, 3.0]), [0.0, 1.0, 2.0, 3.0]);
    }
}
