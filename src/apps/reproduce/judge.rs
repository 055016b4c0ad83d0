//! A classifier that judges what other runs of a row draw: whether it recognises the labels that they were told, and how far
//! their rows lie from the data's in the space of its last hidden layer.

use std::path::Path;

use super::super::saved::Saved;
use crate::data::Dataset;
use crate::error::Result;
use crate::evaluation::{Points, frechet_distance};
use crate::program::Executor;

/// The most rows that are compared.
const ROWS: usize = 10_000;

/// The seeds of the codes that are drawn.
const SEED: u64 = 1;

/// The least probability of its likeliest label that makes a classifier sure of a row.
const SURE: f32 = 0.9;

/// A label counts as drawn if it is the likeliest of at least this part of its even share of the rows.
const COVERED: f64 = 0.1;

/// What a classifier finds.
#[derive(Clone, Copy, Debug)]
pub struct Judgement {
    /// The share of drawn rows whose label is recognised, of a model that is told labels.
    pub recognised: Option<f64>,
    /// The share of drawn rows of whose likeliest label the classifier is at least nine tenths sure.
    pub sure: f64,
    /// The share of labels that are the likeliest of at least a tenth of their even share of the drawn rows.
    pub covered: f64,
    /// The Fréchet distance between drawn rows and test rows, as the classifier's last hidden layer sees them (Heusel et
    /// al. 2017, with another network).
    pub frechet: f64,
    /// The same between training rows and test rows.
    pub frechet_of_data: f64,
}

/// Has the classifier of one run judge what the model of another draws.
///
/// # Errors
/// If one of them cannot be opened, they are about other rows, or the device fails.
pub fn judge(classifier: &Path, run: &Path, open: &dyn Fn() -> Result<Box<dyn Executor>>) -> Result<Judgement> {
    let mut judge = Saved::open(classifier, open()?)?;
    let splits = judge.data()?;
    let (_, test) = splits.evaluation_split();
    let rows = ROWS.min(test.rows);
    let mut saved = Saved::open(run, open()?)?;
    let classes = saved.form.classes.len();
    let y = if classes > 0 { saved.form.every_label(rows.div_ceil(classes)) } else { vec![] };
    let count = if classes > 0 { classes * rows.div_ceil(classes) } else { rows };
    let drawn = saved.session.sample(count, &y, SEED)?;
    let labels = judge.form.classes.len();
    let q = judge.session.classify(&drawn)?;
    let recognised = (classes > 0).then(|| agreement(&q, &y, classes));
    let (sure, covered) = (sure(&q, labels), covered(&q, labels));
    let mut points = |x: &[f32]| -> Result<Points> {
        let features = judge.session.encode(x)?;
        let width = judge.session.latent()?;
        Points::new(features, width)
    };
    let of = |data: &Dataset| data.gather(0..ROWS.min(data.rows)).0;
    let (drawn, test, train) = (points(&drawn)?, points(&of(test))?, points(&of(&splits.train))?);
    Ok(Judgement {
        recognised,
        sure,
        covered,
        frechet: frechet_distance(&drawn, &test)?,
        frechet_of_data: frechet_distance(&train, &test)?,
    })
}

/// The likeliest label of a row.
fn likeliest(row: &[f32]) -> usize {
    (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0)
}

/// The share of rows with a label of probability [`SURE`], in `[rows, classes]`.
fn sure(q: &[f32], classes: usize) -> f64 {
    let rows = q.chunks_exact(classes);
    let all = rows.len();
    rows.filter(|row| row[likeliest(row)] >= SURE).count() as f64 / all as f64
}

/// The share of labels that are the likeliest of enough rows `[rows, classes]`.
fn covered(q: &[f32], classes: usize) -> f64 {
    let mut counts = vec![0_usize; classes];
    q.chunks_exact(classes).for_each(|row| counts[likeliest(row)] += 1);
    let enough = COVERED * counts.iter().sum::<usize>() as f64 / classes as f64;
    counts.iter().filter(|&&count| count > 0 && count as f64 >= enough).count() as f64 / classes as f64
}

/// The share of rows whose likeliest label `[rows, classes]` is that of `y`.
fn agreement(q: &[f32], y: &[f32], classes: usize) -> f64 {
    let rows = q.chunks_exact(classes).zip(y.chunks_exact(classes));
    let (right, all) = rows.fold((0, 0), |(right, all), (q, y)| (right + u32::from(y[likeliest(q)] == 1.0), all + 1));
    f64::from(right) / f64::from(all)
}

#[cfg(test)]
mod tests {
    use super::{agreement, covered, sure};

    #[test]
    fn labels_that_are_sure_and_labels_that_are_drawn() {
        // Of four rows, two have a label of at least 0.9; the second of three labels is nowhere the likeliest.
        let q = [0.9, 0.05, 0.05, 0.5, 0.3, 0.2, 0.0, 0.0, 1.0, 0.1, 0.01, 0.89];
        assert_eq!(sure(&q, 3), 0.5);
        assert_eq!(covered(&q, 3), 2.0 / 3.0);
        // One row in 40 is less than a tenth of a half; one in 20 is as much.
        let rows = |count: usize| [[1.0, 0.0].repeat(count - 1), vec![0.0, 1.0]].concat();
        assert_eq!((covered(&rows(40), 2), covered(&rows(20), 2)), (0.5, 1.0));
    }

    #[test]
    fn labels_that_agree_are_counted() {
        let q = [0.5, 0.3, 0.2, 0.1, 0.2, 0.7, 0.2, 0.6, 0.2];
        let y = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0];
        assert_eq!(agreement(&q, &y, 3), 2.0 / 3.0);
        assert_eq!(agreement(&q, &q.map(|v| f32::from(u8::from(v >= 0.5))), 3), 1.0);
    }
}
