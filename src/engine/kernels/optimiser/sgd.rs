//! Gradient descent with momentum.

use std::sync::Arc;

use super::{Optimiser, Pass, Work};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};

/// b ← μb + g,  θ ← θ − α·b.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sgd {
    momentum: f32,
}

pub(super) static PIECE: Piece<dyn Optimiser> = Piece {
    about: About {
        kind: Kind::Optimiser,
        id: "sgd",
        aliases: &["momentum"],
        name: "stochastic gradient descent with momentum",
        formula: "θ ← θ − α b, b = μb + g",
        source: "Polyak 1964; Sutskever et al. 2013, equations 1 and 2, with the step size taken out of b",
        settings: &[Setting {
            name: "momentum",
            default: Usual::Number(0.9),
            bounds: Bounds::Below(1.0),
            meaning: "μ, what remains of the last step; 0 for none",
        }],
        example: "elbo train --optimiser sgd:momentum=0.9 --learning-rate 0.01",
    },
    build: |settings| Arc::new(Sgd { momentum: settings.get("momentum") as f32 }),
};

impl Optimiser for Sgd {
    fn id(&self) -> &'static str {
        PIECE.about.id
    }

    fn state(&self) -> &'static [&'static str] {
        &["velocity"]
    }

    fn scalars(&self) -> &'static [&'static str] {
        &["learning_rate"]
    }

    fn values(&self, learning_rate: f64, _: u64) -> [f64; 3] {
        [learning_rate, 0.0, 0.0]
    }

    fn constants(&self) -> [f32; 3] {
        [self.momentum, 0.0, 0.0]
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../../../shaders/optimisers/sgd.wgsl")
    }

    fn work(&self) -> Work {
        Work::of(4.0)
    }

    fn descend(&self, pass: Pass) -> f32 {
        let (Sgd { momentum }, [alpha, ..]) = (*self, pass.scalars);
        pass.apply(
            #[inline(always)]
            |theta, [b], g| {
                let b = momentum * b + g;
                (theta - alpha * b, [b])
            },
        )
    }
}
