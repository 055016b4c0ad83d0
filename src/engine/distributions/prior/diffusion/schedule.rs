//! The cosine schedule: how much of a code is left after so many steps of noise.
//!
//! ᾱ_t = f(t)/f(0), f(t) = cos²((t/T + s)/(1 + s) · π/2), β_t = min(1 − ᾱ_t/ᾱ_{t−1}, 0.999) (Nichol & Dhariwal 2021, equation 17), which limits
//! the last step alone. With θ_t = (T − t)/T · π/2/(1 + s), f(t) is sin² θ_t, and since sin² a − sin² b = sin(a + b) sin(a − b), what is
//! small is a product of what is small, and not lost in a difference.

use crate::graph::Tensor;

/// s, which keeps the first steps from being too small.
const OFFSET: f64 = 0.008;
/// The most that β is.
const MOST: f64 = 0.999;

/// The schedule of so many steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    /// T.
    pub steps: usize,
}

/// What a step is, numbers or tensors of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level<T> {
    /// ᾱ_t, the share of a code's variance that is left.
    pub kept: T,
    /// 1 − ᾱ_t, the share that is noise.
    pub noise: T,
    /// ᾱ_{t−1}.
    pub kept_before: T,
    /// β_t, the variance that the step adds.
    pub beta: T,
}

impl Schedule {
    /// Turns by which θ falls in a step.
    fn turn(self) -> f64 {
        0.25 / (1.0 + OFFSET) / self.steps as f64
    }

    /// The step t, from 1 to T.
    pub fn level(self, t: usize) -> Level<f64> {
        let sine = |steps: usize| libm::sin(std::f64::consts::TAU * self.turn() * steps as f64);
        let (steps, all) = (self.steps, sine(self.steps) * sine(self.steps));
        let kept = |t: usize| sine(steps - t) * sine(steps - t) / all;
        let before = kept(t - 1);
        if t == steps {
            return Level {
                kept: (1.0 - MOST) * before,
                noise: 1.0 - (1.0 - MOST) * before,
                kept_before: before,
                beta: MOST,
            };
        }
        let step = sine(2 * (steps - t) + 1) * sine(1) / (sine(steps - t + 1) * sine(steps - t + 1));
        Level { kept: kept(t), noise: sine(2 * steps - t) * sine(t) / all, kept_before: before, beta: step }
    }

    /// The steps that a tensor holds, whole numbers from 1 to T.
    pub fn levels<'g>(self, t: Tensor<'g>) -> Level<Tensor<'g>> {
        let (graph, steps) = (t.graph(), self.steps as f32);
        let sine = |steps: Tensor<'g>| (steps * self.turn() as f32).sin_turns();
        let all = sine(graph.constant(steps)).square();
        let left = steps - t;
        let is_before_last = t.less(graph.constant(steps));
        let kept_before = sine(left + 1.0).square() / all;
        let last = kept_before * (1.0 - MOST) as f32;
        let step = sine(left * 2.0 + 1.0) * sine(graph.constant(1.0)) / sine(left + 1.0).square();
        Level {
            kept: is_before_last.select(sine(left).square() / all, last),
            noise: is_before_last.select(sine(left + steps) * sine(t) / all, 1.0 - last),
            kept_before,
            beta: is_before_last.select(step, graph.constant(MOST as f32)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::graph::eval::{Values, evaluate};

    /// ᾱ_0, …, ᾱ_T as the paper says it, for another s as well.
    fn kept(steps: usize, s: f64) -> Vec<f64> {
        let f = |t: usize| ((t as f64 / steps as f64 + s) / (1.0 + s) * std::f64::consts::FRAC_PI_2).cos().powi(2);
        let mut kept = vec![1.0];
        for t in 1..=steps {
            let beta = (1.0 - f(t) / f(t - 1)).min(0.999);
            kept.push(kept[t - 1] * (1.0 - beta));
        }
        kept
    }

    fn far(level: Level<f64>, kept: &[f64], t: usize) -> f64 {
        let beta = 1.0 - kept[t] / kept[t - 1];
        let pairs =
            [(level.kept, kept[t]), (level.noise, 1.0 - kept[t]), (level.kept_before, kept[t - 1]), (level.beta, beta)];
        pairs.iter().map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn levels_are_those_of_the_paper() {
        // By hand, T = 2: f(0) = cos²(0.00793651·π/2) = 0.999845, f(1) = cos²(0.503968·π/2) = 0.493766.
        let half = Schedule { steps: 2 }.level(1);
        assert!((half.kept - 0.493_766 / 0.999_845).abs() < 2e-6, "{half:?}");
        for steps in [1, 2, 3, 10, 100, 1000] {
            let (right, wrong) = (kept(steps, 0.008), kept(steps, 0.02));
            let (graph, schedule) = (Graph::new(), Schedule { steps });
            let levels = schedule.levels(graph.coordinate(0, &[steps, 1]) + 1.0);
            let tensors = [levels.kept, levels.noise, levels.kept_before, levels.beta];
            let of_graph = evaluate(&Values::default(), &tensors);
            let mut wrong_by = 0.0_f64;
            for t in 1..=steps {
                let of = |which: usize| of_graph[which].get(t - 1).copied().unwrap_or(of_graph[which][0]);
                let in_graph = Level { kept: of(0), noise: of(1), kept_before: of(2), beta: of(3) };
                let (by_host, by_graph) = (far(schedule.level(t), &right, t), far(in_graph, &right, t));
                assert!(by_host < 1e-8 && by_graph < 1e-4, "{steps} steps, {t}: {by_host:e}, {by_graph:e}");
                wrong_by = wrong_by.max(far(schedule.level(t), &wrong, t));
            }
            assert!(steps == 1 || wrong_by > 1e-2, "another offset is told apart: {wrong_by:e}");
        }
    }
}
