//! The network that tells noise from code.

use super::schedule::Schedule;
use crate::data::Shape;
use crate::graph::{Graph, Init, Tensor};
use crate::nn::{Activation, Input, Known, Network, Residual};

/// Frequencies of the embedding of a step; each gives a sine and a cosine.
const FREQUENCIES: usize = 16;
/// How often the fastest goes round in all steps, and the slowest.
const TURNS: [f64; 2] = [16.0, 0.0625];

/// The scope of its parameters.
pub(super) const SCOPE: &str = "prior.denoiser";

/// A residual network of a noisy code and its step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Denoiser {
    /// Units of every layer.
    pub hidden: usize,
    /// Residual blocks.
    pub layers: usize,
}

impl Denoiser {
    /// v, what is said of √ᾱ_t ε − √(1 − ᾱ_t) z_0 for codes z_t `[n, latent]` after t steps, t being `[n, 1]` or one for all `[1, 1]`. It starts as
    /// 0.
    pub fn v<'g>(self, schedule: Schedule, z: Tensor<'g>, t: Tensor<'g>) -> Tensor<'g> {
        let ([n, latent], graph) = (z.dims(), z.graph());
        let step = embedding(schedule, t).expand(&[n, 2 * FREQUENCIES]);
        let input = Input { x: z, shape: Shape::vector(latent), known: Known::Beside(step) };
        let body = Residual::new(self.hidden, self.layers, Activation::Silu);
        let hidden = body.forward(SCOPE, input, Shape::vector(latent));
        let [weight, bias] = last(graph, self.hidden, latent);
        hidden.matmul(weight.t()) + bias
    }
}

/// The last layer, which starts as 0.
fn last(graph: &Graph, hidden: usize, latent: usize) -> [Tensor<'_>; 2] {
    graph.scope(SCOPE, || {
        let of = |part: &str, shape: &[usize]| graph.param(&format!("last.{part}"), shape, Init::Constant(0.0));
        [of("weight", &[latent, hidden]), of("bias", &[latent])]
    })
}

/// sin and cos of ω_k t, from fast to slow in equal ratios (Vaswani et al. 2017, section 3.5, with frequencies of t/T). `[…, 2·16]`
fn embedding(schedule: Schedule, t: Tensor<'_>) -> Tensor<'_> {
    let (graph, [n, _]) = (t.graph(), t.dims());
    let fall = libm::log(TURNS[1] / TURNS[0]) / (FREQUENCIES - 1) as f64;
    let frequency = (graph.coordinate(1, &[1, FREQUENCIES]) * fall as f32).exp();
    let turns = (t * (TURNS[0] / schedule.steps as f64) as f32 * frequency).expand(&[n, FREQUENCIES]);
    graph.concat(&[turns.sin_turns(), turns.cos_turns()], 1)
}
