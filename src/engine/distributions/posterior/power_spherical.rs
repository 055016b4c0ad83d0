//! The power spherical distribution: codes on the unit sphere around a direction μ, p(z) ∝ (1 + μᵀz)^κ.
//!
//! It stands where the von Mises–Fisher distribution does in a hyperspherical VAE (Davidson et al. 2018), and needs neither Bessel functions
//! nor rejection. With t = μᵀz and x = (1 + t)/2, x ~ Beta(κ + β, β), β = (d − 1)/2, and across μ the code is uniform (De Cao & Aziz 2020,
//! theorem 1). Such a Beta is a product that is drawn exactly, and smoothly in κ, of uniforms u: Beta(a, 1) = u^{1/a}, Beta(a, b)·Beta(a + b, c)
//! = Beta(a, b + c), so that Beta(a, n) = Π_{i<n} u_i^{1/(a+i)}; where d is even a half is left, and Beta(a, ½) = 1/(1 + (e^{r²/2a} − 1)
//! n₁²/r²) of two standard normals, r² = n₁² + n₂², by Student's t of 2a degrees of freedom (Bailey 1994).
//!
//! ln q(z) = κ ln x − (d − 1) ln 2 − β ln π − ln B(κ + β, β) + ln Γ(β), and E[ln x] = ψ(κ + β) − ψ(κ + 2β), so that the KL from the uniform
//! distribution has a closed form.

use std::sync::Arc;

use super::{Draw, Posterior};
use crate::catalogue::{About, Kind, Piece};
use crate::distributions::CodeSpace;
use crate::distributions::prior::Prior;
use crate::distributions::special::ln_gamma;
use crate::distributions::sphere::{direction, ln_surface, reflected};
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

/// A direction, and how near to it codes are.
#[derive(Clone, Copy, Debug)]
struct PowerSpherical;

pub(super) static PIECE: Piece<dyn Posterior> = Piece {
    about: About {
        kind: Kind::Posterior,
        id: "power-spherical",
        aliases: &["hyperspherical"],
        name: "power spherical: codes on the unit sphere around a direction; goes with the prior uniform-sphere",
        formula: "q(z|x) ∝ (1 + μ(x)ᵀz)^κ(x), ‖z‖ = ‖μ‖ = 1, κ = 1 + ln(1 + eᵃ) up to 10⁴",
        source: "De Cao & Aziz 2020, in place of the von Mises-Fisher of Davidson et al. 2018",
        settings: &[],
        example: "elbo train --latent 3 --posterior power-spherical --prior uniform-sphere",
    },
    build: |_| Arc::new(PowerSpherical),
};

/// The largest κ: beyond it 32 bits hold too little of how far a code is from μ.
const MOST: f32 = 1e4;
/// 1 − x is no less than this, of which the root is taken.
const LEAST: f32 = 1e-7;
/// Pairs of terms of the alternating series that come before the asymptotic one.
const PAIRS: usize = 4;

/// β = (d − 1)/2 in whole parts, and whether a half is left.
fn parts_of_beta(latent: usize) -> (usize, bool) {
    ((latent - 1) / 2, latent.is_multiple_of(2))
}

fn beta(latent: usize) -> f64 {
    (latent as f64 - 1.0) / 2.0
}

/// Normals that a draw takes: a direction across μ, and two where a half is left.
fn normals(latent: usize) -> usize {
    latent - 1 + if parts_of_beta(latent).1 { 2 } else { 0 }
}

/// μ `[n, latent]` and κ `[n, 1]`.
fn split(outputs: Tensor) -> [Tensor; 2] {
    let latent = outputs.width() - 1;
    let kappa = outputs.slice(1, latent, 1).softplus() + 1.0;
    [direction(outputs.slice(1, 0, latent)), kappa.minimum(kappa.graph().constant(MOST))]
}

/// a, a + step, a + 2 step … `[n, count]` of a `[n, 1]`.
fn rising(a: Tensor, count: usize, step: f32) -> Tensor {
    a + a.graph().coordinate(1, &[a.shape()[0], count]) * step
}

