//! How well a score tells anomalies from normal rows, and how strange a score is among normal ones.
//!
//! High scores are strange. Ties count for half.

use rand::RngExt;

use super::generator;

/// A figure with its interval of 95 %.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Interval {
    /// The figure.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Of a standard normal, what 95 % lie within.
const NORMAL_95: f64 = 1.959_963_984_540_054;
/// How often rows are drawn anew for an interval that has no formula.
const RESAMPLES: usize = 400;

/// The probability that an anomaly scores above a normal row: the area under the curve of true over false alarms. The interval is
/// that of DeLong, DeLong & Clarke-Pearson 1988, on the scale of log odds, so that it stays between 0 and 1.
///
/// `None` where there are no anomalies or no normal rows.
pub fn auroc(normal: &[f64], anomalies: &[f64]) -> Option<Interval> {
    if normal.is_empty() || anomalies.is_empty() {
        return None;
    }
    let (of_anomalies, of_normal) = (shares_below(anomalies, normal), shares_below(normal, anomalies));
    let value = mean(&of_anomalies);
    // The share of anomalies above a normal row is one minus that of those below.
    let variance = spread(&of_anomalies) / anomalies.len() as f64 + spread(&of_normal) / normal.len() as f64;
    if value <= 0.0 || value >= 1.0 {
        return Some(Interval { value, low: value, high: value });
    }
    let (odds, error) = ((value / (1.0 - value)).ln(), variance.sqrt() / (value * (1.0 - value)));
    let back = |x: f64| 1.0 / (1.0 + (-x).exp());
    Some(Interval { value, low: back(odds - NORMAL_95 * error), high: back(odds + NORMAL_95 * error) })
}

/// The mean precision over the anomalies, as alarms come down from the highest score. Of a score that knows nothing it is the share
/// of anomalies. The interval is that of rows drawn anew, anomalies and normal ones apart (Efron 1979), as the seed decides.
///
/// `None` where there are no anomalies or no normal rows.
pub fn average_precision(normal: &[f64], anomalies: &[f64], seed: u64) -> Option<Interval> {
    if normal.is_empty() || anomalies.is_empty() {
        return None;
    }
    let value = precision(normal.to_vec(), anomalies.to_vec());
    let mut rng = generator(seed, *b"ranking\0");
    let mut again = |of: &[f64]| -> Vec<f64> { (0..of.len()).map(|_| of[rng.random_range(0..of.len())]).collect() };
    let mut found: Vec<f64> = (0..RESAMPLES).map(|_| precision(again(normal), again(anomalies))).collect();
    found.sort_by(f64::total_cmp);
    let at = |share: f64| found[((RESAMPLES - 1) as f64 * share).round() as usize];
    Some(Interval { value, low: at(0.025).min(value), high: at(0.975).max(value) })
}

fn precision(normal: Vec<f64>, anomalies: Vec<f64>) -> f64 {
    let count = anomalies.len() as f64;
    let tagged = |of: Vec<f64>, is: bool| of.into_iter().map(move |score| (score, is));
    let mut all: Vec<(f64, bool)> = tagged(normal, false).chain(tagged(anomalies, true)).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut alarms, mut right, mut total) = (0.0, 0.0, 0.0);
    // Rows of one score are alarms all at once.
    for alike in all.chunk_by(|a, b| a.0 == b.0) {
        let found = alike.iter().filter(|(_, is)| *is).count() as f64;
        alarms += alike.len() as f64;
        right += found;
        total += found * right / alarms;
    }
    total / count
}

/// For each of some scores the share of others that lie below it, those alike counting for half.
fn shares_below(of: &[f64], others: &[f64]) -> Vec<f64> {
    let mut sorted = others.to_vec();
    sorted.sort_by(f64::total_cmp);
    let share = |score: &f64| {
        let below = sorted.partition_point(|other| other < score);
        let up_to = sorted.partition_point(|other| other <= score);
        (below + up_to) as f64 / (2 * sorted.len()) as f64
    };
    of.iter().map(share).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The sample variance; 0 of a single value.
fn spread(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1).max(1) as f64
}

/// Spearman's correlation: that of the ranks, between −1 and 1; 0 where one of the two does not vary.
pub fn rank_correlation(a: &[f64], b: &[f64]) -> f64 {
    let [a, b] = [a, b].map(|values| shares_below(values, values));
    let [middle_a, middle_b] = [&a, &b].map(|values| mean(values));
    let both: f64 = a.iter().zip(&b).map(|(x, y)| (x - middle_a) * (y - middle_b)).sum();
    let square = |values: &[f64], middle: f64| values.iter().map(|x| (x - middle).powi(2)).sum::<f64>();
    let scale = (square(&a, middle_a) * square(&b, middle_b)).sqrt();
    if scale > 0.0 { both / scale } else { 0.0 }
}

/// Scores of normal rows that no model learnt from, in rising order: what p-values are told by.
#[derive(Clone, Debug)]
pub struct NormalScores(Vec<f64>);

