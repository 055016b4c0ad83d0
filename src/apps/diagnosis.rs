//! Why numbers of a training may have run away, as far as its rows and settings tell, and what helps.

use crate::catalogue::Value;
use crate::config::Config;
use crate::data::Dataset;
use crate::error::Error;
use crate::training::Trainer;
use crate::training::checkpoint::{Checkpoint, NamedTensor};

/// Rows that are looked at for what is usual.
const LOOKED_AT: usize = 1000;
/// A value is odd where it is so many times as large as is usual in its column, and as 1.
const ODD: f32 = 100.0;
/// A column is not scaled where its usual values are larger than this.
const UNSCALED: f32 = 100.0;
/// A Gaussian is narrow where its standard deviation is less than this part of the usual values.
const NARROW: f64 = 0.01;
/// Weights moved far where it was so many times the size of all before.
const FAR: f64 = 10.0;

/// What is odd where numbers of a training ran away.
#[derive(Debug, Default)]
pub(super) struct Oddities {
    /// In the rows of the steps in which they did.
    row: Option<String>,
    /// In the weights, against those that it goes back to.
    weights: Option<String>,
}

impl Oddities {
    /// Of a training as it stands, on these rows, that was sound at a checkpoint.
    pub(super) fn of(trainer: &mut Trainer, data: &Dataset, before: Option<&Checkpoint>) -> Oddities {
        let rows = trainer.divergence().and_then(|at| trainer.rows_of(&at));
        let now = trainer.session.values().ok();
        Oddities {
            row: rows.and_then(|rows| odd_value(data, &rows)),
            weights: now.zip(before).and_then(|(now, before)| moved_furthest(&now, &before.tensors)),
        }
    }

    /// What happened, and all that is odd about it.
    pub(super) fn beside(&self, why: &str) -> String {
        let found = [self.row.as_ref().map(|row| format!("near there, {row}")), self.weights.clone()];
        [why.to_string()].into_iter().chain(found.into_iter().flatten()).collect::<Vec<_>>().join("; ")
    }
}

/// Which weights moved furthest, for people, if they moved far: by the root mean square of each tensor's change, against that of all
/// weights before. The first that are no finite numbers, if there are any.
fn moved_furthest(now: &[NamedTensor], before: &[NamedTensor]) -> Option<String> {
    let size = |squares: f64, count: usize| (squares / count.max(1) as f64).sqrt();
    let (mut squares, mut count, mut furthest) = (0.0, 0, (0.0, ""));
    for (name, _, values) in now {
        if values.iter().any(|value| !value.is_finite()) {
            return Some(format!("the weights `{name}` are not finite numbers"));
        }
        let Some((_, _, old)) = before.iter().find(|(of, _, old)| of == name && old.len() == values.len()) else {
            continue;
        };
        squares += old.iter().map(|&old| f64::from(old).powi(2)).sum::<f64>();
        count += old.len();
        let change: f64 = values.iter().zip(old).map(|(&new, &old)| (f64::from(new) - f64::from(old)).powi(2)).sum();
        let change = size(change, old.len());
        if change > furthest.0 {
            furthest = (change, name.as_str());
        }
    }
    let (before, (change, name)) = (size(squares, count), furthest);
    let is_far = change > FAR * before;
    is_far.then(|| format!("the weights `{name}` moved furthest, by {change:.1e}, where all were {before:.1e} before"))
}

/// The middle of the sizes |x| of each column `[features]`, of a sample of the rows; those that are missing count for nothing.
fn usual_sizes(data: &Dataset) -> Vec<f32> {
    let every = data.rows.div_ceil(LOOKED_AT);
    let rows: Vec<Vec<f32>> = (0..data.rows).step_by(every).map(|i| data.row(i)).collect();
    let middle = |column: usize| {
        let mut sizes: Vec<f32> = rows.iter().map(|row| row[column].abs()).filter(|size| !size.is_nan()).collect();
        sizes.sort_by(f32::total_cmp);
        sizes.get(sizes.len() / 2).copied().unwrap_or(0.0)
    };
    (0..data.shape().features()).map(middle).collect()
}

/// The value among some rows that is furthest from what is usual in its column, for people, if it is far from it.
fn odd_value(data: &Dataset, rows: &[usize]) -> Option<String> {
    let usual = usual_sizes(data);
    let mut furthest: Option<(f32, usize, usize, f32)> = None;
    for &row in rows {
        for (column, (value, usual)) in data.row(row).into_iter().zip(&usual).enumerate() {
            let times = value.abs() / usual.max(1.0);
            if times > ODD && furthest.is_none_or(|(most, ..)| times > most) {
                furthest = Some((times, row, column, value));
            }
        }
    }
    let (_, row, column, value) = furthest?;
    Some(format!(
        "{} has {value:.3e} in column {}, where {:.3e} is usual",
        data.place(row),
        data.schema.column(column),
        usual[column]
    ))
}