/// ln x `[n, 1]` of x ~ Beta(a, β) with a `[n, 1]`, made of the noise of a draw.
fn log_beta_draw<'g>(a: Tensor<'g>, noise: Tensor<'g>, latent: usize) -> Tensor<'g> {
    let (whole, half) = parts_of_beta(latent);
    let product = (whole > 0).then(|| (noise.slice(1, normals(latent), whole).ln() / rising(a, whole, 1.0)).sum_rows());
    let rest = half.then(|| {
        let [first, second] = [noise.slice(1, latent - 1, 1), noise.slice(1, latent, 1)];
        let radius = (first.square() + second.square()).maximum(a.graph().constant(1e-6));
        let stretch = (radius * 0.5 / (a + whole as f32)).exp() - 1.0;
        -(stretch * (first.square() / radius) + 1.0).ln()
    });
    product.into_iter().chain(rest).reduce(|a, b| a + b).expect("a sphere has two dimensions or more")
}

/// ψ(y + ½) − ψ(y) for y ≥ ½ `[n, 1]`: with w = 2y twice the alternating sum Σ (−1)^j/(w + j), its tail by its asymptotic series.
fn half_step_of_digamma(y: Tensor) -> Tensor {
    let w = y * 2.0;
    let pairs = rising(w, PAIRS, 2.0);
    let near = (pairs * (pairs + 1.0)).recip().sum_rows() * 2.0;
    let r = (w + 2.0 * PAIRS as f32).recip();
    let s = r.square();
    let tail = s * ((s * (s * (s * (-17.0 / 8.0) + 0.5) - 0.25)) + 0.5);
    near + r + tail
}

/// E[ln x] = ψ(a) − ψ(a + β) of x ~ Beta(a, β) with a `[n, 1]`. `[n, 1]`
fn mean_log(a: Tensor, latent: usize) -> Tensor {
    let (whole, half) = parts_of_beta(latent);
    let steps = (whole > 0).then(|| rising(a, whole, 1.0).recip().sum_rows());
    let rest = half.then(|| half_step_of_digamma(a + whole as f32));
    -steps.into_iter().chain(rest).reduce(|a, b| a + b).expect("a sphere has two dimensions or more")
}

/// ln q of a code with this ln x, of κ `[n, 1]`; of E[ln x], minus the entropy. `[n, 1]`
fn log_density<'g>(kappa: Tensor<'g>, log_x: Tensor<'g>, latent: usize) -> Tensor<'g> {
    let (graph, beta) = (kappa.graph(), beta(latent));
    let constant = ln_gamma(beta) - beta * (2.0 * std::f64::consts::LN_2 + libm::log(std::f64::consts::PI));
    let beta = graph.constant(beta as f32);
    kappa * log_x - graph.call(Func::LogBeta, &[kappa + beta, beta]) + constant as f32
}

impl Posterior for PowerSpherical {
    fn outputs(&self, latent: usize) -> usize {
        latent + 1
    }

    fn codes(&self) -> CodeSpace {
        CodeSpace::Sphere
    }

    fn refusal(&self, latent: usize) -> Option<String> {
        (latent < 2).then(|| "a sphere has two dimensions or more: give a `latent` of 2 or more".to_string())
    }

    /// Standard normals, and uniforms behind them.
    fn noise<'g>(&self, graph: &'g Graph, rows: usize, latent: usize) -> Tensor<'g> {
        let normal = graph.normal(graph.stream(), &[rows, normals(latent)]);
        match parts_of_beta(latent).0 {
            0 => normal,
            whole => graph.concat(&[normal, graph.uniform(graph.stream(), &[rows, whole])], 1),
        }
    }

    fn sample<'g>(&self, outputs: Tensor<'g>, noise: Tensor<'g>) -> Draw<'g> {
        let (graph, latent) = (outputs.graph(), outputs.width() - 1);
        let [mu, kappa] = split(outputs);
        let log_x = log_beta_draw(kappa + beta(latent) as f32, noise, latent);
        let x = log_x.exp();
        let across = (x * (1.0 - x).maximum(graph.constant(LEAST))).sqrt() * 2.0;
        let around = graph.concat(&[x * 2.0 - 1.0, direction(noise.slice(1, 0, latent - 1)) * across], 1);
        Draw::new(reflected(around, mu), log_density(kappa, log_x, latent))
    }

    /// The direction μ.
    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        split(outputs)[0]
    }

    fn kl<'g>(&self, outputs: Tensor<'g>, prior: &dyn Prior) -> Option<Tensor<'g>> {
        if prior.codes() != CodeSpace::Sphere {
            return None;
        }
        let (latent, [_, kappa]) = (outputs.width() - 1, split(outputs));
        let minus_entropy = log_density(kappa, mean_log(kappa + beta(latent) as f32, latent), latent);
        Some(minus_entropy + ln_surface(latent) as f32)
    }
}
