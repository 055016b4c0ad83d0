//! The batch: rows of a resident data set, gathered in the epoch's order, decoded and perhaps binarised.
//!
//! `x[b, j] = decode(data[row(position + b), j])`, where `row` is the identity or the epoch's shuffle. The data stays
//! packed on the device; b counts from the row of the batch at which this part of it begins; rows beyond the data set's end repeat its last position and are masked by the model. Rows in turn
//! have no end: `row = shuffle((step · rows + b) mod count)`.
//!
//! Threads: one per word of an output row (32 values of bits, 4 of bytes, 1 of floats); a few words on software adapters.

use rayon::prelude::*;

use super::args::Args;
use super::random::{Shuffle, fill_uniforms};
use super::simd::vectorised;
use super::step::{DIMS, Step};
use super::wgsl::Shader;
use super::{Access, Cost, IMMEDIATES, Kernel, Module, RANDOM, Traits, grid};

/// How a row's values lie in its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Packing {
    /// One bit per value, lowest bit first.
    Bits,
    /// One byte per value, lowest byte first, decoded as byte/255.
    Bytes,
    /// One f32 per value.
    Floats,
}

impl Packing {
    /// Values per word.
    pub fn per_word(self) -> usize {
        match self {
            Packing::Bits => 32,
            Packing::Bytes => 4,
            Packing::Floats => 1,
        }
    }
}

/// In which order positions of an epoch meet rows of the data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// Position p is row p.
    Sequential,
    /// A new random order every epoch.
    Shuffled,
    /// Round and round, however long an epoch is: step s begins where step s − 1 ended. The random order is the epoch's.
    InTurn,
}

/// What becomes of grey values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binarise {
    /// They stay as they are.
    Never,
    /// Each step draws x ~ Bernoulli(grey) from this stream.
    Sample(u32),
}

/// Gathers and decodes one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Rows of the batch.
    pub rows: usize,
    /// Values per row.
    pub features: usize,
    /// Rows of the data set.
    pub count: usize,
    /// How values are packed; each row starts at a whole word.
    pub packing: Packing,
    /// The order of the rows.
    pub order: Order,
    /// Whether grey values are binarised.
    pub binarise: Binarise,
}

const SHADER: &str = include_str!("../../../shaders/batch.wgsl");

impl Batch {
    /// Words per row of the data set.
    pub fn row_words(&self) -> usize {
        self.features.div_ceil(self.packing.per_word())
    }

    /// The row of the data set that stands in row `b` of the batch.
    fn row(&self, shuffle: &Shuffle, step: &Step, b: usize) -> usize {
        let (b, count) = (b as u32, self.count as u32);
        let b = step.row_offset + b;
        let position = (step.position + b).min(count - 1);
        let row = match self.order {
            Order::Sequential => position,
            Order::Shuffled => shuffle.at(position),
            Order::InTurn => shuffle.at(step.step.wrapping_mul(self.rows as u32).wrapping_add(b) % count),
        };
        row as usize
    }
}

