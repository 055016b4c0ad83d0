//! AdamW.

use std::sync::Arc;

use super::adam::{Adam, BETA1, BETA2, EPSILON};
use super::{Optimiser, Pass, Work};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};

/// Adam, from weights that were first multiplied by 1 − αλ, whatever their gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
struct AdamW {
    adam: Adam,
    decay: f64,
}

pub(super) static PIECE: Piece<dyn Optimiser> = Piece {
    about: About {
        kind: Kind::Optimiser,
        id: "adamw",
        aliases: &[],
        name: "Adam with decoupled weight decay",
        formula: "θ ← (1 − αλ)θ − α m̂/(√v̂ + ε)",
        source: "Loshchilov & Hutter 2019, algorithm 2",
        settings: &[
            BETA1,
            BETA2,
            EPSILON,
            Setting {
                name: "decay",
                default: Usual::Number(0.01),
                bounds: Bounds::NotNegative,
                meaning: "λ, the share of every parameter that a learning rate of 1 would take off it",
            },
        ],
        example: "elbo train --optimiser adamw:decay=0.05",
    },
    build: |settings| {
        let [beta1, beta2, epsilon] = ["beta1", "beta2", "epsilon"].map(|name| settings.get(name) as f32);
        Arc::new(AdamW { adam: Adam { beta1, beta2, epsilon }, decay: settings.get("decay") })
    },
};

impl Optimiser for AdamW {
    fn id(&self) -> &'static str {
        PIECE.about.id
    }

    fn state(&self) -> &'static [&'static str] {
        self.adam.state()
    }

    fn scalars(&self) -> &'static [&'static str] {
        &["step_size", "correction", "decay"]
    }

    fn values(&self, learning_rate: f64, t: u64) -> [f64; 3] {
        let [step_size, correction, _] = self.adam.values(learning_rate, t);
        [step_size, correction, learning_rate * self.decay]
    }

    fn constants(&self) -> [f32; 3] {
        self.adam.constants()
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../../../shaders/optimisers/adamw.wgsl")
    }

    fn work(&self) -> Work {
        Work::new(13.0, 2.0)
    }

    fn descend(&self, pass: Pass) -> f32 {
        let (adam, [alpha, c, decay]) = (self.adam, pass.scalars);
        pass.apply(
            #[inline(always)]
            |theta, moments, g| adam.step(theta - decay * theta, moments, g, [alpha, c]),
        )
    }
}
