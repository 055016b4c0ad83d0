//! Optimisers: how one flat buffer of parameters is moved along its gradient, with the gradient norm and the non-finite
//! check in the same pass.
//!
//! A rule is a piece, one file that ends in one static: what it keeps of each parameter, the scalars that it is given with
//! every step, its WGSL and its Rust. [`Descent`] is the kernel around it. An element whose gradient is not finite is
//! left as it was, and pushes its partial of Σg² beyond [`NOT_FINITE`], which the host reads with the statistics.
//!
//! Threads: workgroup w owns one contiguous chunk and writes partial w; its threads stride over the chunk: 256 of them,
//! or 8 on software adapters, where a barrier over more than one subgroup costs more than the sums it joins.

mod adam;
mod adamax;
mod adamw;
mod pass;
mod rmsprop;
mod sgd;

use std::fmt::{Debug, Write};
use std::sync::Arc;

use rayon::prelude::*;

use super::args::Args;
use super::norm::add;
use super::sharing::least;
use super::step::{DIMS, Step};
use super::wgsl::Shader;
use super::{Access, Cost, IMMEDIATES, Kernel, Module, Traits, Work};
use crate::catalogue::Piece;
pub use pass::Pass;

/// A squared gradient norm from here on means that a gradient was not finite.
pub const NOT_FINITE: f32 = 1e38;

/// The most numbers that a rule may keep of each parameter, and the most scalars and constants that it may be given.
const MOST: (usize, usize) = (2, 3);

/// Every optimiser.
pub static OPTIMISERS: &[&Piece<dyn Optimiser>] =
    &[&adam::PIECE, &adamw::PIECE, &adamax::PIECE, &rmsprop::PIECE, &sgd::PIECE];

/// How a parameter is moved along its gradient.
pub trait Optimiser: Debug + Send + Sync {
    /// Its name, as it stands before what it keeps in a checkpoint.
    fn id(&self) -> &'static str;

    /// The names of what it keeps of each parameter, zero at first; at most two.
    fn state(&self) -> &'static [&'static str];

    /// The names of the scalars that it is given with every step; at most three.
    fn scalars(&self) -> &'static [&'static str];

    /// Their values at a learning rate, in update `t` of the parameters, counted from 1; 0 for those that it has not. They are
    /// computed here, in f64, so that every device gets the same numbers.
    fn values(&self, learning_rate: f64, t: u64) -> [f64; 3];

    /// What is the same in all steps.
    fn constants(&self) -> [f32; 3];

    /// Its WGSL: a function `descend(at: Point, g, constants, scalars) -> Point` of four parameters.
    fn wgsl(&self) -> &'static str;

    /// What it computes of each parameter.
    fn work(&self) -> Work;

    /// The CPU reference, over one chunk; gives Σg² of it.
    fn descend(&self, pass: Pass) -> f32;
}

/// One update. Bindings: θ, what the rule keeps, g, the partials of Σg², and Σg² itself where gradients are clipped or updates skipped.
#[derive(Clone, Debug)]
pub struct Descent {
    /// The rule.
    pub optimiser: Arc<dyn Optimiser>,
    /// Words of the flat buffers; a multiple of 4.
    pub len: usize,
    /// Slots of its scalars among those of the step.
    pub slots: Vec<usize>,
    /// The norm of all gradients is clipped to this.
    pub clip: Option<f32>,
    /// Where the norm of all gradients is above this, nothing is moved.
    pub skip: Option<f32>,
}

const SHADER: &str = include_str!("../../../../shaders/optimiser.wgsl");
const POINT: &str = include_str!("../../../../shaders/optimisers/point.wgsl");

/// The factor on gradients that are clipped.
const CLIPPED: &str = "let norm = sqrt(squared_norm[0]);
let scale = select(-1.0, min(1.0, bitcast<f32>(im.d1.x) / max(norm, 1e-30)), squared_norm[0] < 1e38);";
/// The same where they are not.
const WHOLE: &str = "let scale = select(-1.0, 1.0, squared_norm[0] < 1e38);";
/// Whether the update is skipped that may be.
const SKIPPED: &str = "let skipped = squared_norm[0] > bitcast<f32>(im.d0.z);";

impl Descent {
    /// Words of one chunk.
    pub fn chunk(len: usize) -> usize {
        len.div_ceil(1024).next_multiple_of(64)
    }

    /// How many partials of Σg² there are.
    pub fn partials(len: usize) -> usize {
        len.div_ceil(Descent::chunk(len))
    }

    /// Σg² above which an update is skipped by the norm of the gradient: what is compared, so that all who ask come to the same.
    pub fn most(skip: f32) -> f32 {
        skip * skip
    }

    /// Whether it reads Σg².
    fn reads_norm(&self) -> bool {
        self.clip.or(self.skip).is_some()
    }

    /// What is done with every gradient.
    fn deed(&self, squared_norm: f32) -> Deed {
        if !self.reads_norm() {
            return Deed::Move(1.0);
        }
        if squared_norm.is_nan() || squared_norm >= NOT_FINITE {
            return Deed::Refuse;
        }
        if self.skip.is_some_and(|skip| squared_norm > Descent::most(skip)) {
            return Deed::Skip;
        }
        Deed::Move(self.clip.map_or(1.0, |clip| (clip / squared_norm.sqrt().max(1e-30)).min(1.0)))
    }

    /// How many numbers the rule keeps of each parameter.
    fn kept(&self) -> usize {
        self.optimiser.state().len()
    }

