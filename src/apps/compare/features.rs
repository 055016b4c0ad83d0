//! The space in which samples are compared with rows of the data: principal axes of the training rows.

use rayon::prelude::*;

use crate::data::{Dataset, choose};
use crate::error::Result;
use crate::evaluation::{Points, Projection, fill_gaps, frechet_distance, observed_means, principal_axes};

/// How many axes, where rows have as many values.
pub const AXES: usize = 50;
/// The most training rows that they are found by.
const ROWS: usize = 10_000;
/// And of rows of more values than this, the most: axes of wide rows are found by how rows lie to each other.
const WIDE: usize = 2_000;

/// The first [`AXES`] principal axes of at most 10,000 training rows (2,000 of more than 2,000 values each), in the units of the values that models see: pixels from 0 to 1, or
/// the scaled columns of a table, classes being ones among zeros. Values that were not observed are taken for the mean of those that were.
pub struct Features {
    axes: Projection,
    count: usize,
    means: Vec<f32>,
    /// Where the training rows lie.
    train: Points,
}

impl Features {
    /// Those of training rows.
    ///
    /// # Errors
    /// If values are no numbers.
    pub fn of(train: &Dataset, seed: u64) -> Result<Features> {
        let features = train.shape().features();
        let (mut rows, _) = train.gather(choose(train.rows, ROWS.min(train.rows), seed, *b"features"));
        let means = observed_means(&rows, features);
        fill_gaps(&mut rows, &means);
        let count = AXES.min(features);
        let most = if features > WIDE { WIDE } else { ROWS };
        let axes = principal_axes(&rows.chunks_exact(features).take(most).collect::<Vec<_>>(), features, count)?;
        let place = |row: &[f32]| axes.place(row).into_iter().map(|place| place as f32).collect::<Vec<_>>();
        let train = Points::new(rows.chunks_exact(features).flat_map(place).collect(), count)?;
        Ok(Features { axes, count, means, train })
    }

    /// How many axes there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The share of the variance of training rows that lies along them.
    pub fn explained(&self) -> f64 {
        self.axes.shares.iter().sum()
    }

    /// The mean of the training rows.
    pub fn mean_row(&self) -> Vec<f32> {
        self.axes.mean().iter().map(|&mean| mean as f32).collect()
    }

    /// Where rows `[rows, features]` lie.
    ///
    /// # Errors
    /// If there are fewer than two, or values are not finite.
    pub fn points(&self, mut rows: Vec<f32>) -> Result<Points> {
        fill_gaps(&mut rows, &self.means);
        let places = rows.chunks_exact(self.means.len()).flat_map(|row| self.axes.place(row));
        Points::new(places.map(|place| place as f32).collect(), self.count)
    }

    /// The mean distance of points from the nearest training row.
    pub fn mean_nearest(&self, points: &Points) -> f64 {
        let squared = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
        let nearest = |point: &[f32]| {
            let least = self.train.iter().map(|row| squared(point, row)).fold(f32::INFINITY, f32::min);
            f64::from(least).sqrt()
        };
        let all: Vec<&[f32]> = points.iter().collect();
        let distances: Vec<f64> = all.into_par_iter().map(nearest).collect();
        distances.iter().sum::<f64>() / distances.len() as f64
    }

    /// The squared Fréchet distance between rows and points (Dowson & Landau 1982): 0 where they have the same mean and covariance.
    ///
    /// # Errors
    /// As for [`Features::points`].
    pub fn distance(&self, rows: Vec<f32>, from: &Points) -> Result<f64> {
        frechet_distance(&self.points(rows)?, from)
    }
}

/// A distance over another; none where that is 0.
pub fn beside(distance: f64, other: f64) -> Option<f64> {
    (other > 0.0).then(|| distance / other)
}

/// What samples are worth beside: what data that was held out gets, and what is got without any model.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Baselines {
    /// As many training rows: what a perfect model gets.
    pub real_rows: f64,
    /// The mean of the training rows again and again.
    pub mean_row: f64,
    /// Every value drawn by itself from those that its column has in training rows.
    pub shuffled_columns: f64,
    /// The mean distance of the means of two held-out rows, value by value, from the nearest training row, over that of held-out rows: what
    /// half-way between rows is without codes. None where each held-out row stands among the training rows.
    pub averaged_rows: Option<f64>,
}

impl Baselines {
    /// Those of `held_out` rows, which lie so far from the `nearest` training row, of as many training rows, and of pairs of held-out rows.
    ///
    /// # Errors
    /// As for [`Features::points`].
    pub fn of(
        features: &Features,
        train: &Dataset,
        (held_out, rows, nearest): (&Points, &[f32], f64),
        pairs: &[[usize; 2]],
        seed: u64,
    ) -> Result<Baselines> {
        let (count, width) = (held_out.rows(), train.shape().features());
        let (real, _) = train.gather(choose(train.rows, count, seed, *b"real\0\0\0\0"));
        let mut shuffled = real.clone();
        for column in 0..width {
            let from = choose(count, count, seed.wrapping_add(column as u64), *b"columns\0");
            from.into_iter()
                .enumerate()
                .for_each(|(to, row)| shuffled[to * width + column] = real[row * width + column]);
        }
        let averaged = features.points(halfway(rows, width, pairs))?;
        Ok(Baselines {
            mean_row: features.distance(features.mean_row().repeat(count), held_out)?,
            shuffled_columns: features.distance(shuffled, held_out)?,
            averaged_rows: beside(features.mean_nearest(&averaged), nearest),
            real_rows: features.distance(real, held_out)?,
        })
    }
}

