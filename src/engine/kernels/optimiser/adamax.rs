//! Adamax.

use std::sync::Arc;

use super::adam::{Adam, BETA1, BETA2, EPSILON, decayed};
use super::{Optimiser, Pass, Work};
use crate::catalogue::{About, Kind, Piece, Setting};

/// m ← β₁m + (1 − β₁)g,  u ← max(β₂u, |g|),  θ ← θ − (α/(1 − β₁ᵗ))·m / (u + ε).
///
/// The paper divides by u alone, which is 0 where no gradient ever was other than 0.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Adamax(Adam);

pub(super) static PIECE: Piece<dyn Optimiser> = Piece {
    about: About {
        kind: Kind::Optimiser,
        id: "adamax",
        aliases: &[],
        name: "Adam by the largest gradient of late instead of the mean square",
        formula: "θ ← θ − α/(1 − β₁ᵗ) m/(u + ε), u = max(β₂u, |g|)",
        source: "Kingma & Ba 2015, algorithm 2",
        settings: &[BETA1, Setting { meaning: "β₂, decay of the largest |g|", ..BETA2 }, EPSILON],
        example: "elbo train --optimiser adamax --learning-rate 0.002",
    },
    build: |settings| {
        let [beta1, beta2, epsilon] = ["beta1", "beta2", "epsilon"].map(|name| settings.get(name) as f32);
        Arc::new(Adamax(Adam { beta1, beta2, epsilon }))
    },
};

impl Optimiser for Adamax {
    fn id(&self) -> &'static str {
        PIECE.about.id
    }

    fn state(&self) -> &'static [&'static str] {
        &["first", "largest"]
    }

    fn scalars(&self) -> &'static [&'static str] {
        &["step_size"]
    }

    fn values(&self, learning_rate: f64, t: u64) -> [f64; 3] {
        [learning_rate / decayed(self.0.beta1, t), 0.0, 0.0]
    }

    fn constants(&self) -> [f32; 3] {
        self.0.constants()
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../../../shaders/optimisers/adamax.wgsl")
    }

    fn work(&self) -> Work {
        Work::new(9.0, 1.0)
    }

    fn descend(&self, pass: Pass) -> f32 {
        let (Adam { beta1, beta2, epsilon }, [alpha, ..]) = (self.0, pass.scalars);
        pass.apply(
            #[inline(always)]
            |theta, [m, u], g| {
                let m = beta1 * m + (1.0 - beta1) * g;
                let u = (beta2 * u).max(g.abs());
                (theta - alpha * m / (u + epsilon), [m, u])
            },
        )
    }
}
