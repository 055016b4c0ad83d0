//! A causal network place by place: what each layer makes of a place is worked out once, when it is asked for.

use std::collections::HashMap;

use super::{Causal, Layer, Spot};
use crate::graph::{Graph, Tensor};

/// Pictures that come to be place by place.
pub(crate) struct Places<'g> {
    network: Causal,
    graph: &'g Graph,
    pictures: usize,
    /// What the network is given: channels of a place.
    channels: usize,
    image: [usize; 2],
    /// What layers hold at places, as far as it is known `[pictures, channels]`.
    known: HashMap<Spot, Tensor<'g>>,
}

impl<'g> Places<'g> {
    /// So many pictures, of which nothing is known.
    pub fn new(
        network: Causal,
        graph: &'g Graph,
        pictures: usize,
        (image, channels): ([usize; 2], usize),
    ) -> Places<'g> {
        Places { network, graph, pictures, channels, image, known: HashMap::new() }
    }

    /// What layers hold where they are known, each `[pictures, channels]`.
    pub fn known(&self, spots: &[Spot]) -> Vec<Tensor<'g>> {
        spots.iter().map(|spot| self.known[spot]).collect()
    }

    /// Takes up what [`Places::known`] told of these, behind each other `[pictures, …]`; gives how many numbers of a picture that is.
    pub fn take_up(&mut self, spots: &[Spot], known: Tensor<'g>) -> usize {
        spots.iter().fold(0, |start, &spot| {
            let width = self.width(spot.0);
            self.known.insert(spot, known.slice(1, start, width));
            start + width
        })
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
        let reads = self.network.layers[number].reads(self.image, place);
        assert!(number > 0, "the place {place:?} is seen before it is known");
        let read: Vec<Tensor<'g>> = reads.into_iter().map(|(from, at)| self.seen(from, at)).collect();
        let made = self.network.layers[number].made(&read);
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
