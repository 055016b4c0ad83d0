//! Adam.

use std::sync::Arc;

use super::{Optimiser, Pass, Work};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};

/// m ← β₁m + (1 − β₁)g,  v ← β₂v + (1 − β₂)g²,  θ ← θ − α̂·m / (√v·ĉ + ε), with α̂ = α/(1 − β₁ᵗ) and ĉ = 1/√(1 − β₂ᵗ).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Adam {
    pub beta1: f32,
    pub beta2: f32,
    pub epsilon: f32,
}

/// β₁, β₂ and ε, as Adam and what is derived from it take them.
pub(super) const BETA1: Setting = Setting {
    name: "beta1",
    default: Usual::Number(0.9),
    bounds: Bounds::Below(1.0),
    meaning: "β₁, decay of the mean of g",
};
pub(super) const BETA2: Setting = Setting {
    name: "beta2",
    default: Usual::Number(0.999),
    bounds: Bounds::Below(1.0),
    meaning: "β₂, decay of the mean of g²",
};
pub(super) const EPSILON: Setting = Setting {
    name: "epsilon",
    default: Usual::Number(1e-8),
    bounds: Bounds::Positive,
    meaning: "ε, added to the denominator",
};

pub(super) static PIECE: Piece<dyn Optimiser> = Piece {
    about: About {
        kind: Kind::Optimiser,
        id: "adam",
        aliases: &[],
        name: "Adam: steps by running means of the gradient and of its square",
        formula: "θ ← θ − α m̂/(√v̂ + ε), m and v being running means of g and g²",
        source: "Kingma & Ba 2015, algorithm 1",
        settings: &[BETA1, BETA2, EPSILON],
        example: "elbo train --optimiser adam:beta1=0.5",
    },
    build: |settings| {
        let [beta1, beta2, epsilon] = ["beta1", "beta2", "epsilon"].map(|name| settings.get(name) as f32);
        Arc::new(Adam { beta1, beta2, epsilon })
    },
};

/// 1 − βᵗ, of the decay rate that devices hold, in f32: of 0.999 itself, 1 − β would differ from theirs by 1.3e-5.
pub(super) fn decayed(beta: f32, t: u64) -> f64 {
    1.0 - libm::pow(f64::from(beta), t as f64)
}

impl Optimiser for Adam {
    fn id(&self) -> &'static str {
        PIECE.about.id
    }

    fn state(&self) -> &'static [&'static str] {
        &["first", "second"]
    }

    fn scalars(&self) -> &'static [&'static str] {
        &["step_size", "correction"]
    }

    fn values(&self, learning_rate: f64, t: u64) -> [f64; 3] {
        [learning_rate / decayed(self.beta1, t), 1.0 / decayed(self.beta2, t).sqrt(), 0.0]
    }

    fn constants(&self) -> [f32; 3] {
        [self.beta1, self.beta2, self.epsilon]
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../../../shaders/optimisers/adam.wgsl")
    }

    fn work(&self) -> Work {
        Work::new(11.0, 2.0)
    }

    fn descend(&self, pass: Pass) -> f32 {
        let (adam, [alpha, c, _]) = (*self, pass.scalars);
        pass.apply(
            #[inline(always)]
            |theta, moments, g| adam.step(theta, moments, g, [alpha, c]),
        )
    }
}

impl Adam {
    /// A parameter and its moments after a step with α̂ and ĉ.
    #[inline(always)]
    pub(super) fn step(self, theta: f32, [m, v]: [f32; 2], g: f32, [alpha, c]: [f32; 2]) -> (f32, [f32; 2]) {
        let m = self.beta1 * m + (1.0 - self.beta1) * g;
        let v = self.beta2 * v + (1.0 - self.beta2) * g * g;
        (theta - alpha * m / (v.sqrt() * c + self.epsilon), [m, v])
    }
}