impl NormalScores {
    /// Those of some rows. A score that is no number is stranger than all others.
    pub fn new(mut scores: Vec<f64>) -> NormalScores {
        scores.iter_mut().filter(|score| score.is_nan()).for_each(|score| *score = f64::INFINITY);
        scores.sort_by(f64::total_cmp);
        NormalScores(scores)
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The conformal p-value of a new row, (1 + how many normal rows score as high or higher)/(1 + n). Of a row that is drawn like
    /// the normal ones, P(p ≤ α) ≤ α, for any model and any n (Vovk, Gammerman & Shafer 2005; Bates et al. 2023).
    pub fn p_value(&self, score: f64) -> f64 {
        (1 + self.above(score)) as f64 / (1 + self.0.len()) as f64
    }

    /// That of one of the normal rows themselves, held against all others.
    pub fn p_value_of_own(&self, score: f64) -> f64 {
        self.above(score).max(1) as f64 / self.0.len() as f64
    }

    fn above(&self, score: f64) -> usize {
        // What is no number is as strange as can be.
        let score = if score.is_nan() { f64::INFINITY } else { score };
        self.0.len() - self.0.partition_point(|&normal| normal < score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_and_precisions_by_hand() {
        // Of the six pairs, 3 > 1, 3 > 2, 5 > all three, 3 = 3 for half: 5.5 of 6.
        let (normal, anomalies) = ([1.0, 2.0, 3.0], [3.0, 5.0]);
        let area = auroc(&normal, &anomalies).unwrap();
        assert!((area.value - 5.5 / 6.0).abs() < 1e-12);
        assert!(area.low > 0.0 && area.low < area.value && area.high < 1.0);
        // DeLong: shares below are 2.5/3 and 1, of variance 1/72; shares of anomalies below are 0, 0, 1/4, of variance 1/48.
        let error = (1.0 / 72.0 / 2.0 + 1.0 / 48.0 / 3.0f64).sqrt() / (11.0 / 12.0 * (1.0 / 12.0));
        assert!(
            ((area.value / (1.0 - area.value)).ln() - (area.low / (1.0 - area.low)).ln() - 1.959_963_98 * error).abs()
                < 1e-6
        );
        // 5 is right at once; 3 comes with a false alarm, two of three alarms being right: (1 + 2/3)/2.
        let precision = average_precision(&normal, &anomalies, 0).unwrap();
        assert!((precision.value - 5.0 / 6.0).abs() < 1e-12, "{precision:?}");
        assert!(precision.low <= precision.value && precision.high >= precision.value);
        assert!((auroc(&anomalies, &normal).unwrap().value - (1.0 - area.value)).abs() < 1e-12);
        assert!(auroc(&normal, &[]).is_none() && average_precision(&[], &anomalies, 0).is_none());
    }

    #[test]
    fn ranks_correlate_whatever_the_scale() {
        let a = [1.0, 2.0, 3.0, 4.0];
        assert!((rank_correlation(&a, &[1.0, 10.0, 100.0, 1e9]) - 1.0).abs() < 1e-12);
        assert!((rank_correlation(&a, &[4.0, 3.0, 2.0, 1.0]) + 1.0).abs() < 1e-12);
        // Ranks 1, 2, 3, 4 and 2, 1, 4, 3: 1 − 6·4/(4·15).
        assert!((rank_correlation(&a, &[2.0, 1.0, 4.0, 3.0]) - 0.6).abs() < 1e-12);
        assert_eq!(rank_correlation(&a, &[7.0; 4]), 0.0);
    }

    #[test]
    fn p_values_count_normal_rows_as_strange() {
        let normal = NormalScores::new(vec![3.0, 1.0, 2.0, 2.0]);
        assert_eq!([4.0, 3.0, 2.0, 0.0, f64::NAN].map(|score| normal.p_value(score)), [0.2, 0.4, 0.8, 1.0, 0.2]);
        assert_eq!([3.0, 2.0, 1.0].map(|score| normal.p_value_of_own(score)), [0.25, 0.75, 1.0]);
    }

    #[test]
    fn false_alarms_are_as_rare_as_they_are_said_to_be() {
        let mut rng = generator(3, *b"tests\0\0\0");
        let mut draw = |n: usize| -> Vec<f64> { (0..n).map(|_| rng.random::<f64>().powi(3)).collect() };
        // A hundred calibrations by 99 rows each, twenty new rows for each of them: of 2,000 p-values, a tenth is at most 0.1.
        let alarms: usize = (0..100)
            .map(|_| {
                let normal = NormalScores::new(draw(99));
                draw(20).into_iter().filter(|&score| normal.p_value(score) <= 0.1).count()
            })
            .sum();
        // Rows of one calibration share its luck: the standard deviation is √(2000·0.09·(1 + 19/100)) = 14.6.
        assert!((150..=250).contains(&alarms), "{alarms} of 2000");
    }
}
