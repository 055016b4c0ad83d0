//! Adam (Kingma and Ba 2015, algorithm 1) over one flat parameter buffer, with the gradient norm and the non-finite
//! check in the same pass.
//!
//! ```text
//! m ← β₁m + (1 − β₁)g,  v ← β₂v + (1 − β₂)g²,  θ ← θ − α̂·m / (√v·ĉ + ε)
//! ```
//! with α̂ = α/(1 − β₁ᵗ) and ĉ = 1/√(1 − β₂ᵗ) given as scalars of the step. An element whose gradient is not finite is
//! left as it was, and pushes its partial of Σg² beyond [`NOT_FINITE`], which the host reads with the statistics.
//!
//! Threads: workgroup w owns one contiguous chunk and writes partial w; its threads stride over the chunk: 256 of them,
//! or 8 on software adapters, where a barrier over more than one subgroup costs more than the sums it joins.

use multiversion::multiversion;
use rayon::prelude::*;

use super::args::Args;
use super::step::{DIMS, Step};
use super::{Access, Cost, IMMEDIATES, Kernel, Module, Traits};

/// A squared gradient norm from here on means that a gradient was not finite.
pub const NOT_FINITE: f32 = 1e38;

/// One Adam update. Bindings: θ, m, v, g, the partials of Σg², and Σg² itself where gradients are clipped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Words of the flat buffers; a multiple of 64.
    pub len: usize,
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Added to the denominator.
    pub epsilon: f32,
    /// Slot of α̂ among the step's scalars.
    pub step_size: usize,
    /// Slot of ĉ among the step's scalars.
    pub correction: usize,
    /// The global gradient norm is clipped to this.
    pub clip: Option<f32>,
}

const SHADER: &str = include_str!("../../shaders/adam.wgsl");

impl Adam {
    /// Words of one chunk.
    pub fn chunk(len: usize) -> usize {
        len.div_ceil(1024).next_multiple_of(64)
    }

    /// How many partials of Σg² there are.
    pub fn partials(len: usize) -> usize {
        len.div_ceil(Adam::chunk(len))
    }

    /// The factor on every gradient, or nothing where the whole update is to be skipped.
    fn scale(&self, squared_norm: f32) -> Option<f32> {
        match self.clip {
            None => Some(1.0),
            Some(_) if squared_norm.is_nan() || squared_norm >= NOT_FINITE => None,
            Some(clip) => Some((clip / squared_norm.sqrt().max(1e-30)).min(1.0)),
        }
    }
}

#[allow(clippy::too_many_arguments, reason = "the slices are what one pass over the parameters touches")]
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2+fma"))]
fn update(adam: &Adam, scale: f32, alpha: f32, c: f32, p: &mut [f32], m: &mut [f32], v: &mut [f32], g: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0f32; LANES];
    let blocks = p.chunks_mut(LANES).zip(m.chunks_mut(LANES)).zip(v.chunks_mut(LANES)).zip(g.chunks(LANES));
    for (((p, m), v), g) in blocks {
        for ((((p, m), v), &g), sum) in p.iter_mut().zip(m).zip(v).zip(g).zip(&mut sums) {
            let finite = g.to_bits() & 0x7f80_0000 != 0x7f80_0000;
            let raw = if finite { g } else { 0.0 };
            let scaled = raw * scale;
            let m1 = adam.beta1 * *m + (1.0 - adam.beta1) * scaled;
            let v1 = adam.beta2 * *v + (1.0 - adam.beta2) * scaled * scaled;
            let p1 = *p - alpha * m1 / (v1.sqrt() * c + adam.epsilon);
            *m = if finite { m1 } else { *m };
            *v = if finite { v1 } else { *v };
            *p = if finite { p1 } else { *p };
            *sum += if finite { raw * raw } else { 3e38 };
        }
    }
    sums.iter().sum()
}

impl Kernel for Adam {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn bindings(&self) -> Vec<Access> {
        let mut access = vec![Access::Write, Access::Write, Access::Write, Access::Read, Access::Write];
        access.extend(self.clip.map(|_| Access::Read));
        access
    }

    fn module(&self, traits: &Traits, _: usize) -> Module {
        let (declare, scale) = match self.clip {
            None => ("", "1.0"),
            Some(_) => (
                "@group(0) @binding(5) var<storage, read> squared_norm: array<f32>;",
                "select(-1.0, min(1.0, bitcast<f32>(im.d1.x) / max(sqrt(squared_norm[0]), 1e-30)), squared_norm[0] < 1e38)",
            ),
        };
        let text = IMMEDIATES.to_string()
            + declare
            + &SHADER
                .replace("{{threads}}", if traits.software { "8" } else { "256" })
                .replace("{{half}}", if traits.software { "4u" } else { "128u" })
                .replace("{{step_size}}", &format!("im.s{}[{}]", self.step_size / 4, self.step_size % 4))
                .replace("{{correction}}", &format!("im.s{}[{}]", self.correction / 4, self.correction % 4))
                .replace("{{scale}}", scale);
        Module { text, workgroups: [Adam::partials(self.len) as u32, 1, 1] }
    }

    fn dims(&self) -> [u32; DIMS] {
        let mut dims = [0; DIMS];
        // In quads: flat buffers are padded to whole ones.
        dims[0] = self.len as u32 / 4;
        dims[1] = Adam::chunk(self.len) as u32 / 4;
        dims[4] = self.clip.unwrap_or(0.0).to_bits();
        dims[5] = self.beta1.to_bits();
        dims[6] = self.beta2.to_bits();
        dims[7] = self.epsilon.to_bits();
        dims
    }

    fn cost(&self) -> Cost {
        let bytes = 4.0 * self.len as f64;
        Cost { flops: 14.0 * self.len as f64, bytes_read: 4.0 * bytes, bytes_written: 3.0 * bytes }
    }

    fn run(&self, args: &Args, step: &Step) {
        let squared_norm = if self.clip.is_some() { args.read(5)[0] } else { 0.0 };
        let scale = self.scale(squared_norm);
        let (alpha, c) = (step.scalars[self.step_size], step.scalars[self.correction]);
        let chunk = Adam::chunk(self.len);
        (0..Adam::partials(self.len)).into_par_iter().with_min_len(16).for_each(|w| {
            let range = w * chunk..((w + 1) * chunk).min(self.len);
            let g = &args.read(3)[range.clone()];
            // SAFETY: chunk w belongs to this iteration alone, and so does partial w.
            let (p, m, v, partial) = unsafe {
                (
                    &mut args.write(0)[range.clone()],
                    &mut args.write(1)[range.clone()],
                    &mut args.write(2)[range.clone()],
                    &mut args.write(4)[w],
                )
            };
            *partial = match scale {
                Some(scale) => update(self, scale, alpha, c, p, m, v, g),
                None => squared_norm.max(3e38),
            };
        });
    }
}
