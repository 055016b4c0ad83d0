//! The gradient penalty, which holds a critic to slopes of 1.
//!
//! (‖∇_x̂ s(x̂)‖₂ − 1)², x̂ = ε x + (1 − ε) x̃ on the line between a real row and a made one, ε ~ U(0, 1) for each pair (Gulrajani et al.
//! 2017, equation 3). The gradient is a part of the graph, so that what is minimised holds a first derivative, and its own gradient the
//! second.

use super::{AdversarialLoss, Critic, LOSS};
use crate::graph::Tensor;
use crate::models::ModelConfig;
use crate::problems::Problems;

/// Added to the squared norm, whose root has no slope at 0.
const SMALL: f32 = 1e-12;

/// Notes the loss that needs the penalty, where a model does not have it.
pub(super) fn check_no_penalty(config: &ModelConfig, problems: &mut Problems) {
    problems.note(
        config.kind.settings().word::<AdversarialLoss>(LOSS.name) == AdversarialLoss::WganGp,
        format!(
            "the loss wgan-gp needs the gradient penalty, which a model of `kind` {} does not have: give another loss, or train a gan",
            config.kind.about.id
        ),
    );
}

/// The penalty between real rows and made ones, through neither of which a gradient flows; and the norm of the gradient that it is of.
/// `[rows, 1]` each. The critic must see each row by itself.
pub fn gradient_penalty<'g>(critic: &Critic, real: Tensor<'g>, made: Tensor<'g>) -> [Tensor<'g>; 2] {
    let graph = real.graph();
    let share = graph.uniform(graph.stream(), &[real.shape()[0], 1]);
    let between = real.detach() * share + made.detach() * (1.0 - share);
    let slope = critic.score(between).gradients(&[between])[0];
    let norm = (slope.square().sum_rows() + SMALL).sqrt();
    [(norm - 1.0).square(), norm]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::Shape;
    use crate::graph::Graph;
    use crate::graph::eval::{Values, evaluate};
    use crate::nn::{Activation, Mlp};

    fn critic(widths: Vec<usize>, activation: Activation) -> Critic {
        Critic::new(Shape::vector(3), Arc::new(Mlp::new(widths, activation)), false)
    }

    fn values(graph: &Graph) -> Values {
        let mut values = Values::default();
        for (place, spec) in graph.parameters().iter().enumerate() {
            values
                .tensors
                .insert(spec.name.clone(), spec.start(7, place).into_iter().map(|v| 2.0 * f64::from(v)).collect());
        }
        values.tensors.insert("x".into(), vec![0.5, -1.0, 2.0, 0.25, 0.0, 1.0]);
        values.tensors.insert("made".into(), vec![-0.5, 0.75, 1.0, 2.0, -1.0, 0.5]);
        values
    }

    /// Of s(x) = w·x + b the gradient is w wherever: (‖w‖ − 1)².
    #[test]
    fn of_a_linear_critic_it_is_known() {
        let (graph, critic) = (Graph::new(), critic(vec![], Activation::Tanh));
        let found = gradient_penalty(&critic, graph.input("x", &[2, 3]), graph.input("made", &[2, 3]));
        let mut values = values(&graph);
        values.tensors.insert("discriminator.head.weight".into(), vec![2.0, -3.0, 6.0]);
        let [penalty, norm] = <[_; 2]>::try_from(evaluate(&values, &found)).unwrap();
        assert!(norm.iter().all(|n| (n - 7.0).abs() < 1e-6) && penalty.iter().all(|p| (p - 36.0).abs() < 1e-5));
    }

    /// The gradient of the penalty, which holds second derivatives, against central differences, for every activation.
    #[test]
    fn its_gradient_is_that_of_the_second_derivative() {
        const H: f64 = 1e-4;
        for activation in Activation::ALL {
            let (graph, critic) = (Graph::new(), critic(vec![4, 3], activation));
            let [penalty, _] = gradient_penalty(&critic, graph.input("x", &[2, 3]), graph.input("made", &[2, 3]));
            let names: Vec<String> = graph.parameters().into_iter().map(|spec| spec.name).collect();
            let wrt: Vec<Tensor> = names.iter().map(|name| graph.parameter(name)).collect();
            let (gradients, values) = (penalty.gradients(&wrt), values(&graph));
            let found = evaluate(&values, &gradients);
            let at = |name: &str, i: usize, by: f64| {
                let mut moved = values.clone();
                moved.tensors.get_mut(name).unwrap()[i] += by;
                evaluate(&moved, &[penalty])[0].iter().sum::<f64>()
            };
            let mut moving = 0;
            for (name, found) in names.iter().zip(&found) {
                for (i, &found) in found.iter().enumerate() {
                    let slope = (8.0 * (at(name, i, H) - at(name, i, -H))
                        - (at(name, i, 2.0 * H) - at(name, i, -2.0 * H)))
                        / (12.0 * H);
                    assert!(
                        (found - slope).abs() < 1e-5 * slope.abs().max(1.0),
                        "{activation:?}, {name}[{i}]: {found}, {slope}"
                    );
                    moving += usize::from(slope.abs() > 1e-3);
                }
            }
            // The bias of the head has no part in a slope; most weights have.
            assert!(moving > 8, "{activation:?}: only {moving} parameters matter");
        }
    }
}
