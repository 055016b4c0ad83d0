//! A diffusion prior: codes are what is left when noise is taken off step by step.
//!
//! Forward, z_t = √(1 − β_t) z_{t−1} + √β_t ε turns a code z_0 into noise, z_t ~ N(√ᾱ_t z_0, 1 − ᾱ_t). Backward,
//! p(z_{t−1} | z_t) = N(μ_t, β_t) with
//!
//! ```text
//! μ_t = (z_t − β_t/√(1 − ᾱ_t) ε_θ(z_t, t))/√(1 − β_t)                           Ho et al. 2020, equation 11
//! ε_θ = √(1 − ᾱ_t) z_t + √ᾱ_t v_θ(z_t, t)                                       Salimans & Ho 2022, section 4: "v"
//! ```
//!
//! so that v = 0, as the network starts, is the noise of codes that are N(0, I) already, and only what codes differ from that by is learnt (as
//! in Vahdat et al. 2021, section 3.2). Codes are standardised: mean and deviation of each dimension are those of some codes.
//!
//! Fitted by itself, it minimises E ‖ε − ε_θ(z_t, t)‖² over steps and noise (Ho et al. 2020, equation 14). ln p(z) is no closed form. What stands for it
//! is ln w of a path z_1, …, z_T that is drawn forward,
//!
//! ```text
//! w = p(z_T) Π_t p(z_{t−1} | z_t)/q(z_t | z_{t−1})
//! ln w = ln N(z_0; 0, I) − Σ_t (c_t (z_{t−1} − √(1 − β_t) z_t)·v_θ + ½ β_t c_t² ‖v_θ‖²),  c_t = √ᾱ_{t−1}/√(1 − ᾱ_t)
//! ```
//!
//! whose mean is the bound −(L_T + Σ L_t + L_0) ≤ ln p(z) (equation 3), and E\[w\] is p(z), so that what is estimated with it by importance weights
//! stays a bound that gets tight. The second line is the first with q(z_t | z_{t−1}) turned round by N(z; 0, I), which the forward steps leave as it
//! is. All steps of a path are one call of the network.

mod denoiser;
mod schedule;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::denoiser::{Denoiser, SCOPE};
use self::schedule::{Level, Schedule};
use super::{Code, Encoder, Fitting, Points, Prior, standard};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::error::Result;
use crate::graph::{Graph, Init, Tensor};

/// So many steps of noise, with a network that takes it off.
#[derive(Clone, Copy, Debug)]
struct Diffusion {
    schedule: Schedule,
    denoiser: Denoiser,
    /// Steps of a deterministic draw; 0 for ancestral ones.
    ddim: usize,
}

pub(super) static PIECE: Piece<dyn Prior> = Piece {
    about: About {
        kind: Kind::Prior,
        id: "diffusion",
        aliases: &["latent-diffusion", "ddpm"],
        name: "latent diffusion: noise is taken off step by step by a learnt network; ln p(z) is a bound",
        formula: "z_t = √ᾱ_t z_0 + √(1−ᾱ_t) ε, fitted by E‖ε − ε_θ(z_t, t)‖²; ln p(z) ≥ −(L_T + Σ_t L_t + L_0)",
        source: "Ho, Jain & Abbeel 2020; Nichol & Dhariwal 2021, equation 17; Vahdat, Kreis & Kautz 2021; DDIM: Song, Meng & Ermon 2021",
        settings: &[
            Setting {
                name: "steps",
                default: Usual::Number(100.0),
                bounds: Bounds::Whole(1, 1000),
                meaning: "T, steps of noise; a draw takes as many calls of the network, and ln p(z) of a code as well, all at once: memory grows with T",
            },
            Setting {
                name: "hidden",
                default: Usual::Number(128.0),
                bounds: Bounds::Whole(1, 8192),
                meaning: "units of every layer of the network",
            },
            Setting {
                name: "layers",
                default: Usual::Number(3.0),
                bounds: Bounds::Whole(1, 64),
                meaning: "residual blocks of two layers each",
            },
            Setting {
                name: "ddim",
                default: Usual::Number(0.0),
                bounds: Bounds::Whole(0, 1000),
                meaning: "steps of a draw that adds no noise on the way (DDIM), T where it is more; 0 draws from the density itself, in T steps",
            },
        ],
        example: "elbo fit-prior runs/vae-mnist --prior diffusion:steps=100 --epochs 50",
    },
    build: |settings| {
        let steps = settings.whole("steps");
        Arc::new(Diffusion {
            schedule: Schedule { steps },
            denoiser: Denoiser { hidden: settings.whole("hidden"), layers: settings.whole("layers") },
            ddim: settings.whole("ddim").min(steps),
        })
    },
};

