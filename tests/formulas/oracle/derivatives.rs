//! That the oracle's gradient is the derivative of its loss.

use super::cases::{Case, floats, greys, points};
use super::faults::Fault;
use super::random::Draws;
use super::run::Hand;

/// The largest difference of the gradient of a short batch from central differences, relative to the largest of those.
fn from_differences(case: &Case, fault: Option<Fault>) -> f64 {
    const WIDTH: f64 = 1e-5;
    let (settings, hand) = (&case.settings, Hand::new(&case.settings, fault));
    let order = case.train.shuffled(settings.seed, 0, None);
    let draws = Draws { seed: settings.seed, step: 0 };
    let batch = case.train.batch(settings.batch, &order, case.train.batches(settings.batch) - 1);
    let mut tensors = hand.network.start(settings.seed, None);
    let mut gradients = hand.network.zeros();
    hand.step(&tensors, &batch, 0.7, draws, &mut gradients);
    let (mut farthest, mut largest) = (0.0_f64, 0.0_f64);
    for (i, gradient) in gradients.iter().enumerate() {
        for (j, found) in gradient.iter().enumerate() {
            let start = tensors[i][j];
            let [above, below] = [start + WIDTH, start - WIDTH].map(|moved| {
                tensors[i][j] = moved;
                hand.step(&tensors, &batch, 0.7, draws, &mut hand.network.zeros()).terms[0]
            });
            tensors[i][j] = start;
            let slope = (above - below) / (2.0 * WIDTH);
            (farthest, largest) = (farthest.max((found - slope).abs()), largest.max(slope.abs()));
        }
    }
    farthest / largest
}

#[test]
fn the_gradient_by_hand_is_the_derivative_of_the_loss_by_hand() {
    for case in [greys(), floats(), points()] {
        let found = from_differences(&case, None);
        assert!(found < 1e-8, "{found:e}");
        if case.settings.variational {
            let found = from_differences(&case, Some(Fault::KlForgetsVariance));
            assert!(found > 1e-3, "a gradient that forgets a term is not seen ({found:e})");
        }
    }
}
