//! The batch: rows of a data set, gathered in the epoch's order, decoded and perhaps binarised.
//!
//! `x[b, j] = decode(data[place(position + b), j])`. The data stays packed on the device; b counts from the row of the batch at
//! which this part of it begins; rows beyond the data set's end repeat its last position and are masked by the model. Rows in turn have no end: their position is
//! `(step · rows + b) mod count`, and every part of a batch has all of them.
//!
//! An epoch is cut into windows of W positions, of which the device holds two in turn; a data set that is held whole is one window.
//! Position p of window w = p / W lies at `h·W + order(p mod W)`, where `order` is the identity or the window's own shuffle, and h is
//! 0 or 1 by the number of the window, counted over all epochs (0 where there is only one). What lies there is the host's affair.
//!
//! Rows lie in buffers of B rows each, as large as an adapter binds. A call reads up to [`BUFFERS`] of them and writes those rows of
//! the batch that lie in them; where there are more buffers, further calls write the rest.
//!
//! Pictures may be changed on the way ([`Augment`]).
//!
//! Threads: one per word of an output row (32 values of bits, 4 of bytes, 1 of floats); a few words on software adapters.

mod augment;

use rayon::prelude::*;

use super::args::Args;
use super::random::{Shuffle, UNIFORM, fill_uniforms};
use super::simd::vectorised;
use super::step::{DIMS, Step};
use super::wgsl::Shader;
use super::{Access, Cost, IMMEDIATES, Kernel, Module, RANDOM, Traits, Work, grid};

pub use augment::{Augment, Augmented};

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
    /// Round and round, however long an epoch is: step s begins where step s − 1 ended. The random order is the epoch's. Where a batch is
    /// shared out, every part of it has all of these rows.
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
    /// How pictures are changed, if they are; before grey values are binarised.
    pub augment: Option<Augmented>,
    /// Whether grey values are binarised.
    pub binarise: Binarise,
    /// Rows of a window: as many as the data set has, where it is held whole.
    pub window: usize,
    /// Rows of a buffer.
    pub buffer: usize,
    /// The buffers that are read here: the first, and how many.
    pub read: (usize, usize),
}

/// The most buffers that one call reads: with the batch itself, as many bindings as every adapter has.
pub const BUFFERS: usize = 7;

const SHADER: &str = include_str!("../../../shaders/batch.wgsl");

/// What stands in place of the line that reads a word, and of the one behind which its values are taken: where pictures are changed,
/// every value comes from a word of its own, and one from outside the picture is that of a word of zeros.
const TAKEN_FROM: [&str; 2] = [
    "        let changes = drawn(origin + b);",
    "            if (j < FEATURES) {
                let taken = source(changes, j);
                let inside = taken != OUTSIDE;
                let held = select(0u, taken, inside);
                let word = select(0u, word_of(buffer, start + held / PER_WORD), inside);
                let k = held % PER_WORD;",
];

impl Batch {
    /// Of a data set that is held whole in one buffer.
    pub fn whole(
        rows: usize,
        features: usize,
        count: usize,
        packing: Packing,
        order: Order,
        binarise: Binarise,
    ) -> Batch {
        let (augment, window, buffer, read) = (None, count, count, (0, 1));
        Batch { rows, features, count, packing, order, augment, binarise, window, buffer, read }
    }

    /// Words per row of the data set.
    pub fn row_words(&self) -> usize {
        self.features.div_ceil(self.packing.per_word())
    }

    /// The row of the batch at which this part of it begins.
    fn first_row(&self, step: &Step) -> u32 {
        if self.order == Order::InTurn { 0 } else { step.row_offset }
    }

    /// Where the row lies that stands in row `b` of the batch. `whole` is the order of all rows.
    fn place(&self, whole: &Shuffle, step: &Step, b: usize) -> usize {
        let (count, window) = (self.count as u32, self.window as u32);
        let b = self.first_row(step) + b as u32;
        let position = match self.order {
            Order::Sequential | Order::Shuffled => (step.position + b).min(count - 1),
            Order::InTurn => step.step.wrapping_mul(self.rows as u32).wrapping_add(b) % count,
        };
        let (part, within) = (position / window, position % window);
        let (rows, windows) = (window.min(count - part * window), (count - 1) / window + 1);
        let held = if windows > 1 { step.epoch.wrapping_mul(windows).wrapping_add(part) % 2 * window } else { 0 };
        let row = match self.order {
            Order::Sequential => within,
            _ if windows == 1 => whole.at(within),
            _ => Shuffle::of_part(step, rows, part).at(within),
        };
        (held + row) as usize
    }

