//! What a binding holds before a case is run.

use crate::kernels::Step;
use crate::kernels::random::{block, normal4, uniform4};

/// The word that stands wherever nothing may be read or written: a NaN that no computation makes.
pub const POISON: u32 = 0x7fc0_dead;

/// How words are filled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fill {
    /// Normals with this mean and standard deviation.
    Normal(f32, f32),
    /// Uniforms between two numbers.
    Uniform(f32, f32),
    /// Whole numbers from 0 to below this.
    Whole(u32),
    /// Random bits.
    Bits,
    /// The same number everywhere.
    Constant(f32),
    /// Nothing yet: the kernel writes it.
    Poison,
}

/// What one binding holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// How many words are bound.
    pub len: usize,
    /// How they are filled.
    pub fill: Fill,
    /// Where the words lie that may be read, if not everywhere; all others are poison.
    pub rows: Option<Rows>,
    /// Single words that are something else.
    pub set: Vec<(usize, f32)>,
    /// Whether nothing depends on the words in this case.
    pub inert: bool,
}

/// Rows of words in a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    /// Words before the first.
    pub offset: usize,
    /// Words from one to the next.
    pub stride: usize,
    /// Words of each.
    pub width: usize,
    /// How many.
    pub count: usize,
}

impl Input {
    /// A binding filled from end to end.
    pub fn new(len: usize, fill: Fill) -> Input {
        Input { len, fill, rows: None, set: vec![], inert: false }
    }

    /// A binding that the kernel writes.
    pub fn output(len: usize) -> Input {
        Input::new(len, Fill::Poison)
    }

    /// A binding of which only some rows are live.
    pub fn strided(rows: Rows, fill: Fill) -> Input {
        let len = rows.offset + (rows.count - 1) * rows.stride + rows.width;
        Input { len, fill, rows: Some(rows), set: vec![], inert: false }
    }

    /// Makes one word something else.
    #[must_use]
    pub fn with(mut self, at: usize, value: f32) -> Input {
        self.set.push((at, value));
        self
    }

    /// Says that nothing depends on the words in this case.
    #[must_use]
    pub fn inert(mut self) -> Input {
        self.inert = true;
        self
    }

    /// Whether changing a word should change what the kernel writes.
    pub fn matters(&self) -> bool {
        self.fill != Fill::Poison && !self.inert
    }

    /// The words; a function of the seed and the binding's index.
    pub(super) fn words(&self, binding: u32, seed: u64) -> Vec<u32> {
        let step = Step { seed: Step::seed_words(seed), ..Step::default() };
        let four = |index: u32| -> [u32; 4] {
            match self.fill {
                Fill::Normal(mean, deviation) => {
                    normal4(&step, binding, index).map(|z| (mean + deviation * z).to_bits())
                }
                Fill::Uniform(low, high) => uniform4(&step, binding, index).map(|u| (low + (high - low) * u).to_bits()),
                Fill::Whole(end) => block(&step, binding, index).map(|word| ((word % end) as f32).to_bits()),
                Fill::Bits => block(&step, binding, index),
                Fill::Constant(value) => [value.to_bits(); 4],
                Fill::Poison => [POISON; 4],
            }
        };
        let mut words: Vec<u32> = (0..self.len.div_ceil(4) as u32).flat_map(four).collect();
        words.truncate(self.len);
        if let Some(rows) = self.rows {
            for (i, word) in words.iter_mut().enumerate() {
                let live = i.checked_sub(rows.offset).is_some_and(|at| at % rows.stride < rows.width);
                if !live {
                    *word = POISON;
                }
            }
        }
        for &(at, value) in &self.set {
            words[at] = value.to_bits();
        }
        words
    }
}