    /// Declares the bindings.
    fn declare(&self) -> String {
        let (kept, mut out) = (self.kept(), String::new());
        let names = ["theta", "a", "b"].into_iter().take(1 + kept).map(|name| (name, "read_write", "vec4<f32>"));
        let rest = [("gradient", "read", "vec4<f32>"), ("partials", "read_write", "f32")];
        let norm = self.reads_norm().then_some(("squared_norm", "read", "f32"));
        for (i, (name, access, of)) in names.chain(rest).chain(norm).enumerate() {
            let name = if i < 1 + kept { format!("{name}_") } else { name.to_string() };
            writeln!(out, "@group(0) @binding({i}) var<storage, {access}> {name}: array<{of}>;").expect("strings grow");
        }
        out
    }
}

/// What is done with every gradient of an update.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Deed {
    /// Parameters are moved along it, times a factor.
    Move(f32),
    /// Nothing, because there is too much of it.
    Skip,
    /// Nothing, because it is not finite.
    Refuse,
}

impl Kernel for Descent {
    fn name(&self) -> &'static str {
        "optimiser"
    }

    fn bindings(&self) -> Vec<Access> {
        let mut access = vec![Access::Write; 1 + self.kept()];
        access.extend([Access::Read, Access::Write]);
        access.extend(self.reads_norm().then_some(Access::Read));
        access
    }

    fn module(&self, traits: &Traits, _: usize) -> Module {
        let scalar = |i: usize| match self.slots.get(i) {
            Some(slot) => format!("im.s{}[{}]", slot / 4, slot % 4),
            None => "0.0".to_string(),
        };
        let has = |i: usize| i <= self.kept();
        let fields = ["theta", "a", "b"];
        let load = |i: usize| if has(i) { format!("{}_[i]", fields[i]) } else { "vec4<f32>()".to_string() };
        let store = |i: usize| format!("{0}_[i] = select(after.{0}, before.{0}, keep);\n", fields[i]);
        let joined = |parts: Vec<String>| parts.join(", ");
        let mut shader = Shader::new(SHADER)
            .set("WORKGROUP", if traits.software { 8 } else { 256 })
            .put("bindings", self.declare())
            .put("rule", Shader::new(self.optimiser.wgsl()).text())
            .put("scalars", format!("let scalars = vec3<f32>({});", joined((0..MOST.1).map(scalar).collect())))
            .put("load", format!("let before = Point({});", joined((0..=MOST.0).map(load).collect())))
            .put("store", (0..=self.kept()).map(store).collect::<String>());
        if self.reads_norm() {
            shader = shader.put("scale", if self.clip.is_some() { CLIPPED } else { WHOLE });
        }
        if self.skip.is_some() {
            shader = shader.put("skipped", SKIPPED);
        }
        let text = IMMEDIATES.to_string() + POINT + &shader.text();
        Module { text, workgroups: [Descent::partials(self.len) as u32, 1, 1] }
    }

    fn dims(&self) -> [u32; DIMS] {
        let mut dims = [0; DIMS];
        // In quads: flat buffers are padded to whole ones.
        dims[0] = self.len as u32 / 4;
        dims[1] = Descent::chunk(self.len) as u32 / 4;
        dims[2] = self.skip.map_or(0.0, Descent::most).to_bits();
        dims[4] = self.clip.unwrap_or(0.0).to_bits();
        dims[5..8].copy_from_slice(&self.optimiser.constants().map(f32::to_bits));
        dims
    }

    fn cost(&self) -> Cost {
        let (bytes, kept) = (4.0 * self.len as f64, self.kept() as f64);
        let rule = self.optimiser.work();
        // A gradient is looked at in two, chosen and scaled; its square is made, chosen and added; what is written is chosen.
        let pass = Work::of(4.0 + 3.0 + 1.0 + kept);
        Cost {
            flops: (rule.operations + rule.divisions) * self.len as f64,
            work: rule.and(pass).times(self.len as f64),
            bytes_read: (2.0 + kept) * bytes,
            bytes_written: (1.0 + kept) * bytes,
        }
    }

    fn run(&self, args: &Args, step: &Step) {
        let kept = self.kept();
        let (gradient, partials) = (1 + kept, 2 + kept);
        let squared_norm = if self.reads_norm() { args.read(partials + 1)[0] } else { 0.0 };
        let deed = self.deed(squared_norm);
        let mut scalars = [0.0; MOST.1];
        scalars.iter_mut().zip(&self.slots).for_each(|(scalar, &slot)| *scalar = step.scalars[slot]);
        let chunk = Descent::chunk(self.len);
        (0..Descent::partials(self.len)).into_par_iter().with_min_len(least(16)).for_each(|w| {
            let range = w * chunk..((w + 1) * chunk).min(self.len);
            // SAFETY: chunk w belongs to this iteration alone, and so does partial w.
            let written = |binding: usize| unsafe { args.write(binding).part(range.clone()) };
            let theta = written(0);
            let state = [1, 2].map(|binding| if binding <= kept { written(binding) } else { Default::default() });
            let gradient = &args.read(gradient)[range.clone()];
            // SAFETY: as above.
            let partial = unsafe { args.write(partials).part(w..w + 1) };
            match deed {
                Deed::Move(scale) => {
                    partial[0] = self.optimiser.descend(Pass { theta, state, gradient, scale, scalars });
                }
                Deed::Skip => add(gradient, true, &mut partial[0]),
                Deed::Refuse => partial[0] = squared_norm.max(3e38),
            }
        });
    }
}
