//! The table of kernels: every kind, the shader files it is made of, and the cases on which it is tried.
//!
//! The parity tests run every case on the GPU and on the CPU, the validators compile every case's text for every kind
//! of adapter, `elbo doctor` does the first on the user's device, and the benchmarks time the realistic cases. A
//! kernel that is in the table is tested, timed and checked everywhere; a shader that no row names fails a test.

mod build;
mod ceilings;
mod conv;
mod fill;
mod matmul;
mod optimiser;
mod pointwise;
mod reductions;
mod vae;
mod variant;

use std::sync::Arc;

use super::{Access, Kernel, Step};

pub use fill::{Fill, Input, POISON};
pub use variant::{Variant, all_modules, variants};

/// One kind of kernel.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its name, for people and for the command line.
    pub name: &'static str,
    /// The files of `shaders/` it is made of, without `.wgsl`.
    pub shaders: &'static [&'static str],
    /// What it computes.
    pub summary: &'static str,
    /// The cases on which it is tried.
    pub cases: fn() -> Vec<Case>,
}

/// Every kind of kernel.
pub const TABLE: &[Row] = &[
    Row {
        name: "matmul",
        shaders: &[
            "immediates",
            "matmul_operand",
            "matmul_tile",
            "matmul_broadcast",
            "matmul_registers",
            "matmul_tiled",
            "matmul_slices",
            "matmul_main",
        ],
        summary: "matrix products, either operand transposed or strided, with fused epilogues and row sums",
        cases: matmul::cases,
    },
    Row {
        name: "pair",
        shaders: &["immediates", "matmul_pair"],
        summary: "two matrix products that do not need each other, in one launch",
        cases: matmul::pairs,
    },
    Row {
        name: "convolution",
        shaders: &["immediates", "window", "conv_patches"],
        summary: "products with patches of pictures: convolutions, and the gradients of their weights",
        cases: conv::products,
    },
    Row {
        name: "transposed",
        shaders: &["immediates", "window", "conv_fold", "conv_fold_main"],
        summary: "products that are folded: transposed convolutions, and the gradients of pictures",
        cases: conv::folded,
    },
    Row {
        name: "patches",
        shaders: &["immediates", "window", "patches"],
        summary: "what a kernel sees at each place of a picture, as rows",
        cases: conv::patches,
    },
    Row {
        name: "fold",
        shaders: &["immediates", "window", "fold"],
        summary: "patches added to the pixels that they are of",
        cases: conv::folds,
    },
    Row {
        name: "map",
        shaders: &[
            "immediates",
            "map",
            "functions/activations",
            "functions/gaussian",
            "functions/likelihoods",
            "functions/tilted",
            "functions/gamma",
        ],
        summary: "every scalar function, point by point, and the ways a map is indexed",
        cases: pointwise::maps,
    },
    Row {
        name: "draws",
        shaders: &["immediates", "random", "map"],
        summary: "standard normals and uniforms",
        cases: pointwise::draws,
    },
    Row {
        name: "gaussian",
        shaders: &["immediates", "random", "map", "reduce_serial", "reduce_tree", "functions/gaussian"],
        summary: "the reparameterised sample with its KL divergence in one pass, and the gradients of both",
        cases: vae::gaussian,
    },
    Row {
        name: "likelihood",
        shaders: &["immediates", "reduce_serial", "reduce_tree", "functions/activations", "functions/likelihoods"],
        summary: "Bernoulli and Gaussian log-likelihoods with their gradients in one pass",
        cases: vae::likelihoods,
    },
    Row {
        name: "reduce",
        shaders: &["immediates", "reduce_serial", "reduce_tree"],
        summary: "sums over rows, columns and everything",
        cases: reductions::reductions,
    },
    Row {
        name: "statistics",
        shaders: &["immediates", "statistics"],
        summary: "a step's statistics into its slot of the ring",
        cases: reductions::statistics,
    },
    Row {
        name: "batch",
        shaders: &["immediates", "random", "augment", "batch"],
        summary: "rows of the packed data set, gathered, decoded, perhaps changed as pictures and binarised",
        cases: vae::batches,
    },
    Row {
        name: "norm",
        shaders: &["immediates", "norm"],
        summary: "sums and sums of squares by chunk, for the gradient norm",
        cases: optimiser::norms,
    },
    Row {
        name: "optimiser",
        shaders: &[
            "immediates",
            "optimiser",
            "optimisers/point",
            "optimisers/adam",
            "optimisers/adamw",
            "optimisers/adamax",
            "optimisers/rmsprop",
            "optimisers/sgd",
        ],
        summary: "every optimiser's pass, with clipping and the non-finite check",
        cases: optimiser::descents,
    },
    Row {
        name: "peak",
        shaders: &["immediates", "peak"],
        summary: "multiplications and additions on registers, beside which the benchmark holds arithmetic",
        cases: ceilings::peaks,
    },
    Row {
        name: "stream",
        shaders: &["immediates", "stream"],
        summary: "a buffer changed in place or read, beside which the benchmark holds memory traffic",
        cases: ceilings::streams,
    },
];

