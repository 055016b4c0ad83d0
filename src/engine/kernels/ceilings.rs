//! What a device can do at most: arithmetic on registers, and a pass over memory. Kernels made for nothing else.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::args::Args;
use super::simd::{dispatch, vectorised};
use super::step::{DIMS, Step};
use super::wgsl::Shader;
use super::{Access, Cost, IMMEDIATES, Kernel, Module, Traits, Work};

/// Numbers that one invocation works on at once.
const CHAINS: usize = 12;

/// x ← x·a + b on registers, or x ← a/(x + b), a and b being the first two scalars of the step; what is left is added up. Bindings: the sums.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// How many invocations there are.
    pub invocations: usize,
    /// How often each works on all its numbers.
    pub turns: usize,
    /// Whether it divides.
    pub divides: bool,
}

impl Kernel for Peak {
    fn name(&self) -> &'static str {
        "peak"
    }

    fn bindings(&self) -> Vec<Access> {
        vec![Access::Write]
    }

    fn module(&self, _: &Traits, _: usize) -> Module {
        let each =
            |text: &dyn Fn(usize) -> String, between: &str| (0..CHAINS).map(text).collect::<Vec<_>>().join(between);
        let turn = |i| match self.divides {
            true => format!("x{i} = a / (x{i} + b);"),
            false => format!("x{i} = fma(x{i}, a, b);"),
        };
        let shader = Shader::new(include_str!("../../../shaders/peak.wgsl"))
            .put("start", each(&|i| format!("var x{i} = f32(id.x + {i}u);"), "\n"))
            .put("turn", each(&turn, "\n"))
            .put("sum", format!("out[id.x] = {};", each(&|i| format!("x{i}"), " + ")));
        let text = IMMEDIATES.to_string() + &shader.text();
        Module { text, workgroups: [self.invocations.div_ceil(64) as u32, 1, 1] }
    }

    fn dims(&self) -> [u32; DIMS] {
        let mut dims = [0; DIMS];
        (dims[0], dims[1]) = (self.invocations as u32, self.turns as u32);
        dims
    }

    fn cost(&self) -> Cost {
        let turns = (CHAINS * self.invocations * self.turns) as f64;
        let turn = if self.divides { Work::new(1.0, 1.0) } else { Work::of(2.0) };
        let bytes_written = 4.0 * self.invocations as f64;
        Cost { flops: 2.0 * turns, work: turn.times(turns), bytes_read: 0.0, bytes_written }
    }

    fn run(&self, args: &Args, step: &Step) {
        // SAFETY: this thread is the only one that takes the output; each part of it goes to one thread.
        let out = unsafe { args.write(0).part(0..self.invocations) };
        let [a, b] = [step.scalars[0], step.scalars[1]];
        out.par_chunks_mut(1024).enumerate().for_each(|(chunk, out)| {
            let (first, turns) = (1024 * chunk, self.turns);
            match self.divides {
                true => dispatch(Chains::<true> { first, turns, a, b, out }),
                false => dispatch(Chains::<false> { first, turns, a, b, out }),
            }
        });
    }
}

/// Some of the invocations, as many at once as a vector of the processor has lanes.
struct Chains<'a, const DIVIDES: bool> {
    first: usize,
    turns: usize,
    a: f32,
    b: f32,
    out: &'a mut [f32],
}

impl<const DIVIDES: bool> WithSimd for Chains<'_, DIVIDES> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (a, b) = (simd.splat_f32s(self.a), simd.splat_f32s(self.b));
        for (group, out) in self.out.chunks_mut(S::F32_LANES).enumerate() {
            let first = self.first + group * S::F32_LANES;
            let mut x = [simd.splat_f32s(0.0); CHAINS];
            for (i, x) in x.iter_mut().enumerate() {
                let mut start = [0.0; MOST_LANES];
                start.iter_mut().enumerate().for_each(|(lane, start)| *start = (first + lane + i) as f32);
                *x = simd.partial_load_f32s(&start[..S::F32_LANES]);
            }
            for _ in 0..self.turns {
                for x in &mut x {
                    *x = if DIVIDES { simd.div_f32s(a, simd.add_f32s(*x, b)) } else { simd.mul_add_e_f32s(*x, a, b) };
                }
            }
            let sum = x.into_iter().reduce(|sum, x| simd.add_f32s(sum, x)).expect("there are chains");
            simd.partial_store_f32s(out, sum);
        }
    }
}

