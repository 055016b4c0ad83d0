//! How the numbers of a row's code are encodings: one for each place and group.
//!
//! A code of c·P numbers lies channel by channel, P places each, as networks for pictures have it; P is 1 where every number sees all of
//! a row. The c channels of a place are G groups of D = c/G, each of which is an encoding.

use crate::graph::Tensor;

/// How many encodings a row has, and where they lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// The picture that a code is: P places, row by row; `[1, 1]` where every number sees all of a row.
    pub image: [usize; 2],
    /// G, encodings at each place.
    pub groups: usize,
    /// D, numbers of an encoding.
    pub dimensions: usize,
}

impl Grid {
    /// The encodings of codes of so many numbers.
    ///
    /// # Errors
    /// If the numbers are not as many for each: what would be.
    pub fn new(latent: usize, image: [usize; 2], groups: usize) -> Result<Grid, String> {
        let places: usize = image.iter().product();
        let encodings = places * groups;
        if encodings > 0 && latent > 0 && latent.is_multiple_of(encodings) {
            return Ok(Grid { image, groups, dimensions: latent / encodings });
        }
        let of = if places > 1 { format!(" ({places} places of {groups})") } else { String::new() };
        Err(format!(
            "a code of {latent} numbers cannot be {encodings} vectors{of} of as many numbers each: give `latent` as a multiple of \
             {encodings}, or other `vectors`"
        ))
    }

    /// The encodings of codes of so many numbers, of D numbers each.
    ///
    /// # Errors
    /// If they do not divide the numbers of a place: what would.
    pub fn of_dimensions(latent: usize, image: [usize; 2], dimensions: usize) -> Result<Grid, String> {
        let each = image.iter().product::<usize>() * dimensions;
        if latent > 0 && latent.is_multiple_of(each) {
            return Ok(Grid { image, groups: latent / each, dimensions });
        }
        let [height, width] = image;
        let of = if each > dimensions { format!(" at each of {height}×{width} places") } else { String::new() };
        Err(format!(
            "a code of {latent} numbers cannot be vectors of {dimensions} numbers{of}: give `latent` as a multiple of {each}, or as many \
             levels as fit"
        ))
    }

    /// P, places of a code.
    pub fn places(self) -> usize {
        self.image.iter().product()
    }

    /// Encodings of a row.
    pub fn encodings(self) -> usize {
        self.places() * self.groups
    }

    /// Codes `[rows, latent]` as their encodings `[rows·G·P, D]`, those of a row behind each other, group by group.
    pub fn apart(self, codes: Tensor) -> Tensor {
        let (rows, places, Grid { groups, dimensions, .. }) = (codes.shape()[0], self.places(), self);
        let by_place = match places {
            1 => codes,
            _ => codes.reshape(&[rows, groups, dimensions, places]).permute(&[0, 1, 3, 2]),
        };
        by_place.reshape(&[rows * groups * places, dimensions])
    }

    /// Encodings `[rows·G·P, D]` as codes `[rows, latent]`.
    pub fn together(self, encodings: Tensor) -> Tensor {
        let (places, Grid { groups, dimensions, .. }) = (self.places(), self);
        let rows = encodings.shape()[0] / self.encodings();
        let by_channel = match places {
            1 => encodings,
            _ => encodings.reshape(&[rows, groups, places, dimensions]).permute(&[0, 1, 3, 2]),
        };
        by_channel.reshape(&[rows, groups * dimensions * places])
    }

    /// What encodings hold `[rows·G·P, n]`, group by group, place by place `[rows·P·G, n]`.
    pub fn by_place(self, t: Tensor) -> Tensor {
        turned(t, [self.groups, self.places()])
    }

    /// What [`Grid::by_place`] gives, group by group.
    pub fn by_group(self, t: Tensor) -> Tensor {
        turned(t, [self.places(), self.groups])
    }
}

/// `[rows·a·b, n]` as `[rows·b·a, n]`.
pub(super) fn turned(t: Tensor, [a, b]: [usize; 2]) -> Tensor {
    let [all, n] = t.dims();
    match (a, b) {
        (1, _) | (_, 1) => t,
        _ => t.reshape(&[all / (a * b), a, b, n]).permute(&[0, 2, 1, 3]).reshape(&[all, n]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::graph::eval::{Values, evaluate};

    #[test]
    fn encodings_are_the_channels_of_a_place() {
        // Two rows of three places, two groups of two channels each.
        let grid = Grid::new(12, [1, 3], 2).unwrap();
        assert_eq!((grid, grid.encodings()), (Grid { image: [1, 3], groups: 2, dimensions: 2 }, 6));
        let (graph, mut values) = (Graph::new(), Values::default());
        values.tensors.insert("codes".into(), (0..24).map(f64::from).collect());
        let codes = graph.input("codes", &[2, 12]);
        let apart = grid.apart(codes);
        let placed = grid.by_place(apart);
        let found = evaluate(&values, &[apart, grid.together(apart), placed, grid.by_group(placed)]);
        let first = [0.0, 3.0, 1.0, 4.0, 2.0, 5.0, 6.0, 9.0, 7.0, 10.0, 8.0, 11.0];
        assert_eq!(found[0][..12], first, "channel 0 lies at 0 to 2, channel 1 at 3 to 5");
        assert_eq!(found[0][12..], first.map(|number| number + 12.0));
        assert_eq!(found[1], values.tensors["codes"]);
        let by_place = [0.0, 3.0, 6.0, 9.0, 1.0, 4.0, 7.0, 10.0, 2.0, 5.0, 8.0, 11.0];
        assert_eq!(found[2][..12], by_place, "both groups of a place behind each other");
        assert_eq!(found[3], found[0]);
    }

    #[test]
    fn codes_that_do_not_divide_are_refused() {
        assert_eq!(Grid::new(6, [1, 1], 3).unwrap().dimensions, 2);
        let why = Grid::new(8, [1, 1], 3).unwrap_err();
        assert!(why.contains("a code of 8 numbers cannot be 3 vectors of as many"), "{why}");
        assert_eq!(Grid::of_dimensions(12, [1, 2], 3).unwrap(), Grid { image: [1, 2], groups: 2, dimensions: 3 });
        let why = Grid::of_dimensions(10, [1, 1], 4).unwrap_err();
        assert!(why.contains("cannot be vectors of 4 numbers: give `latent` as a multiple of 4"), "{why}");
        let why = Grid::of_dimensions(10, [2, 2], 4).unwrap_err();
        assert!(why.contains("of 4 numbers at each of 2×2 places: give `latent` as a multiple of 16"), "{why}");
        let why = Grid::new(100, [8, 8], 1).unwrap_err();
        assert!(why.contains("cannot be 64 vectors (64 places of 1)") && why.contains("a multiple of 64"), "{why}");
    }
}
