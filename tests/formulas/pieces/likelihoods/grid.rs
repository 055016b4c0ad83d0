//! Cells that cover a support, so that sums over it can be taken and draws be counted.

use elbo::engine::distributions::Support;

/// Cells of a density: even, as the two parts of a kinked one must not share a cell.
const CELLS: usize = 4000;

/// A support, cut into cells.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    support: Support,
    centre: f64,
    scale: f64,
}

impl Grid {
    /// Of numbers on the whole line, most are expected within `scale` of `centre`; tails are covered to infinity.
    pub fn new(support: Support, centre: f64, scale: f64) -> Grid {
        Grid { support, centre, scale }
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        match self.support {
            Support::Binary => 2,
            Support::Levels(n) => n,
            Support::Real | Support::Unit | Support::Fields | Support::Loss => CELLS,
        }
    }

    /// Where each cell is looked at, and what a density is multiplied by there: 1 where it is a probability.
    ///
    /// The line is x = c + s u/(1 − u²) for u in (−1, 1), under which also the tails of a Cauchy distribution have finite
    /// weight; the unit interval is x = (1 − cos πu)/2 for u in (0, 1), with narrow cells at its ends.
    pub fn points(&self) -> (Vec<f64>, Vec<f64>) {
        let n = self.len() as f64;
        let point = |i: usize| {
            let t = (i as f64 + 0.5) / n;
            match self.support {
                Support::Binary | Support::Levels(_) => (i as f64 / (n - 1.0), 1.0),
                Support::Unit => {
                    let angle = std::f64::consts::PI * t;
                    (0.5 - 0.5 * angle.cos(), 0.5 * std::f64::consts::PI * angle.sin() / n)
                }
                Support::Real | Support::Fields | Support::Loss => {
                    let u = 2.0 * t - 1.0;
                    let rest = 1.0 - u * u;
                    (self.centre + self.scale * u / rest, 2.0 / n * self.scale * (1.0 + u * u) / (rest * rest))
                }
            }
        };
        (0..self.len()).map(point).unzip()
    }

    /// The cell that a number lies in; `None` if it is none of the support.
    pub fn cell(&self, x: f64) -> Option<usize> {
        let n = self.len() as f64;
        let at = match self.support {
            Support::Binary | Support::Levels(_) => {
                let level = x * (n - 1.0);
                let there = (0.0..=1.0).contains(&x) && (level - level.round()).abs() < 1e-4;
                return there.then_some(level.round() as usize);
            }
            Support::Unit if !(0.0..=1.0).contains(&x) => return None,
            Support::Unit => (1.0 - 2.0 * x).acos() / std::f64::consts::PI,
            Support::Real | Support::Fields | Support::Loss => {
                let t = (x - self.centre) / self.scale;
                // u/(1 − u²) = t, solved without cancellation.
                0.5 + t / (1.0 + (1.0 + 4.0 * t * t).sqrt())
            }
        };
        x.is_finite().then(|| ((at * n) as usize).min(self.len() - 1))
    }
}

#[test]
fn cells_hold_their_points() {
    for support in [Support::Binary, Support::Levels(7), Support::Levels(256), Support::Unit, Support::Real] {
        let grid = Grid::new(support, -3.0, 0.2);
        let (points, weights) = grid.points();
        for (i, &x) in points.iter().enumerate() {
            assert_eq!(grid.cell(x), Some(i), "{support:?} {x}");
        }
        // A density that is known: 1 on the unit interval, a Cauchy on the line.
        let density = |x: f64| match support {
            Support::Real => 0.3 / (std::f64::consts::PI * (0.09 + (x + 2.9).powi(2))),
            Support::Unit => 1.0,
            _ => 1.0 / grid.len() as f64,
        };
        let sum: f64 = points.iter().zip(&weights).map(|(&x, w)| w * density(x)).sum();
        assert!((sum - 1.0).abs() < 1e-6, "{support:?}: {sum}");
    }
    assert_eq!(Grid::new(Support::Levels(5), 0.0, 1.0).cell(0.3), None);
    assert_eq!(Grid::new(Support::Unit, 0.0, 1.0).cell(1.01), None);
}