/// Lanes of the widest vectors of any processor.
const MOST_LANES: usize = 16;

/// A buffer changed in place, or only read. Bindings: the buffer; the sums, if it is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stream {
    /// Words of the buffer; a multiple of 4.
    pub words: usize,
    /// Whether they are added up, into a buffer of [`Stream::sums`], and else turned in sign.
    pub is_read: bool,
}

/// Invocations of a stream at most.
const THREADS: usize = 1 << 18;

impl Stream {
    /// Words of the buffer that sums are written to.
    pub fn sums(&self) -> usize {
        4 * self.invocations()
    }

    /// One for each quad that is turned; of a sum one for sixteen of them, so that hardly anything is written.
    fn invocations(&self) -> usize {
        let quads = self.words / if self.is_read { 64 } else { 4 };
        quads.clamp(1, THREADS).next_multiple_of(64)
    }
}

impl Kernel for Stream {
    fn name(&self) -> &'static str {
        "stream"
    }

    fn bindings(&self) -> Vec<Access> {
        if self.is_read { vec![Access::Read, Access::Write] } else { vec![Access::Write] }
    }

    fn module(&self, _: &Traits, _: usize) -> Module {
        let mut shader = Shader::new(include_str!("../../../shaders/stream.wgsl"));
        if self.is_read {
            let bindings = "@group(0) @binding(0) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> sums: array<vec4<f32>>;";
            shader = shader.put("bindings", bindings).put("work", "sum += values[i];");
            shader = shader.put("finish", "sums[id.x] = sum;");
        }
        let text = IMMEDIATES.to_string() + &shader.text();
        Module { text, workgroups: [self.invocations() as u32 / 64, 1, 1] }
    }

    fn dims(&self) -> [u32; DIMS] {
        let mut dims = [0; DIMS];
        (dims[0], dims[1]) = (self.words as u32 / 4, self.invocations() as u32);
        dims
    }

    fn cost(&self) -> Cost {
        let bytes = 4.0 * self.words as f64;
        let bytes_written = if self.is_read { 4.0 * self.sums() as f64 } else { bytes };
        Cost { flops: 0.0, work: Work::of(self.words as f64), bytes_read: bytes, bytes_written }
    }

    fn run(&self, args: &Args, _: &Step) {
        if self.is_read {
            // SAFETY: each part of the sums goes to one thread.
            let (values, sums) = (&args.read(0)[..self.words], unsafe { args.write(1).part(0..self.sums()) });
            let stride = sums.len();
            sums.par_chunks_mut(SUMS).enumerate().for_each(|(part, sums)| add(values, part * SUMS, stride, sums));
        } else {
            let part = self.words.div_ceil(rayon::current_num_threads()).next_multiple_of(64);
            // SAFETY: each part goes to one thread.
            unsafe { args.write(0).part(0..self.words) }.par_chunks_mut(part).for_each(turn_signs);
        }
    }
}

/// Sums that are kept in the first-level cache while the buffer passes by.
const SUMS: usize = 1024;

vectorised! {
    /// The sums of the words that lie `stride` apart, from the word `first` on.
    fn add(values: &[f32], first: usize, stride: usize, sums: &mut [f32]) = add_words;
}

vectorised! {
    fn turn_signs(values: &mut [f32]) = negate;
}

#[inline(always)]
fn add_words(values: &[f32], first: usize, stride: usize, sums: &mut [f32]) {
    sums.fill(0.0);
    for start in (first..values.len()).step_by(stride) {
        let end = (start + sums.len()).min(values.len());
        sums.iter_mut().zip(&values[start..end]).for_each(|(sum, value)| *sum += value);
    }
}

#[inline(always)]
fn negate(values: &mut [f32]) {
    values.iter_mut().for_each(|value| *value = -*value);
}
