//! Values that were not observed, which are NaN, and means in their place.

/// The mean of what was observed of each column of rows `[rows, columns]`; 0 where nothing was.
pub fn observed_means(rows: &[f32], columns: usize) -> Vec<f32> {
    let mut sums = vec![(0.0, 0usize); columns];
    for row in rows.chunks_exact(columns) {
        for ((sum, count), value) in sums.iter_mut().zip(row).filter(|(_, value)| !value.is_nan()) {
            *sum += f64::from(*value);
            *count += 1;
        }
    }
    sums.into_iter().map(|(sum, count)| (sum / count.max(1) as f64) as f32).collect()
}

/// Puts the mean of its column where a value was not observed.
pub fn fill_gaps(rows: &mut [f32], means: &[f32]) {
    for row in rows.chunks_exact_mut(means.len()) {
        row.iter_mut().zip(means).filter(|(value, _)| value.is_nan()).for_each(|(value, mean)| *value = *mean);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_observed_is_the_mean_of_what_was() {
        let mut rows = [1.0, f32::NAN, f32::NAN, 3.0, 5.0, f32::NAN, f32::NAN, 9.0, f32::NAN];
        let means = observed_means(&rows, 3);
        assert_eq!(means, [2.0, 7.0, 0.0]);
        fill_gaps(&mut rows, &means);
        assert_eq!(rows, [1.0, 7.0, 0.0, 3.0, 5.0, 0.0, 2.0, 9.0, 0.0]);
    }
}
