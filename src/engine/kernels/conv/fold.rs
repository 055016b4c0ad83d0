//! The fold: patches added to the pixels that they are of, the adjoint of taking them.

use rayon::prelude::*;

use super::pictures::scatter;
use super::{Window, constants};
use crate::kernels::wgsl::Shader;
use crate::kernels::{Access, Args, Cost, IMMEDIATES, Kernel, Module, Step, Traits, Work, grid};

/// `[pictures·h·w, C]` of `[pictures·places, kh·kw·C]`: each pixel is the sum of what stands for it in all patches that see it.
/// Bindings: patches, pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoldPatches {
    /// Where kernels stand.
    pub window: Window,
    /// How many pictures.
    pub pictures: usize,
}

const SHADER: &str = include_str!("../../../../shaders/fold.wgsl");

impl Kernel for FoldPatches {
    fn name(&self) -> &'static str {
        "fold"
    }

    fn bindings(&self) -> Vec<Access> {
        vec![Access::Read, Access::Write]
    }

    fn module(&self, _: &Traits, _: usize) -> Module {
        let points = self.pictures * self.window.pixels() * self.window.channels;
        let workgroups = grid(points.div_ceil(64));
        let text = IMMEDIATES.to_string() + &constants(&self.window, points, workgroups) + &Shader::new(SHADER).text();
        Module { text, workgroups }
    }

    fn cost(&self) -> Cost {
        let [to, from] = [self.window.pixels() * self.window.channels, self.window.rows() * self.window.width()];
        let all = |words: usize| (self.pictures * words) as f64;
        Cost { flops: all(from), work: Work::of(all(from)), bytes_read: 4.0 * all(from), bytes_written: 4.0 * all(to) }
    }

    fn run(&self, args: &Args, _: &Step) {
        let (to, from) = (self.window.pixels() * self.window.channels, self.window.rows() * self.window.width());
        // SAFETY: this thread is the only one that takes the output; pictures get parts of it that do not overlap.
        let out = unsafe { args.write(1).all() };
        let pictures = args.read(0).par_chunks(from).zip(out.par_chunks_mut(to)).take(self.pictures);
        let width = self.window.width();
        pictures.for_each(|(patches, picture)| {
            picture.fill(0.0);
            scatter(&self.window, patches, width, 0..self.window.rows(), picture);
        });
    }
}