/// What an error is divided by before it is held against a bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// Nothing is allowed: the words must be equal.
    Exact,
    /// The element's own magnitude, and at least this.
    Own(f32),
    /// The largest magnitude in the binding, and at least this: for sums, whose terms may cancel. The floor is then
    /// the size that a sum of such terms is expected to have.
    Largest(f32),
}

/// One kernel with its sizes settled, and what it is tried on.
#[derive(Clone, Debug)]
pub struct Case {
    /// Sizes and options, for people.
    pub label: String,
    /// The kernel.
    pub kernel: Arc<dyn Kernel>,
    /// What each binding holds before the run.
    pub inputs: Vec<Input>,
    /// The steps that are run, one after the other.
    pub steps: Vec<Step>,
    /// K: how many roundings an element gathers, which for a sum is its length.
    pub roundings: usize,
    /// What errors are measured against.
    pub scale: Scale,
    /// Whether every variant of the kernel's text is tried on it, or only what the rule chooses.
    pub every_variant: bool,
    /// Whether it is one of the classic VAE's own (784-400-20, batch 128), which benchmarks time.
    pub realistic: bool,
}

impl Case {
    /// A case with the usual settings: one step, errors measured against the element or 1, sixteen roundings (what a
    /// function of a few operations may gather where a driver's `exp` or division is no better than WGSL asks).
    pub fn new(label: impl Into<String>, kernel: impl Kernel + 'static, inputs: Vec<Input>) -> Case {
        let step = Step {
            seed: [0x243f_6a88, 0x85a3_08d3],
            step: 7,
            rows: 3,
            epoch: 2,
            scalars: [0.75, 1.5, -0.25, 2.0, 0.5, 3.0, -1.0, 0.125],
            ..Step::default()
        };
        Case {
            label: label.into(),
            kernel: Arc::new(kernel),
            inputs,
            steps: vec![step],
            roundings: 16,
            scale: Scale::Own(1.0),
            every_variant: true,
            realistic: false,
        }
    }

    /// Elements gather this many roundings; at least sixteen are granted.
    #[must_use]
    pub fn roundings(mut self, count: usize) -> Case {
        self.roundings = count.max(16);
        self
    }

    /// Errors are measured against this.
    #[must_use]
    pub fn scale(mut self, scale: Scale) -> Case {
        self.scale = scale;
        self
    }

    /// Changes the first step.
    #[must_use]
    pub fn step(mut self, change: impl FnOnce(&mut Step)) -> Case {
        change(&mut self.steps[0]);
        self
    }

    /// Only the text that the rule chooses is tried.
    #[must_use]
    pub fn rule_only(mut self) -> Case {
        self.every_variant = false;
        self
    }

    /// Benchmarks time it.
    #[must_use]
    pub fn realistic(mut self) -> Case {
        self.realistic = true;
        self
    }

    /// How many of the kernel's variants are tried on it.
    pub fn variant_limit(&self) -> usize {
        if self.every_variant { usize::MAX } else { 1 }
    }

    /// No scaled error may be above this: K·ε.
    pub fn bound(&self) -> f64 {
        self.roundings as f64 * f64::from(f32::EPSILON)
    }

    /// Scaled errors are usually below this: 4·√K·ε.
    pub fn usual(&self) -> f64 {
        4.0 * (self.roundings as f64).sqrt() * f64::from(f32::EPSILON)
    }

    /// The words that a binding holds before the run.
    pub fn words(&self, binding: usize, seed: u64) -> Vec<u32> {
        self.inputs[binding].words(binding as u32, seed)
    }

    /// Bindings that the kernel writes.
    pub fn written(&self) -> impl Iterator<Item = usize> {
        let access = self.kernel.bindings();
        (0..access.len()).filter(move |&b| access[b] == Access::Write)
    }
}