    /// The bindings.
    fn buffers(&self) -> String {
        let (_, count) = self.read;
        let data = |i| format!("@group(0) @binding({i}) var<storage, read> data{i}: array<u32>;\n");
        let x = format!("@group(0) @binding({count}) var<storage, read_write> x: array<f32>;\n");
        (0..count).map(data).chain([x]).collect()
    }

    /// How words of all buffers but the first are read.
    fn further(&self) -> String {
        let (_, count) = self.read;
        (1..count).map(|i| format!("    if (buffer == {i}u) {{\n        return data{i}[at];\n    }}\n")).collect()
    }
}

impl Kernel for Batch {
    fn name(&self) -> &'static str {
        "batch"
    }

    fn bindings(&self) -> Vec<Access> {
        let mut all = vec![Access::Read; self.read.1];
        all.push(Access::Write);
        all
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
            .set("THREADS_PER_ROW", threads_per_row)
            .set("BOUND", self.read.1)
            .put("buffers", self.buffers())
            .put("further", self.further());
        shader = match self.packing {
            Packing::Bits => shader.put("decode", "let value = f32((word >> k) & 1u);"),
            Packing::Bytes => shader,
            Packing::Floats => shader.put("decode", "let value = bitcast<f32>(word);"),
        };
        let mut needed = IMMEDIATES.to_string() + &Shader::new(RANDOM).text();
        if let Some(augment) = self.augment {
            needed += &augment.text();
            shader = shader.put("word", TAKEN_FROM[0]).put("from", TAKEN_FROM[1]);
        }
        if let Binarise::Sample(stream) = self.binarise {
            let draw = format!("uniform4({stream}u, element / 4u)[element % 4u]");
            shader = shader.put("binarise", format!("x[b * FEATURES + j] = select(0.0, 1.0, {draw} < value);"));
        }
        shader = match self.order {
            Order::Sequential => shader.put("row", "return held + within;"),
            Order::Shuffled => shader,
            Order::InTurn => {
                let all = shader.put("origin", "let origin = 0u;");
                all.put("position", "let position = (im.step * ROWS + b) % im.d0.x;")
            }
        };
        Module { text: needed + &shader.text(), workgroups }
    }

    fn dims(&self) -> [u32; DIMS] {
        let mut dims = [0; DIMS];
        dims[..4].copy_from_slice(&[self.count, self.window, self.buffer, self.read.0].map(|size| size as u32));
        dims
    }

    fn cost(&self) -> Cost {
        // Taken out of its word, made a float and scaled; drawn and compared.
        let decoded = Work::of(match self.packing {
            Packing::Bits => 3.0,
            Packing::Bytes => 4.0,
            Packing::Floats => 0.0,
        });
        let each = match self.binarise {
            Binarise::Never => decoded,
            Binarise::Sample(_) => decoded.and(UNIFORM).and(Work::of(2.0)),
        };
        Cost {
            flops: (self.rows * self.features) as f64,
            work: each.times((self.rows * self.features) as f64),
            bytes_read: 4.0 * (self.rows * self.row_words()) as f64,
            bytes_written: 4.0 * (self.rows * self.features) as f64,
        }
    }

    fn run(&self, args: &Args, step: &Step) {
        let (first, count) = self.read;
        // SAFETY: this thread is the only writer.
        let out = unsafe { args.write(count).all() };
        let whole = Shuffle::new(step, self.count as u32);
        let rows = out[..self.rows * self.features].par_chunks_exact_mut(self.features).enumerate();
        // A second thread costs about ten microseconds to wake.
        let room = || if self.augment.is_some() { vec![0.0; self.features] } else { vec![] };
        rows.with_min_len(16_384 / self.features + 1).for_each_init(room, |picture, (b, out)| {
            let place = self.place(&whole, step, b);
            // Rows of other buffers are another call's.
            let Some(buffer) = (place / self.buffer).checked_sub(first).filter(|&buffer| buffer < count) else {
                return;
            };
            let words = &args.words(buffer)[place % self.buffer * self.row_words()..][..self.row_words()];
            match &self.augment {
                None => decode(self.packing, words, out),
                Some(augment) => {
                    decode(self.packing, words, picture);
                    augment.change(picture, out, step, self.first_row(step) + b as u32);
                }
            }
            if let Binarise::Sample(stream) = self.binarise {
                binarise(out, (self.first_row(step) as usize + b) * self.features, step, stream);
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