impl Diffusion {
    /// Mean and ln of the standard deviation of each dimension, by which codes are standardised `[1, latent]`.
    fn scaling(graph: &Graph, latent: usize) -> [Tensor<'_>; 2] {
        ["prior.center", "prior.log_deviation"].map(|name| graph.state(name, &[1, latent], Init::Constant(0.0)))
    }

    /// Codes `[n, latent]`, standardised, and ln of what that makes of their density `[1, 1]`.
    fn standardised<'g>(z: Tensor<'g>) -> [Tensor<'g>; 2] {
        let [center, log_deviation] = Diffusion::scaling(z.graph(), z.width());
        [(z - center) * (-log_deviation).exp(), -log_deviation.sum_rows()]
    }

    /// v of codes that are noisy by the same step `[n, latent]`.
    fn v_at<'g>(self, z: Tensor<'g>, t: usize) -> Tensor<'g> {
        self.denoiser.v(self.schedule, z, z.graph().full(t as f32, &[1, 1]))
    }

    /// ‖ε − ε_θ(z_t, t)‖² of standardised codes, at a step and with noise that are drawn. `[n, 1]`
    fn denoising_loss<'g>(self, z: Tensor<'g>) -> Tensor<'g> {
        let (graph, [n, _]) = (z.graph(), z.dims());
        let steps = self.schedule.steps as f32;
        let t = ((graph.uniform(graph.stream(), &[n, 1]) * steps).floor() + 1.0).minimum(graph.constant(steps));
        let eps = graph.normal(graph.stream(), z.shape());
        self.denoising_loss_at(z, t, eps)
    }

    /// The same at steps t `[n, 1]` with noise ε `[n, latent]`.
    fn denoising_loss_at<'g>(self, z: Tensor<'g>, t: Tensor<'g>, eps: Tensor<'g>) -> Tensor<'g> {
        let Level { kept, noise, .. } = self.schedule.levels(t);
        let (kept, noise) = (kept.sqrt(), noise.sqrt());
        let noisy = kept * z + noise * eps;
        let found = noise * noisy + kept * self.denoiser.v(self.schedule, noisy, t);
        (eps - found).square().sum_rows()
    }

    /// The levels of all steps, along an axis of a shape.
    fn levels<'g>(self, graph: &'g Graph, axis: usize, shape: &[usize]) -> Level<Tensor<'g>> {
        self.schedule.levels(graph.coordinate(axis, shape) + 1.0)
    }

    /// z_1, …, z_T of standardised codes and noise `[n, latent·T]`. `[n, T, latent]`
    fn path<'g>(self, z: Tensor<'g>, noise: Tensor<'g>) -> Tensor<'g> {
        let (graph, [n, latent], steps) = (z.graph(), z.dims(), self.schedule.steps);
        // z_t/√ᾱ_t is z_0 and the noise up to there, √(β_s/ᾱ_s) ε_s: one product.
        let step = self.levels(graph, 0, &[steps, 1]);
        let (from, to) = (graph.coordinate(0, &[steps, steps]), graph.coordinate(1, &[steps, steps]));
        let sums = (1.0 - to.less(from)) * (step.beta / step.kept).sqrt();
        let noise = noise.reshape(&[n * latent, steps]).matmul(sums).reshape(&[n, latent, steps]);
        let path = (z.reshape(&[n, latent, 1]) + noise) * self.levels(graph, 2, &[1, 1, steps]).kept.sqrt();
        path.permute(&[0, 2, 1])
    }

    /// ln w of standardised codes, for the path that noise `[n, latent·T]` makes. `[n, 1]`
    fn log_weight<'g>(self, z: Tensor<'g>, noise: Tensor<'g>) -> Tensor<'g> {
        let (graph, [n, latent], steps) = (z.graph(), z.dims(), self.schedule.steps);
        let path = self.path(z, noise);
        let start = z.reshape(&[n, 1, latent]);
        let before = match steps {
            1 => start,
            _ => graph.concat(&[start, path.slice(1, 0, steps - 1)], 1),
        };
        let t = (graph.coordinate(1, &[n, steps, 1]) + 1.0).reshape(&[n * steps, 1]);
        let v = self.denoiser.v(self.schedule, path.reshape(&[n * steps, latent]), t).reshape(&[n, steps, latent]);
        let Level { noise, kept_before, beta, .. } = self.levels(graph, 1, &[1, steps, 1]);
        let pull = (kept_before / noise).sqrt();
        let residual = before - path * (1.0 - beta).sqrt();
        let gains = residual * pull * v + v.square() * (beta * pull.square() * 0.5);
        standard(z) - gains.sum(&[1, 2]).reshape(&[n, 1])
    }

    /// Standardised codes of z_T, noise added at every step: draws of the density. `v` is told noisy codes and their step.
    fn ancestral<'g>(self, noise: Tensor<'g>, v: impl Fn(Tensor<'g>, usize) -> Tensor<'g>) -> Tensor<'g> {
        let graph = noise.graph();
        (1..=self.schedule.steps).rev().fold(noise, |z, t| {
            let beta = self.schedule.level(t).beta;
            let eps = graph.normal(graph.stream(), z.shape());
            self.mean_before(z, v(z, t), t) + eps * beta.sqrt() as f32
        })
    }

    /// μ_t, the mean of z_{t−1} given z_t and v.
    fn mean_before<'g>(self, z: Tensor<'g>, v: Tensor<'g>, t: usize) -> Tensor<'g> {
        let level = self.schedule.level(t);
        let pull = (level.kept_before / level.noise).sqrt();
        z * (1.0 - level.beta).sqrt() as f32 - v * (level.beta * pull) as f32
    }

    /// Standardised codes of z_T, in fewer steps without noise (Song, Meng & Ermon 2021, equation 12 with σ = 0): each says which code and which
    /// noise z_t is, and mixes them anew.
    fn deterministic<'g>(self, noise: Tensor<'g>, v: impl Fn(Tensor<'g>, usize) -> Tensor<'g>) -> Tensor<'g> {
        let steps = self.schedule.steps;
        let times = |i: usize| i * steps / self.ddim;
        (1..=self.ddim).rev().fold(noise, |z, i| {
            let level = self.schedule.level(times(i));
            let v = v(z, times(i));
            let [kept, noise] = [level.kept, level.noise].map(|share| share.sqrt() as f32);
            let code = z * kept - v * noise;
            match times(i - 1) {
                0 => code,
                before => {
                    let eps = z * noise + v * kept;
                    let Level { kept, noise, .. } = self.schedule.level(before);
                    code * kept.sqrt() as f32 + eps * noise.sqrt() as f32
                }
            }
        })
    }
}