/// The means of pairs of rows of so many values.
pub fn halfway(rows: &[f32], width: usize, pairs: &[[usize; 2]]) -> Vec<f32> {
    let row = |row: usize| &rows[row * width..][..width];
    let mean = |&[a, b]: &[usize; 2]| row(a).iter().zip(row(b)).map(|(a, b)| 0.5 * (a + b)).collect::<Vec<_>>();
    pairs.iter().flat_map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Shape;

    #[test]
    fn distances_are_those_of_gaussians_and_gaps_are_means() {
        // Along the first column 0 and 4 by turns, the second 1: the mean (2, 1), the variances 4 and 0.
        let rows = |shift: f32| (0..400).flat_map(|i| [(i % 2) as f32 * 4.0 + shift, 1.0]).collect::<Vec<_>>();
        let train = Dataset::with_gaps("pairs", rows(0.0), Shape::vector(2)).unwrap();
        let features = Features::of(&train, 0).unwrap();
        assert_eq!((features.count(), features.mean_row()), (2, vec![2.0, 1.0]));
        assert!((features.explained() - 1.0).abs() < 1e-9);
        let held_out = features.points(rows(0.0)).unwrap();
        assert!(features.distance(rows(0.0), &held_out).unwrap() < 1e-6);
        // Moved by 3, it is 9 away; always at the mean, the variance of 400 rows is missing.
        assert!((features.distance(rows(3.0), &held_out).unwrap() - 9.0).abs() < 1e-4);
        let variance = 4.0 * 400.0 / 399.0;
        assert!((features.distance(features.mean_row().repeat(400), &held_out).unwrap() - variance).abs() < 1e-4);
        let gaps = vec![f32::NAN; 800];
        assert!((features.distance(gaps, &held_out).unwrap() - variance).abs() < 1e-4);
        let pairs: Vec<[usize; 2]> = (0..400).map(|i| [i, (i + 1) % 400]).collect();
        let found = Baselines::of(&features, &train, (&held_out, &rows(0.0), 0.0), &pairs, 1).unwrap();
        assert!(found.real_rows < 1e-6 && (found.mean_row - variance).abs() < 1e-4, "{found:?}");
        // One column varies, so that to shuffle it changes nothing; and held-out rows that are training rows are no measure.
        assert!(found.shuffled_columns < 1e-6 && found.averaged_rows.is_none(), "{found:?}");
        // Half-way between 0 and 4, the nearest rows are 2 away; at 5 and at 0 they are 1 and nothing.
        assert_eq!(halfway(&rows(0.0), 2, &pairs[..2]), [2.0, 1.0, 2.0, 1.0]);
        assert!((features.mean_nearest(&features.points(vec![2.0, 1.0, 2.0, 1.0]).unwrap()) - 2.0).abs() < 1e-5);
        assert!((features.mean_nearest(&features.points(vec![5.0, 1.0, 0.0, 1.0]).unwrap()) - 0.5).abs() < 1e-5);
    }
    #[test]
    fn shuffled_columns_go_with_nothing() {
        // Both columns are 0 or both 4 by turns: variances v = 4·400/399, and as large a covariance, which the shuffle takes away. Then
        // |C − v·I| as Dowson and Landau have it is 4v − 2·tr((C·v)^½) = 4v − 2·√(2v·v) = (4 − 2√2) v.
        let rows: Vec<f32> = (0..400).flat_map(|i| [(i % 2) as f32 * 4.0; 2]).collect();
        let train = Dataset::with_gaps("pairs", rows.clone(), Shape::vector(2)).unwrap();
        let features = Features::of(&train, 0).unwrap();
        // Held-out rows are moved by 1 in the first column.
        let moved: Vec<f32> = rows.iter().enumerate().map(|(i, value)| value + (i % 2 == 0) as u8 as f32).collect();
        let held_out = features.points(moved.clone()).unwrap();
        let nearest = features.mean_nearest(&held_out);
        assert!((nearest - 1.0).abs() < 1e-5);
        let found = Baselines::of(&features, &train, (&held_out, &moved, nearest), &[[0, 1], [2, 3]], 3).unwrap();
        let wanted = 1.0 + (4.0 - 2.0 * 2f64.sqrt()) * 4.0 * 400.0 / 399.0;
        assert!((found.shuffled_columns - wanted).abs() < 0.8, "{found:?} and not {wanted}");
        assert!((found.real_rows - 1.0).abs() < 1e-4, "{found:?}");
        // Half-way is (3, 2), which is √(1 + 4) from (4, 4).
        assert!((found.averaged_rows.unwrap() - 5f64.sqrt()).abs() < 1e-4, "{found:?}");
    }
}