/// What most likely helps a training of these settings on these rows.
fn advice(config: &Config, data: &Dataset, odd: bool) -> String {
    let usual = usual_sizes(data);
    let largest = usual.iter().copied().fold(0.0, f32::max);
    let is_scaled = data.schema.channels().is_some();
    let unscaled = if is_scaled { 0 } else { usual.iter().filter(|size| **size > UNSCALED).count() };
    let likelihood = &config.model.likelihood;
    let sigma = match likelihood.settings.get("sigma") {
        Some(Value::Numbers(numbers)) if likelihood.id == "gaussian" => numbers.first(),
        _ => None,
    };
    let spread = if is_scaled { 1.0 } else { f64::from(largest.max(f32::MIN_POSITIVE)).min(1.0) };
    let mut said = Vec::new();
    if unscaled > 0 {
        said.push(format!(
            "{unscaled} of the {} columns have values of up to {largest:.1e}: have them scaled to about 1 (`standardise` does so with \
             vectors and pictures)",
            usual.len()
        ));
    }
    if odd {
        said.push(
            "mend or leave out that row if it is a mistake, and give a `clip-norm` of 1 if it is none".to_string(),
        );
    }
    if let Some(sigma) = sigma.filter(|sigma| **sigma < NARROW * spread) {
        said.push(format!(
            "a `sigma` of {sigma} makes each error count {:.0e} times its square: give a larger one, or the `likelihood` gaussian-shared, \
             which learns it",
            0.5 / sigma / sigma
        ));
    }
    if ["gaussian-shared", "gaussian-learned"].contains(&likelihood.id.as_str()) && said.is_empty() {
        said.push(
            "a spread that is learnt can fall to nothing where columns are constant or repeat others: leave those out, or fix it \
             with the `likelihood` gaussian"
                .to_string(),
        );
    }
    said.push("a smaller `learning-rate`, a `clip-norm` of 1 or `warmup-steps` of 1000 usually help".to_string());
    said.join("; ")
}

/// The end of a training whose numbers have run away: what happened, what is odd about it, how often it was tried, and what helps.
pub(super) fn given_up(
    why: &str,
    odd: &Oddities,
    retries: u64,
    (config, data): (&Config, &Dataset),
    kept: &str,
) -> Error {
    let tried = match retries {
        0 => String::new(),
        1 => " It was tried again once, with a lower learning rate.".to_string(),
        _ => format!(" It was tried again {retries} times, with ever lower learning rates."),
    };
    let why = odd.beside(why);
    Error::Diverged(format!("{why}.{tried} What may help: {}.{kept}", advice(config, data, odd.row.is_some())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Spec;
    use crate::data::{Shape, Values};

    fn data(change: impl Fn(usize, usize) -> f32) -> Dataset {
        let values = (0..50).flat_map(|i| (0..3).map(|j| change(i, j)).collect::<Vec<_>>()).collect();
        Dataset::new("some", Values::Floats(values), Shape::vector(3)).unwrap()
    }

    #[test]
    fn an_outlier_is_found_and_named() {
        let rows = data(|i, j| if (i, j) == (17, 1) { -250.0 } else { (i % 5) as f32 * 0.1 });
        let said = odd_value(&rows, &[3, 17, 4]).unwrap();
        assert_eq!(said, "row 17 has -2.500e2 in column 1, where 2.000e-1 is usual");
        assert_eq!(odd_value(&rows, &[3, 4]), None, "it is in none of these");
        // A column that is large throughout has no outlier.
        assert_eq!(odd_value(&data(|i, j| if j == 1 { 1e6 } else { i as f32 }), &[3, 17]), None);
    }

    #[test]
    fn weights_that_moved_far_are_named() {
        let tensor = |name: &str, values: &[f32]| (name.to_string(), vec![values.len()], values.to_vec());
        let before = [tensor("a", &[0.1, -0.1]), tensor("b", &[0.2])];
        let said =
            |a: &[f32], b: f32| moved_furthest(&[tensor("a", a), tensor("b", &[b]), tensor("c", &[1e9])], &before);
        // √((3² + 4²)/2) = 3.54, and √((0.01 + 0.01 + 0.04)/3) = 0.141.
        assert_eq!(
            said(&[3.1, -4.1], 3.0).unwrap(),
            "the weights `a` moved furthest, by 3.5e0, where all were 1.4e-1 before"
        );
        assert!(said(&[0.1, -0.1], -4.0).unwrap().contains("`b`"), "the other, by 4.2");
        assert_eq!(said(&[1.0, -1.0], 0.2), None, "six times as far as they were large");
        assert_eq!(said(&[1e9, f32::NAN], 1e9).unwrap(), "the weights `a` are not finite numbers");
    }

    #[test]
    fn advice_fits_what_is_found() {
        let (plain, wide) =
            (data(|i, _| (i % 7) as f32 * 0.1), data(|i, j| (i % 7) as f32 * if j == 2 { 1e5 } else { 0.1 }));
        let said = |spec: Spec, data: &Dataset, odd: bool| {
            let mut config = Config::default();
            config.model.likelihood = spec;
            advice(&config, data, odd)
        };
        let fixed = |sigma: f64| Spec::new("gaussian").with("sigma", sigma);
        for (said, words, others) in [
            (said(fixed(0.5), &plain, false), &["learning-rate"][..], &["sigma", "scaled", "row", "spread"][..]),
            (said(fixed(1e-5), &plain, false), &["`sigma` of 0.00001", "5e9 times"], &["scaled", "row"]),
            (said(fixed(0.5), &wide, false), &["1 of the 3 columns", "3.0e5", "`standardise`"], &["sigma"]),
            (said(fixed(0.5), &plain, true), &["leave out that row"], &["sigma", "scaled"]),
            (said(Spec::new("gaussian-shared"), &plain, false), &["a spread that is learnt"], &["sigma", "row"]),
        ] {
            words.iter().for_each(|word| assert!(said.contains(word), "{word}: {said}"));
            others.iter().for_each(|word| assert!(!said.contains(word), "{word}: {said}"));
        }
    }
}
