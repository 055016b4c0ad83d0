//! Capacity annealing: codes are held to say C nats, and C grows.

use std::sync::Arc;

use super::{Inference, Loss, Objective};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};

/// The scalar C of a step, in nats.
const CAPACITY: &str = "capacity";

/// E_q\[−ln p(x | z)\] + γ·|E_batch\[KL\] − C|.
#[derive(Clone, Copy, Debug)]
pub struct Capacity {
    gamma: f32,
    capacity: f64,
    epochs: f64,
}

pub(super) static PIECE: Piece<dyn Objective> = Piece {
    about: About {
        kind: Kind::Objective,
        id: "capacity",
        aliases: &["burgess"],
        name: "capacity annealing: the KL is held at C nats, and C grows",
        formula: "−E_q[ln p(x|z)] + γ |E_batch[KL(q(z|x) ‖ p(z))] − C|",
        source: "Burgess et al. 2018, equation 8; --beta has no part in it",
        settings: &[
            Setting { name: "gamma", default: Usual::Number(1000.0), bounds: Bounds::NotNegative, meaning: "γ" },
            Setting {
                name: "nats",
                default: Usual::Number(25.0),
                bounds: Bounds::NotNegative,
                meaning: "C at its end, in nats",
            },
            Setting {
                name: "epochs",
                default: Usual::Number(20.0),
                bounds: Bounds::NotNegative,
                meaning: "epochs over which C grows linearly from 0",
            },
        ],
        example: "elbo train --objective capacity:gamma=100,nats=25,epochs=20",
    },
    build: |settings| {
        let (gamma, capacity, epochs) = (settings.get("gamma"), settings.get("nats"), settings.get("epochs"));
        Arc::new(Capacity { gamma: gamma as f32, capacity, epochs })
    },
};

impl Objective for Capacity {
    fn couples_rows(&self) -> bool {
        true
    }

    fn uses_beta(&self) -> bool {
        false
    }

    fn loss<'g>(&self, inference: &Inference<'_, 'g>) -> Loss<'g> {
        let kl = inference.batch_mean(inference.kl_of_rows());
        let penalty = (kl - kl.graph().scalar(CAPACITY)).abs() * self.gamma;
        Loss::new(inference.reconstruction() + inference.in_every_row(penalty))
    }

    fn scalar(&self, name: &str, epochs: f64) -> Option<f64> {
        let along = if self.epochs > 0.0 { (epochs / self.epochs).min(1.0) } else { 1.0 };
        (name == CAPACITY).then_some(self.capacity * along)
    }
}
