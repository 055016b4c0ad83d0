//! The Hamiltonian VAE: a code that the encoder gives is moved towards where p(x, z) is large, by Hamiltonian dynamics.
//!
//! With a momentum ρ₀ = γ/√β₀, γ ~ N(0, I), K leapfrog steps of size ε along ∇_z ln p(x, z), each followed by ρ ← ρ √(β_{k−1}/β_k) with β
//! rising to 1: the momentum cools. A step keeps volumes, and cooling multiplies them by β₀^{d/2}, so that
//! ln p(x) ≥ E[ln p(x, z_K) + ln N(ρ_K; 0, I) − ln q(z₀ | x) − ln N(γ; 0, I)] (Caterini, Doucet & Sejdinovic 2018, equation 9 and
//! algorithm 1). ε of each dimension and β₀ are learnt; the gradient of the bound holds second derivatives of ln p(x, z).

use super::checks::{check_each_by_itself, check_one_layer};
use super::{LabelUse, ModelConfig, ModelEntry, RowForm, Vae};
use crate::catalogue::{About, Bounds, Kind, Setting, Settings, Usual};
use crate::distributions::CodeSpace;
use crate::graph::{Init, Tensor};
use crate::problems::Problems;

/// The model `hamiltonian`.
pub(super) static ENTRY: ModelEntry = ModelEntry {
    about: About {
        kind: Kind::Model,
        id: "hamiltonian",
        aliases: &["hvae"],
        name: "Hamiltonian VAE: codes are moved along the gradient of ln p(x, z), by steps whose size is learnt",
        formula: "ln p(x) ≥ E[ln p(x,z_K) + ln N(ρ_K;0,I) − ln q(z_0|x) − ln N(γ;0,I)], leapfrog with cooling",
        source: "Caterini, Doucet & Sejdinovic 2018, algorithm 1, with the quadratic schedule of tempering",
        settings: &[
            Setting {
                name: "steps",
                default: Usual::Number(3.0),
                bounds: Bounds::Whole(1, 32),
                meaning: "K, leapfrog steps; each decodes once more",
            },
            Setting {
                name: "largest",
                default: Usual::Number(0.5),
                bounds: Bounds::Positive,
                meaning: "the largest step size ε, of which a tenth is where it starts",
            },
        ],
        example: "elbo train --model hamiltonian:steps=5 --data mnist",
    },
    labels: LabelUse::Ignored,
    is_variational: true,
    layers: None,
    stands_on_vae: false,
    quantises: false,
    explains_gaps: false,
    training: None,
    build: |config, form| {
        let plain = Vae::of(config, RowForm { condition: 0, ..form })?;
        Ok(Box::new(plain.moved_by(Dynamics::of(config.kind.settings()))))
    },
    check,
};

fn check(config: &ModelConfig, batch: usize, problems: &mut Problems) {
    check_one_layer(config, batch, problems);
    let Ok(parts) = config.parts() else { return };
    let (kind, objective) = (&config.kind, &config.objective.id);
    problems.note(
        parts.posterior.codes() != CodeSpace::Real,
        format!(
            "a model of `kind` {kind} moves codes that are real numbers, and `{}` gives others",
            config.posterior.id
        ),
    );
    problems.note(
        !parts.objective.needs().is_empty(),
        format!(
            "the objective `{objective}` asks for more of a posterior than codes that were moved have: use the objective `elbo` or `iwae`, or \
             train a vae"
        ),
    );
    check_each_by_itself(config, "moves each code", problems);
}

/// Leapfrog steps with cooling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dynamics {
    /// K.
    pub steps: usize,
    /// The largest step size.
    pub largest: f32,
}

/// Codes that were moved.
pub(super) struct Moved<'g> {
    /// z_K `[n, latent]`.
    pub z: Tensor<'g>,
    /// What that adds to ln q(z₀ | x): ln N(γ; 0, I) − ln N(ρ_K; 0, I), in nats. `[n, 1]`
    pub log_momentum: Tensor<'g>,
}

/// The scope of what is learnt.
const SCOPE: &str = "dynamics";

impl Dynamics {
    fn of(settings: Settings) -> Dynamics {
        Dynamics { steps: settings.whole("steps"), largest: settings.get("largest") as f32 }
    }

    /// ε of each dimension `[1, latent]`, between 0 and the largest, a tenth of it at the start.
    fn step_size<'g>(&self, z: Tensor<'g>) -> Tensor<'g> {
        let start = libm::logf(0.1 / 0.9);
        z.graph().param("step", &[1, z.width()], Init::Constant(start)).sigmoid() * self.largest
    }

    /// 1/√β_k after so many steps `[1, 1]`: from that of β₀ = σ(b) to 1 along a square (Caterini et al. 2018, section 3.3).
    fn spread<'g>(&self, z: Tensor<'g>, step: usize) -> Tensor<'g> {
        let start = z.graph().param("cold", &[1, 1], Init::Constant(2.0)).sigmoid().sqrt().recip();
        let along = step as f32 / self.steps as f32;
        start + (1.0 - start) * (along * along)
    }

    /// Moves codes `[n, latent]` along ln p(x, z), which `log_joint` gives of codes `[n, 1]`, from momenta γ ~ N(0, I) `[n, latent]`.
    pub(super) fn moved<'g>(
        &self,
        start: Tensor<'g>,
        gamma: Tensor<'g>,
        log_joint: impl Fn(Tensor<'g>) -> Tensor<'g>,
    ) -> Moved<'g> {
        let graph = start.graph();
        let (step, spreads): (Tensor, Vec<Tensor>) =
            graph.scope(SCOPE, || (self.step_size(start), (0..=self.steps).map(|k| self.spread(start, k)).collect()));
        let slope = |z: Tensor<'g>| log_joint(z).gradients(&[z])[0];
        let (mut z, mut momentum, mut along) = (start, gamma * spreads[0], slope(start));
        for k in 0..self.steps {
            let half = momentum + step * along * 0.5;
            z = z + step * half;
            along = slope(z);
            momentum = (half + step * along * 0.5) * (spreads[k + 1] / spreads[k]);
        }
        Moved { z, log_momentum: (momentum.square() - gamma.square()).sum_rows() * 0.5 }
    }
}
