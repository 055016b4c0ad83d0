//! RMSprop.

use std::sync::Arc;

use super::adam::EPSILON;
use super::{Optimiser, Pass, Work};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};

/// v ← ρv + (1 − ρ)g²,  θ ← θ − α·g / (√v + ε).
#[derive(Clone, Copy, Debug, PartialEq)]
struct RmsProp {
    rho: f32,
    epsilon: f32,
}

pub(super) static PIECE: Piece<dyn Optimiser> = Piece {
    about: About {
        kind: Kind::Optimiser,
        id: "rmsprop",
        aliases: &[],
        name: "RMSprop: gradients divided by the root of their running mean square",
        formula: "θ ← θ − α g/(√v + ε), v = ρv + (1 − ρ)g²",
        source: "Tieleman & Hinton 2012, lecture 6.5",
        settings: &[
            Setting {
                name: "rho",
                default: Usual::Number(0.99),
                bounds: Bounds::Below(1.0),
                meaning: "ρ, decay of the mean of g²",
            },
            EPSILON,
        ],
        example: "elbo train --optimiser rmsprop:rho=0.9",
    },
    build: |settings| Arc::new(RmsProp { rho: settings.get("rho") as f32, epsilon: settings.get("epsilon") as f32 }),
};

impl Optimiser for RmsProp {
    fn id(&self) -> &'static str {
        PIECE.about.id
    }

    fn state(&self) -> &'static [&'static str] {
        &["second"]
    }

    fn scalars(&self) -> &'static [&'static str] {
        &["learning_rate"]
    }

    fn values(&self, learning_rate: f64, _: u64) -> [f64; 3] {
        [learning_rate, 0.0, 0.0]
    }

    fn constants(&self) -> [f32; 3] {
        [self.rho, self.epsilon, 0.0]
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../../../shaders/optimisers/rmsprop.wgsl")
    }

    fn work(&self) -> Work {
        Work::new(7.0, 2.0)
    }

    fn descend(&self, pass: Pass) -> f32 {
        let (RmsProp { rho, epsilon }, [alpha, ..]) = (*self, pass.scalars);
        pass.apply(
            #[inline(always)]
            |theta, [v], g| {
                let v = rho * v + (1.0 - rho) * g * g;
                (theta - alpha * g / (v.sqrt() + epsilon), [v])
            },
        )
    }
}
