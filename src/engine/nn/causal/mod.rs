//! Networks on pictures in which each place sees those before it alone, row by row from the upper left (van den Oord et al. 2016a,
//! section 3.4).
//!
//! A network is a list of layers, which is worked out in two ways: of whole pictures, as training and densities need it, and place by
//! place, as draws need it, where what a place makes of those before it is known and is not worked out again (Ramachandran et al. 2017).
//! All of a picture so takes as many products as one pass over it.

mod course;
mod gated;
mod places;
mod taps;

pub(crate) use course::Course;
pub use gated::Gated;
pub(crate) use places::Places;
use taps::Taps;

use crate::graph::Tensor;

/// A network of layers, each made of those before it; what it is given is the first, and what it gives the last.
#[derive(Clone, Debug, PartialEq)]
pub struct Causal {
    layers: Vec<Layer>,
}

/// What a layer is made of.
#[derive(Clone, Debug, PartialEq)]
enum Layer {
    /// What the network is given.
    Given,
    /// A masked convolution of a layer.
    Convolution(usize, Taps),
    /// tanh a ⊙ σ(b) of the halves a and b of a layer's channels.
    Gate(usize),
    /// The sum of two layers.
    Sum(usize, usize),
    /// max(0, a) of a layer.
    Relu(usize),
}

/// tanh a ⊙ σ(b) of `[n, 2·channels]` (van den Oord et al. 2016b, equation 2).
fn gate(t: Tensor) -> Tensor {
    let [a, b] = t.split::<2>();
    a.tanh() * b.sigmoid()
}

fn relu(t: Tensor) -> Tensor {
    t.maximum(t.graph().constant(0.0))
}

/// A layer, by its number, at a place.
pub(crate) type Spot = (usize, [usize; 2]);

impl Layer {
    /// The layers and places that it is made of at a place of a picture; `None` stands for a place outside.
    fn reads(&self, image: [usize; 2], place: [usize; 2]) -> Vec<(usize, Option<[usize; 2]>)> {
        match self {
            Layer::Given => vec![],
            Layer::Convolution(from, taps) => taps.seen(image, place).into_iter().map(|at| (*from, at)).collect(),
            Layer::Gate(from) | Layer::Relu(from) => vec![(*from, Some(place))],
            Layer::Sum(a, b) => vec![(*a, Some(place)), (*b, Some(place))],
        }
    }

    /// What it makes of what [`Layer::reads`] says, each `[pictures, channels]`. `[pictures, outputs]`
    fn made<'g>(&self, read: &[Tensor<'g>]) -> Tensor<'g> {
        match self {
            Layer::Given => panic!("what a network is given is told and not made"),
            Layer::Convolution(_, taps) => taps.at(read),
            Layer::Gate(_) => gate(read[0]),
            Layer::Sum(..) => read[0] + read[1],
            Layer::Relu(_) => relu(read[0]),
        }
    }
}

impl Causal {
    /// Adds a layer; gives its number.
    fn add(&mut self, layer: Layer) -> usize {
        self.layers.push(layer);
        self.layers.len() - 1
    }

    /// What the network makes of pictures of `image` pixels `[pictures·h·w, channels]`, a row for each place
    /// `[pictures·h·w, outputs]`.
    pub fn whole<'g>(&self, given: Tensor<'g>, image: [usize; 2]) -> Tensor<'g> {
        let mut made: Vec<Tensor<'g>> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let next = match layer {
                Layer::Given => given,
                Layer::Convolution(from, taps) => taps.whole(made[*from], image),
                Layer::Gate(from) => gate(made[*from]),
                Layer::Sum(a, b) => made[*a] + made[*b],
                Layer::Relu(from) => relu(made[*from]),
            };
            made.push(next);
        }
        *made.last().expect("a network has layers")
    }
}

#[cfg(test)]
mod tests;
