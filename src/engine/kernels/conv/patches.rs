//! Patches of pictures: what a kernel sees at each place, a row each.

use rayon::prelude::*;

use super::pictures::gather;
use super::{Window, constants};
use crate::kernels::wgsl::Shader;
use crate::kernels::{Access, Args, Cost, IMMEDIATES, Kernel, Module, Step, Traits, Work, grid};

/// `[pictures·places, kh·kw·C]` of `[pictures·h·w, C]`; 0 where a tap sees nothing. Bindings: pictures, patches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patches {
    /// Where kernels stand.
    pub window: Window,
    /// How many pictures.
    pub pictures: usize,
}

const SHADER: &str = include_str!("../../../../shaders/patches.wgsl");

impl Kernel for Patches {
    fn name(&self) -> &'static str {
        "patches"
    }

    fn bindings(&self) -> Vec<Access> {
        vec![Access::Read, Access::Write]
    }

    fn module(&self, _: &Traits, _: usize) -> Module {
        let points = self.pictures * self.window.rows() * self.window.width();
        let workgroups = grid(points.div_ceil(64));
        let text = IMMEDIATES.to_string() + &constants(&self.window, points, workgroups) + &Shader::new(SHADER).text();
        Module { text, workgroups }
    }

    fn cost(&self) -> Cost {
        let [from, to] = [self.window.pixels() * self.window.channels, self.window.rows() * self.window.width()];
        let bytes = |words: usize| 4.0 * (self.pictures * words) as f64;
        Cost { flops: 0.0, work: Work::default(), bytes_read: bytes(from), bytes_written: bytes(to) }
    }

    fn run(&self, args: &Args, _: &Step) {
        let (from, to) = (self.window.pixels() * self.window.channels, self.window.rows() * self.window.width());
        // SAFETY: this thread is the only one that takes the output; pictures get parts of it that do not overlap.
        let out = unsafe { args.write(1).all() };
        let pictures = args.read(0).par_chunks(from).zip(out.par_chunks_mut(to)).take(self.pictures);
        let width = self.window.width();
        pictures.for_each(|(picture, patches)| gather(&self.window, picture, 0..self.window.rows(), patches, width));
    }
}