impl Prior for Diffusion {
    /// Mean and deviation of the codes.
    fn data_dependent_init(&self, points: &Points) -> Result<Vec<(&'static str, Vec<f32>)>> {
        let [mean, variance] = points.moments();
        let narrow = |values: Vec<f64>| values.iter().map(|&v| v as f32).collect();
        let log_deviation = variance.into_iter().map(|variance| 0.5 * libm::log(variance)).collect();
        Ok(vec![("prior.center", narrow(mean)), ("prior.log_deviation", narrow(log_deviation))])
    }

    fn fit_loss<'g>(&self, Code { z, .. }: Code<'g>, _: &Encoder) -> Option<Tensor<'g>> {
        let [z, _] = Diffusion::standardised(z);
        z.graph().is_trained(SCOPE).then(|| self.denoising_loss(z))
    }

    fn fitting(&self) -> Fitting {
        Fitting { learning_rate: 0.001, loss: "denoising loss" }
    }

    fn note_on_likelihood(&self) -> Option<&'static str> {
        Some(
            "The prior is a diffusion, and ln p(z) stands for a lower bound of it, -(L_T + sum L_t + L_0), estimated by one path of noise a code: the \
             ELBO is a looser bound than with a density in closed form, and -ln p(x) by importance samples stays an upper one.",
        )
    }

    fn log_prob<'g>(&self, Code { z, .. }: Code<'g>, _: &Encoder) -> Tensor<'g> {
        let (graph, [n, latent]) = (z.graph(), z.dims());
        let [z, log_scale] = Diffusion::standardised(z);
        let noise = graph.normal(graph.stream(), &[n, latent * self.schedule.steps]);
        self.log_weight(z, noise) + log_scale
    }

    fn sample<'g>(&self, graph: &'g Graph, rows: usize, latent: usize, _: &Encoder) -> Tensor<'g> {
        let [center, log_deviation] = Diffusion::scaling(graph, latent);
        let noise = graph.normal(graph.stream(), &[rows, latent]);
        let v = |z, t| self.v_at(z, t);
        let z = if self.ddim > 0 { self.deterministic(noise, v) } else { self.ancestral(noise, v) };
        z * log_deviation.exp() + center
    }
}
