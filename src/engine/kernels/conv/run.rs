//! Products with patches as kernels: their texts for a GPU, and their passes on the CPU.

use super::fold_product::{self, FoldProduct};
use super::patch_product::{PatchProduct, Side};
use super::{gpu, passes};
use crate::kernels::simd::dispatch;
use crate::kernels::{Access, Args, Choices, Cost, DIMS, Kernel, Matmul, Module, Step, Traits, Work};

impl Kernel for PatchProduct {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn bindings(&self) -> Vec<Access> {
        self.product.access.clone()
    }

    fn module(&self, traits: &Traits, choice: usize) -> Module {
        gpu::patch_product(self, traits, choice)
    }

    fn choices(&self, traits: &Traits) -> Option<Choices> {
        let Choices { shape, names } = self.product.choices(traits)?;
        Some(Choices { shape: format!("{shape} {:?} {:?}", self.side, self.window), names })
    }

    fn dims(&self) -> [u32; DIMS] {
        self.product.dims()
    }

    fn cost(&self) -> Cost {
        let Matmul { m, n, k, .. } = self.product;
        let dense = 4.0 * if self.side == Side::A { m * k } else { k * n } as f64;
        let pictures = if self.side == Side::A { m } else { k } / self.window.rows();
        let cost = self.product.cost();
        Cost { bytes_read: cost.bytes_read - dense + 4.0 * (pictures * self.picture()) as f64, ..cost }
    }

    fn run(&self, args: &Args, step: &Step) {
        dispatch(passes::Run { of: self, args, step });
    }
}

impl Kernel for FoldProduct {
    fn name(&self) -> &'static str {
        "transposed"
    }

    fn bindings(&self) -> Vec<Access> {
        self.class.access.clone()
    }

    fn module(&self, traits: &Traits, choice: usize) -> Module {
        gpu::fold_product(self, traits, choice)
    }

    fn choices(&self, traits: &Traits) -> Option<Choices> {
        let Choices { shape, names } = self.class.choices(traits)?;
        Some(Choices { shape: format!("{shape} folded {:?}", self.window), names })
    }

    fn dims(&self) -> [u32; DIMS] {
        self.class.dims()
    }

    fn cost(&self) -> Cost {
        let [places, pixels] = [self.window.rows(), self.window.pixels()].map(|one| (self.pictures * one) as f64);
        let (inputs, width, channels) = (self.inputs as f64, self.window.width() as f64, self.window.channels as f64);
        let elements = pixels * channels;
        Cost {
            flops: 2.0 * places * inputs * width + elements * self.class.expr.flops() as f64,
            work: Work::of(2.0 * places * inputs * width).and(self.class.expr.work().times(elements)),
            bytes_read: 4.0 * (places * inputs + inputs * width + elements * self.class.expr.loads.len() as f64),
            bytes_written: 4.0 * elements * self.class.stores.len() as f64,
        }
    }

    fn run(&self, args: &Args, step: &Step) {
        dispatch(fold_product::Run { of: self, args, step });
    }
}
