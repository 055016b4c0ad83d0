//! Codes in memory, and what a prior that is to be fitted to them may want to know: their moments, and a mixture of Gaussians
//! that is about as good as any, by expectation maximisation (Dempster, Laird & Rubin 1977).

/// Codes in random order, with the examples that they are of.
#[derive(Clone, Copy, Debug)]
pub struct Points<'a> {
    /// The examples, as the encoder takes them `[n, features]`.
    pub inputs: &'a [f32],
    /// Their codes `[n, latent]`.
    pub codes: &'a [f32],
    /// Latent dimensions.
    pub latent: usize,
}

/// A mixture of Gaussians with diagonal covariances.
#[derive(Clone, Debug)]
pub(super) struct Gaussians {
    /// ln of the weights `[K]`.
    pub log_weights: Vec<f64>,
    /// `[K, latent]`.
    pub means: Vec<f64>,
    /// `[K, latent]`.
    pub variances: Vec<f64>,
}

/// Multiplications and exponentials that expectation maximisation may take, in all.
const WORK: usize = 1_000_000_000;
/// The most passes over the codes.
const PASSES: usize = 50;
/// The least part of the codes' variance that a component has, so that none falls onto a single code.
const LEAST: f64 = 1e-3;

impl Points<'_> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.codes.len() / self.latent
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The mean and the variance of each dimension.
    pub(super) fn moments(&self) -> [Vec<f64>; 2] {
        let mean_over = |value: &dyn Fn(usize, f64) -> f64| -> Vec<f64> {
            let mut sums = vec![0.0; self.latent];
            for row in self.codes.chunks_exact(self.latent) {
                sums.iter_mut().zip(row).enumerate().for_each(|(d, (sum, &z))| *sum += value(d, f64::from(z)));
            }
            sums.into_iter().map(|sum| sum / self.len() as f64).collect()
        };
        let mean = mean_over(&|_, z| z);
        let variance = mean_over(&|d, z| ((z - mean[d]) * (z - mean[d])).max(1e-12));
        [mean, variance]
    }

    /// A mixture fitted to them, which are at least as many as its components: first with the means at single codes and the
    /// variances of all of them, then moved uphill.
    pub(super) fn mixture(&self, components: usize) -> Gaussians {
        let [_, variance] = self.moments();
        let mut found = Gaussians {
            log_weights: vec![-libm::log(components as f64); components],
            means: self.codes[..components * self.latent].iter().map(|&z| f64::from(z)).collect(),
            variances: variance.repeat(components),
        };
        let passes = (WORK / (self.codes.len() * components)).clamp(1, PASSES);
        (0..passes).for_each(|_| self.climb(&mut found, &variance));
        found
    }

    /// One step of expectation maximisation.
    fn climb(&self, now: &mut Gaussians, variance: &[f64]) {
        let (latent, components) = (self.latent, now.log_weights.len());
        let precisions: Vec<f64> = now.variances.iter().map(|v| 1.0 / v).collect();
        let log_scales: Vec<f64> =
            now.variances.chunks_exact(latent).map(|v| v.iter().map(|v| libm::log(*v)).sum::<f64>()).collect();
        let (mut weights, mut sums) = (vec![0.0; components], vec![0.0; components * latent]);
        let mut squares = sums.clone();
        let mut joint = vec![0.0; components];
        for row in self.codes.chunks_exact(latent) {
            for (k, joint) in joint.iter_mut().enumerate() {
                let of = k * latent..(k + 1) * latent;
                let apart = row.iter().zip(&now.means[of.clone()]).map(|(&z, mean)| f64::from(z) - mean);
                let distance: f64 = apart.zip(&precisions[of]).map(|(apart, p)| apart * apart * p).sum();
                *joint = now.log_weights[k] - 0.5 * (distance + log_scales[k]);
            }
            let largest = joint.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = joint.iter().map(|l| libm::exp(l - largest)).sum();
            for (k, joint) in joint.iter().enumerate() {
                let share = libm::exp(joint - largest) / total;
                // Most codes belong to few components.
                if share < 1e-9 {
                    continue;
                }
                weights[k] += share;
                for (d, &z) in row.iter().enumerate() {
                    let z = f64::from(z);
                    sums[k * latent + d] += share * z;
                    squares[k * latent + d] += share * z * z;
                }
            }
        }
        for (k, &weight) in weights.iter().enumerate() {
            // One that no code belongs to stays where it is, and small.
            now.log_weights[k] = libm::log(weight.max(0.1) / self.len() as f64);
            if weight < 0.1 {
                continue;
            }
            for (d, whole) in variance.iter().enumerate() {
                let at = k * latent + d;
                let mean = sums[at] / weight;
                now.means[at] = mean;
                now.variances[at] = (squares[at] / weight - mean * mean).max(LEAST * whole);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Step;
    use crate::kernels::random::normal4;

    #[test]
    fn moments_by_hand() {
        // Means 4 and -2, far from 0; deviations of 1 and 3 to either side.
        let points = Points { inputs: &[], codes: &[3.0, 1.0, 5.0, -5.0], latent: 2 };
        assert_eq!(points.moments(), [vec![4.0, -2.0], vec![1.0, 9.0]]);
    }

    #[test]
    fn two_clusters_are_found() {
        let step = Step { seed: [4, 4], ..Step::default() };
        let code = |i: usize| {
            let eps = normal4(&step, 1, i as u32);
            // A quarter around (5, 0), the rest around (0, -3).
            if i.is_multiple_of(4) { [5.0 + 0.5 * eps[0], 0.1 * eps[1]] } else { [eps[0], -3.0 + 2.0 * eps[1]] }
        };
        let codes: Vec<f32> = (0..4000).flat_map(code).collect();
        let points = Points { inputs: &[], codes: &codes, latent: 2 };
        let found = points.mixture(2);
        let near = usize::from(found.means[0] < 2.5);
        let of = |k: usize| {
            let at = |v: &[f64]| [v[2 * k], v[2 * k + 1]];
            (found.log_weights[k].exp(), at(&found.means), at(&found.variances).map(f64::sqrt))
        };
        let close = |(w, m, s): (f64, [f64; 2], [f64; 2]), (v, n, t): (f64, [f64; 2], [f64; 2])| {
            (w - v).abs() < 0.02 && (0..2).all(|d| (m[d] - n[d]).abs() < 0.1 && (s[d] - t[d]).abs() < 0.1)
        };
        let (narrow, wide) = ((0.25, [5.0, 0.0], [0.5, 0.1]), (0.75, [0.0, -3.0], [1.0, 2.0]));
        assert!(close(of(near), narrow) && close(of(1 - near), wide), "{found:?}");
        assert!(!close(of(near), wide));
    }
}
