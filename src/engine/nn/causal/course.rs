//! What has to be kept of a picture that comes place by place: at each place, what layers made and a later place reads.

use super::{Causal, Spot};

/// When layers are made at places, and when they are read for the last time, all of a picture being worked out in order. Times are
/// places, counted row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Course {
    image: [usize; 2],
    /// Of every layer and place; those that nothing asks for are never made.
    made: Vec<Option<usize>>,
    last: Vec<usize>,
}

impl Course {
    /// That of a network over pictures of `image` places. What it is given at a place is known once its value there was asked for.
    pub fn new(network: &Causal, image: [usize; 2]) -> Course {
        let places = image[0] * image[1];
        let spots = network.layers.len() * places;
        let mut course = Course { image, made: vec![None; spots], last: vec![0; spots] };
        for now in 0..places {
            course.visit(network, (network.layers.len() - 1, course.place(now)), now);
            let given = course.number((0, course.place(now)));
            course.made[given] = Some(now);
        }
        course
    }

    fn place(&self, number: usize) -> [usize; 2] {
        [number / self.image[1], number % self.image[1]]
    }

    fn number(&self, (layer, [y, x]): Spot) -> usize {
        (layer * self.image[0] + y) * self.image[1] + x
    }

    fn visit(&mut self, network: &Causal, spot: Spot, now: usize) {
        let number = self.number(spot);
        self.last[number] = now;
        if self.made[number].is_some() {
            return;
        }
        self.made[number] = Some(now);
        for (layer, place) in network.layers[spot.0].reads(self.image, spot.1) {
            if let Some(place) = place {
                self.visit(network, (layer, place), now);
            }
        }
    }

    /// What is known once the value at a place was asked for, before the network is given that place, and is read at a later one.
    pub fn kept(&self, place: [usize; 2]) -> Vec<Spot> {
        let (now, places) = (self.number((0, place)), self.image[0] * self.image[1]);
        let is_kept = |number: usize| {
            let is_made = |made: usize| if number < places { made < now } else { made <= now };
            self.made[number].is_some_and(is_made) && self.last[number] > now
        };
        let spot = |number: usize| (number / places, self.place(number % places));
        (0..self.made.len()).filter(|number| is_kept(*number)).map(spot).collect()
    }
}
