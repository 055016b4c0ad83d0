//! A causal network place by place: what each layer makes of a place is worked out once, when it is asked for.

use std::collections::HashMap;

use super::{Causal, Layer, gate, relu};
use crate::graph::{Graph, Tensor};

/// Pictures that come to be place by place.
pub(crate) struct Places<'a, 'g> {
    network: &'a Causal,
    graph: &'g Graph,
    pictures: usize,
    /// What the network is given: channels of a place.
    channels: usize,
    image: [usize; 2],
    /// What layers hold at places, as far as it is known `[pictures, channels]`.
    known: HashMap<(usize, [usize; 2]), Tensor<'g>>,
}

impl<'a, 'g> Places<'a, 'g> {
    /// So many pictures, of which nothing is known.
    pub fn new(
        network: &'a Causal,
        graph: &'g Graph,
        pictures: usize,
        (image, channels): ([usize; 2], usize),
    ) -> Places<'a, 'g> {
        Places { network, graph, pictures, channels, image, known: HashMap::new() }
    }

    /// Says what the network is given at a place `[pictures, channels]`.
    pub fn tell(&mut self, place: [usize; 2], given: Tensor<'g>) {
        self.known.insert((0, place), given);
    }

    /// What the network makes of a place `[pictures, outputs]`.
    ///
    /// # Panics
    /// If it sees a place of which nothing was told: it sees what comes after.
    pub fn value(&mut self, place: [usize; 2]) -> Tensor<'g> {
        self.layer(self.network.layers.len() - 1, place)
    }

    fn layer(&mut self, number: usize, place: [usize; 2]) -> Tensor<'g> {
        if let Some(known) = self.known.get(&(number, place)) {
            return *known;
        }
        let network = self.network;
        let made = match &network.layers[number] {
            Layer::Given => panic!("the place {place:?} is seen before it is known"),
            Layer::Convolution(from, taps) => {
                let seen: Vec<Tensor<'g>> =
                    taps.seen(self.image, place).into_iter().map(|at| self.seen(*from, at)).collect();
                taps.at(&seen)
            }
            Layer::Gate(from) => gate(self.layer(*from, place)),
            Layer::Sum(a, b) => self.layer(*a, place) + self.layer(*b, place),
            Layer::Relu(from) => relu(self.layer(*from, place)),
        };
        self.known.insert((number, place), made);
        made
    }

    /// What a layer holds at a place, 0 outside of the picture.
    fn seen(&mut self, number: usize, place: Option<[usize; 2]>) -> Tensor<'g> {
        match place {
            Some(place) => self.layer(number, place),
            None => self.graph.full(0.0, &[self.pictures, self.width(number)]),
        }
    }

    /// The channels of a layer.
    fn width(&self, number: usize) -> usize {
        match &self.network.layers[number] {
            Layer::Given => self.channels,
            Layer::Convolution(_, taps) => taps.outputs,
            Layer::Gate(from) => self.width(*from) / 2,
            Layer::Sum(from, _) | Layer::Relu(from) => self.width(*from),
        }
    }
}
