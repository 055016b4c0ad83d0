//! Adam (Kingma and Ba 2015, algorithm 1), over gradients whose global norm is clipped (Pascanu, Mikolov and Bengio 2013,
//! algorithm 1).

use super::faults::Fault;
use super::network::Tensors;
use super::settings::{Settings, held};

/// Parameters and their moments.
pub struct Adam {
    /// θ.
    pub parameters: Tensors,
    /// m.
    pub first: Tensors,
    /// v.
    pub second: Tensors,
}

/// The Euclidean norm of all numbers.
pub fn norm(tensors: &[Vec<f64>]) -> f64 {
    tensors.iter().flatten().map(|g| g * g).sum::<f64>().sqrt()
}

impl Adam {
    /// Step `t`, from 1, with step size `alpha`.
    pub fn step(&mut self, settings: &Settings, t: i32, alpha: f64, gradients: &Tensors, fault: Option<Fault>) {
        let [beta1, beta2] = settings.decays.map(held);
        let epsilon = held(settings.epsilon);
        let decays = if fault == Some(Fault::CorrectionUnrounded) { settings.decays } else { [beta1, beta2] };
        let [first, second] = match fault {
            Some(Fault::CorrectionOff) => [1.0; 2],
            _ => decays.map(|beta| 1.0 - beta.powi(t)),
        };
        let factor = |norm: f64| match settings.clip {
            Some(clip) if fault != Some(Fault::ClippingOff) => (held(clip) / norm).min(1.0),
            _ => 1.0,
        };
        let global = factor(norm(gradients));
        for (i, gradient) in gradients.iter().enumerate() {
            let own = fault == Some(Fault::ClippedByTensor);
            let factor = if own { factor(norm(std::slice::from_ref(gradient))) } else { global };
            for (j, g) in gradient.iter().enumerate() {
                let g = g * factor;
                let (m, v) = (&mut self.first[i][j], &mut self.second[i][j]);
                *m = beta1 * *m + (1.0 - beta1) * g;
                *v = beta2 * *v + (1.0 - beta2) * g * g;
                let divisor = match fault {
                    Some(Fault::EpsilonBeforeCorrection) => (v.sqrt() + epsilon) / second.sqrt(),
                    _ => (*v / second).sqrt() + epsilon,
                };
                self.parameters[i][j] -= alpha * (*m / first) / divisor;
            }
        }
    }
}
