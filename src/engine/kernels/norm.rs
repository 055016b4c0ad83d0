//! Sums of squares for the gradient norm, in two calls: chunk by chunk into partials, then over the partials.
//!
//! Workgroup w sums chunk w; its threads stride over the chunk and meet in a fixed tree.

use rayon::prelude::*;

use super::args::Args;
use super::pairwise::sum_lanes;
use super::sharing::least;
use super::simd::vectorised;
use super::step::{DIMS, Step};
use super::wgsl::Shader;
use super::{Access, Cost, IMMEDIATES, Kernel, Module, Traits, Work};

/// `out[w] = Σ_{i in chunk w} in[i]²`, or without the square. Bindings: in, out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Norm {
    /// Words that are summed.
    pub len: usize,
    /// Words of one chunk.
    pub chunk: usize,
    /// Whether each word is squared.
    pub square: bool,
}

const SHADER: &str = include_str!("../../../shaders/norm.wgsl");

impl Norm {
    fn chunks(&self) -> usize {
        self.len.div_ceil(self.chunk)
    }
}

impl Kernel for Norm {
    fn name(&self) -> &'static str {
        "norm"
    }

    fn bindings(&self) -> Vec<Access> {
        vec![Access::Read, Access::Write]
    }

    fn module(&self, _: &Traits, _: usize) -> Module {
        let shader = Shader::new(SHADER);
        let shader = if self.square { shader } else { shader.put("term", "sum += value;") };
        Module { text: IMMEDIATES.to_string() + &shader.text(), workgroups: [self.chunks() as u32, 1, 1] }
    }

    fn dims(&self) -> [u32; DIMS] {
        let mut dims = [0; DIMS];
        (dims[0], dims[1]) = (self.len as u32, self.chunk as u32);
        dims
    }

    fn cost(&self) -> Cost {
        Cost {
            flops: 2.0 * self.len as f64,
            // Looked at in two, squared, chosen and added.
            work: Work::of(if self.square { 5.0 } else { 4.0 }).times(self.len as f64),
            bytes_read: 4.0 * self.len as f64,
            bytes_written: 4.0 * self.chunks() as f64,
        }
    }

    fn run(&self, args: &Args, _: &Step) {
        // SAFETY: this thread is the only one that takes the output; iterations get disjoint elements of it.
        let (input, out) = (&args.read(0)[..self.len], unsafe { args.write(1).part(0..self.chunks()) });
        out.par_iter_mut()
            .zip(input.par_chunks(self.chunk))
            .with_min_len(least(64))
            .for_each(|(out, chunk)| add(chunk, self.square, out));
    }
}

vectorised! {
    /// The sum of the values, or of their squares; of what is not finite, 3e38.
    pub(super) fn add(values: &[f32], square: bool, sum: &mut f32) = add_values;
}

#[inline(always)]
fn add_values(values: &[f32], square: bool, sum: &mut f32) {
    let mut terms = [0.0; 64];
    *sum = 0.0;
    for part in values.chunks(64) {
        for (term, &x) in terms.iter_mut().zip(part) {
            let finite = x.to_bits() & 0x7f80_0000 != 0x7f80_0000;
            let value = if square { x * x } else { x };
            *term = if finite { value } else { 3e38 };
        }
        *sum += match part.len() {
            64 => sum_lanes(&terms),
            len => sum_lanes(&terms[..len]),
        };
    }
}
