use faer::Mat;

use super::*;

fn normal(rows: usize, dimensions: usize, stream: u32) -> Points {
    Points::standard_normal(rows, dimensions, 11, stream).unwrap()
}

/// Every value times `scale`, plus `shift`.
fn moved(points: &Points, scale: f32, shift: f32) -> Points {
    let values = points.iter().flatten().map(|value| value * scale + shift).collect();
    Points::new(values, points.dimensions()).unwrap()
}

fn kernels() -> [Kernel; 3] {
    [Kernel::Gaussian(vec![2.0]), Kernel::Gaussian(vec![0.5, 1.0, 4.0]), Kernel::InverseMultiquadratic(vec![8.0])]
}

#[test]
fn points_are_checked() {
    for (values, dimensions, words) in [
        (vec![1.0; 6], 0, "not two or more points"),
        (vec![1.0; 7], 3, "not two or more points"),
        (vec![1.0; 3], 3, "not two or more points"),
        (vec![0.0, 1.0, 2.0, f32::INFINITY], 2, "dimension 1 of point 1 is inf"),
    ] {
        let message = Points::new(values, dimensions).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
    let message = frechet_distance(&normal(9, 2, 0), &normal(9, 3, 0)).unwrap_err().to_string();
    assert!(message.contains("of 2 and of 3 dimensions"), "{message}");
    assert!(sliced_wasserstein(&normal(9, 2, 0), &normal(9, 3, 0), 4, 0).is_err());
    assert!(mmd(&normal(9, 2, 0), &normal(9, 3, 0), &kernels()[0], 0).is_err());
    assert!(mmd(&normal(9, 2, 0), &normal(3, 2, 0), &kernels()[0], 0).is_err());
    assert!(mmd(&normal(9, 2, 0), &normal(9, 2, 0), &Kernel::Gaussian(vec![0.0]), 0).is_err());
    let message = gaussian_kl(&normal(3, 3, 0)).unwrap_err().to_string();
    assert!(message.contains("3 points are too few"), "{message}");
}

#[test]
fn some_points_are_different_points() {
    let all = Points::new((0..100).map(|i| i as f32).collect(), 2).unwrap();
    let some = all.some(20, 3);
    let mut firsts: Vec<u32> = some.iter().map(|row| row[0] as u32).collect();
    assert!(some.iter().all(|row| row[0] % 2.0 == 0.0 && row[1] == row[0] + 1.0));
    firsts.sort_unstable();
    firsts.dedup();
    assert_eq!((firsts.len(), some.rows()), (20, 20));
    assert_eq!(all.some(50, 3), all);
}

#[test]
fn mmd_of_the_same_distribution_is_within_three_standard_errors_of_0() {
    for kernel in kernels() {
        let over = (0..100)
            .map(|i| mmd(&normal(200, 3, 2 * i), &normal(200, 3, 2 * i + 1), &kernel, 0).unwrap())
            .map(|found| found.value / found.standard_error.unwrap())
            .collect::<Vec<f64>>();
        let mean = over.iter().sum::<f64>() / 100.0;
        let spread = (over.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / 99.0).sqrt();
        // Neither biased, nor is the standard error far from the estimates' own spread.
        assert!(mean.abs() < 0.4 && (0.6..1.4).contains(&spread), "{kernel:?}: {mean} ± {spread}");
        assert!(over.iter().filter(|z| z.abs() > 3.0).count() <= 3);
    }
}

#[test]
fn mmd_sees_a_shift_and_a_scale() {
    for kernel in kernels() {
        for other in [moved(&normal(1000, 3, 1), 1.0, 0.5), moved(&normal(1000, 3, 1), 1.5, 0.0)] {
            let found = mmd(&normal(1000, 3, 0), &other, &kernel, 0).unwrap();
            assert!(found.value > 6.0 * found.standard_error.unwrap(), "{kernel:?}: {found:?}");
        }
    }
}

#[test]
fn mmd_agrees_with_the_closed_form_for_two_gaussians() {
    // E exp(−d²/2s²) for x − y ~ N(δ, v I): (s²/(s² + v))^{D/2} exp(−|δ|²/(2 (s² + v))); here v = 2, and |δ|² = 3·0.25.
    let s2: f64 = 4.0;
    let expected = 2.0 * (s2 / (s2 + 2.0)).powf(1.5) * (1.0 - (-0.75 / (2.0 * (s2 + 2.0))).exp());
    let found = mmd(&normal(2000, 3, 0), &moved(&normal(2000, 3, 1), 1.0, 0.5), &kernels()[0], 0).unwrap();
    assert!((found.value - expected).abs() < 3.0 * found.standard_error.unwrap(), "{found:?}, expected {expected}");
    assert!(found.standard_error.unwrap() < 0.15 * expected);
}

#[test]
fn the_median_distance_by_hand() {
    // Distances 1, 2, 3, 1, 2, 1.
    let [x, y] = [[0.0, 1.0], [2.0, 3.0]].map(|values| Points::new(values.into(), 1).unwrap());
    assert_eq!(median_distance(&x, &y, 0).unwrap(), 2.0);
    assert_eq!(median_distance(&moved(&x, 0.0, 1.0), &moved(&x, 0.0, 1.0), 0).unwrap(), 1.0);
}

/// Two dimensions of variance 1e-16: ½ Σ (λ − 1 − ln λ), however small they are.
#[test]
fn a_narrow_cloud_is_far_from_the_prior_but_not_infinitely() {
    let points = Points::new(
        [[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]].concat().iter().map(|x| x * 1e-8f32).collect(),
        2,
    );
    let found = gaussian_kl(&points.unwrap()).unwrap();
    let variance = 4.0 / 3.0 * 1e-16_f64;
    assert!((found - (variance - 1.0 - variance.ln())).abs() < 1e-6, "{found}");
}

#[test]
fn gaussian_kl_by_hand() {
    // Mean (1, 0), unbiased variances 4/3 · (1, 4), covariance 0.
    let points = Points::new(vec![2.0, 2.0, 2.0, -2.0, 0.0, 2.0, 0.0, -2.0], 2).unwrap();
    let (a, b): (f64, f64) = (4.0 / 3.0, 16.0 / 3.0);
    let expected = 0.5 * (a + b + 1.0 - 2.0 - (a * b).ln());
    assert!((gaussian_kl(&points).unwrap() - expected).abs() < 1e-12);
    // Of the prior's own draws: D(D + 3)/4n, with a standard deviation of √(D + D(D+1)/2)/(√2 n).
    let found = gaussian_kl(&normal(5000, 6, 0)).unwrap();
    assert!((found - 54.0 / 20_000.0).abs() < 4.0 * 27f64.sqrt() / (2f64.sqrt() * 5000.0), "{found}");
    let flat = Points::new((0..20).map(|i| (i / 2) as f32).collect(), 2).unwrap();
    assert_eq!(gaussian_kl(&flat).unwrap(), f64::INFINITY);
}

#[test]
fn frechet_distances_by_hand() {
    let moments =
        |mean: [f64; 2], c: [f64; 3]| Moments { mean: mean.into(), covariance: Mat::from_fn(2, 2, |i, j| c[i + j]) };
    let distance = |a: &Moments, b: &Moments| a.frechet_distance(b).unwrap();
    // Diagonal: Σ (mᵢ − mᵢ′)² + (sᵢ − sᵢ′)².
    let (a, b) = (moments([0.0, 1.0], [4.0, 0.0, 9.0]), moments([3.0, 1.0], [1.0, 0.0, 25.0]));
    assert!((distance(&a, &b) - (9.0 + 1.0 + 4.0)).abs() < 1e-12);
    // Covariances that do not commute. In two dimensions tr √M = √(tr M + 2 √det M), with M = S₁S₂.
    let (a, b) = (moments([0.0; 2], [2.0, 1.0, 1.0]), moments([0.0; 2], [1.0, -0.5, 3.0]));
    let (trace, determinant): (f64, f64) = (2.0 - 0.5 + -0.5 + 3.0, 1.0 * 2.75);
    let expected = 3.0 + 4.0 - 2.0 * (trace + 2.0 * determinant.sqrt()).sqrt();
    assert!((distance(&a, &b) - expected).abs() < 1e-12 && expected > 1.0);
    assert!((distance(&b, &a) - expected).abs() < 1e-12);
    assert!(distance(&a, &a) < 1e-12);
    // A covariance of rank 1: S₁ is its own square root up to √2, and M = S₁S₂ has the one eigenvalue (u·S₂u) λ.
    let (a, b) = (moments([0.0; 2], [1.0, 1.0, 1.0]), moments([0.0; 2], [1.0, -0.5, 3.0]));
    assert!((distance(&a, &b) - (2.0 + 4.0 - 2.0 * 3f64.sqrt())).abs() < 1e-7);
    // From samples.
    let found = frechet_distance(&normal(20_000, 3, 0), &moved(&normal(20_000, 3, 1), 2.0, 1.0)).unwrap();
    assert!((found - 6.0).abs() < 0.2, "{found}");
    assert!(frechet_distance(&normal(20_000, 3, 0), &normal(20_000, 3, 1)).unwrap() < 0.002);
}

#[test]
fn sliced_wasserstein_by_hand() {
    // Points at the origin and at distance 5 in 2 dimensions: 25 cos² of the angle, 12.5 on average over directions.
    let [x, y] = [[0.0; 4], [3.0, 4.0, 3.0, 4.0]].map(|values| Points::new(values.into(), 2).unwrap());
    let found = sliced_wasserstein(&x, &y, 20_000, 1).unwrap();
    assert!((found * found - 12.5).abs() < 0.2, "{found}");
    assert_eq!(sliced_wasserstein(&x, &x, 10, 1).unwrap(), 0.0);
    // Along every direction N(0, 4) lies 1 from N(0, 1).
    let found = sliced_wasserstein(&normal(10_000, 4, 0), &moved(&normal(8000, 4, 1), 2.0, 0.0), 64, 1).unwrap();
    assert!((found - 1.0).abs() < 0.02, "{found}");
    assert!(sliced_wasserstein(&normal(10_000, 4, 0), &normal(10_000, 4, 1), 64, 1).unwrap() < 0.04);
}

#[test]
fn every_distance_tells_the_prior_from_a_shift_and_from_a_collapse() {
    for distance in DISTANCES {
        let of = |points: &Points| distance.from_prior(points, 3).unwrap();
        let prior = of(&normal(2000, 4, 7));
        let shifted = of(&moved(&normal(2000, 4, 7), 1.0, 0.5));
        let narrow = of(&moved(&normal(2000, 4, 7), 0.5, 0.0));
        let clear = 4.0 * prior.of_prior.value.abs().max(prior.of_prior.standard_error.unwrap_or(0.0));
        assert!(prior.estimate.value < clear, "{prior:?}");
        assert!(shifted.estimate.value > clear && narrow.estimate.value > clear, "{shifted:?} {narrow:?}");
        assert_eq!(prior, of(&normal(2000, 4, 7)));
    }
    let mut ids: Vec<&str> = DISTANCES.iter().map(|distance| distance.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), DISTANCES.len());
}