impl Kernel for Batch {
    fn name(&self) -> &'static str {
        "batch"
    }

    fn bindings(&self) -> Vec<Access> {
        vec![Access::Read, Access::Write]
    }

    fn module(&self, traits: &Traits, _: usize) -> Module {
        let each = if traits.software { 16 } else { 1 };
        let threads_per_row = self.row_words().div_ceil(each);
        let workgroups = grid((self.rows * threads_per_row).div_ceil(64));
        let mut shader = Shader::new(SHADER)
            .set("LINE", workgroups[0] * 64)
            .set("ROWS", self.rows)
            .set("FEATURES", self.features)
            .set("ROW_WORDS", self.row_words())
            .set("PER_WORD", self.packing.per_word())
            .set("EACH", each)
            .set("THREADS_PER_ROW", threads_per_row);
        shader = match self.packing {
            Packing::Bits => shader.put("decode", "let value = f32((word >> k) & 1u);"),
            Packing::Bytes => shader,
            Packing::Floats => shader.put("decode", "let value = bitcast<f32>(word);"),
        };
        if let Binarise::Sample(stream) = self.binarise {
            let draw = format!("uniform4({stream}u, element / 4u)[element % 4u]");
            shader = shader.put("binarise", format!("x[b * FEATURES + j] = select(0.0, 1.0, {draw} < value);"));
        }
        shader = match self.order {
            Order::Sequential => shader.put("row", "let row = position;"),
            Order::Shuffled => shader,
            Order::InTurn => shader.put("position", "let position = (im.step * ROWS + im.row_offset + b) % im.d0.x;"),
        };
        Module { text: IMMEDIATES.to_string() + &Shader::new(RANDOM).text() + &shader.text(), workgroups }
    }

    fn dims(&self) -> [u32; DIMS] {
        let mut dims = [0; DIMS];
        dims[0] = self.count as u32;
        dims
    }

    fn cost(&self) -> Cost {
        Cost {
            flops: (self.rows * self.features) as f64,
            bytes_read: 4.0 * (self.rows * self.row_words()) as f64,
            bytes_written: 4.0 * (self.rows * self.features) as f64,
        }
    }

    fn run(&self, args: &Args, step: &Step) {
        // SAFETY: this thread is the only writer.
        let (data, out) = (args.words(0), unsafe { args.write(1) });
        let shuffle = Shuffle::new(step, self.count as u32);
        let rows = out[..self.rows * self.features].par_chunks_exact_mut(self.features).enumerate();
        // A second thread costs about ten microseconds to wake.
        rows.with_min_len(16_384 / self.features + 1).for_each(|(b, out)| {
            let words = &data[self.row(&shuffle, step, b) * self.row_words()..][..self.row_words()];
            decode(self.packing, words, out);
            if let Binarise::Sample(stream) = self.binarise {
                binarise(out, (step.row_offset as usize + b) * self.features, step, stream);
            }
        });
    }
}

vectorised! {
    /// A row of values from its words.
    fn decode(packing: Packing, words: &[u32], out: &mut [f32]) = decode_words;
}

vectorised! {
    /// Draws values as black or white, the first of them being this element of the stream.
    fn binarise(values: &mut [f32], first: usize, step: &Step, stream: u32) = draw;
}

#[inline(always)]
fn decode_words(packing: Packing, words: &[u32], out: &mut [f32]) {
    match packing {
        Packing::Bits => {
            for (&word, out) in words.iter().zip(out.chunks_mut(32)) {
                for (k, out) in out.iter_mut().enumerate() {
                    *out = ((word >> k) & 1) as i32 as f32;
                }
            }
        }
        Packing::Bytes => {
            let (whole, rest) = out.as_chunks_mut::<4>();
            for (&word, out) in words.iter().zip(whole.iter_mut()) {
                for (k, out) in out.iter_mut().enumerate() {
                    *out = ((word >> (8 * k)) & 255) as i32 as f32 * (1.0 / 255.0);
                }
            }
            if let Some(&word) = words.last() {
                for (k, out) in rest.iter_mut().enumerate() {
                    *out = ((word >> (8 * k)) & 255) as i32 as f32 * (1.0 / 255.0);
                }
            }
        }
        Packing::Floats => out.copy_from_slice(bytemuck::cast_slice(words)),
    }
}

#[inline(always)]
fn draw(values: &mut [f32], first: usize, step: &Step, stream: u32) {
    const PART: usize = 256;
    let mut drawn = [0.0; PART];
    for (part, values) in values.chunks_mut(PART).enumerate() {
        let drawn = &mut drawn[..values.len()];
        fill_uniforms(drawn, first + part * PART, step, stream);
        for (value, draw) in values.iter_mut().zip(drawn) {
            *value = if *draw < *value { 1.0 } else { 0.0 };
        }
    }
}
