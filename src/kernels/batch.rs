//! The batch: rows of a resident data set, gathered in the epoch's order, decoded and perhaps binarised.
//!
//! `x[b, j] = decode(data[row(position + b), j])`, where `row` is the identity or the epoch's shuffle. The data stays
//! packed on the device; rows beyond the data set's end repeat its last position and are masked by the model. Rows in turn
//! have no end: `row = shuffle((step · rows + b) mod count)`.
//!
//! Threads: one per word of an output row (32 values of bits, 4 of bytes, 1 of floats); a few words on software adapters.

use super::args::Args;
use super::random::{Shuffle, uniform4};
use super::step::{DIMS, Step};
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

const SHADER: &str = include_str!("../../shaders/batch.wgsl");

impl Batch {
    /// Words per row of the data set.
    pub fn row_words(&self) -> usize {
        self.features.div_ceil(self.packing.per_word())
    }

    fn decode(&self, words: &[u32], j: usize) -> f32 {
        match self.packing {
            Packing::Bits => (words[j / 32] >> (j % 32) & 1) as f32,
            Packing::Bytes => (words[j / 4] >> (8 * (j % 4)) & 255) as f32 * (1.0 / 255.0),
            Packing::Floats => f32::from_bits(words[j]),
        }
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
        let decode = match self.packing {
            Packing::Bits => "f32((word >> k) & 1u)",
            Packing::Bytes => "f32((word >> (8u * k)) & 255u) * (1.0 / 255.0)",
            Packing::Floats => "bitcast<f32>(word)",
        };
        let binarise = match self.binarise {
            Binarise::Never => "value".to_string(),
            Binarise::Sample(stream) => {
                format!("select(0.0, 1.0, uniform4({stream}u, element / 4u)[element % 4u] < value)")
            }
        };
        let row = match self.order {
            Order::Sequential => "position",
            Order::Shuffled | Order::InTurn => "shuffle(position, im.d0.x)",
        };
        let position = match self.order {
            Order::InTurn => format!("(im.step * {}u + b) % im.d0.x", self.rows),
            Order::Sequential | Order::Shuffled => "min(im.position + b, im.d0.x - 1u)".to_string(),
        };
        let text = format!("{IMMEDIATES}{RANDOM}")
            + &SHADER
                .replace("{{launched}}", &format!("{}u", workgroups[0] * 64))
                .replace("{{rows}}", &format!("{}u", self.rows))
                .replace("{{threads_per_row}}", &format!("{threads_per_row}u"))
                .replace("{{each}}", &format!("{each}u"))
                .replace("{{row_words}}", &format!("{}u", self.row_words()))
                .replace("{{features}}", &format!("{}u", self.features))
                .replace("{{per_word}}", &format!("{}u", self.packing.per_word()))
                .replace("{{position}}", &position)
                .replace("{{row}}", row)
                .replace("{{decode}}", decode)
                .replace("{{binarise}}", &binarise);
        Module { text, workgroups }
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
        for (b, out) in out.chunks_exact_mut(self.features).take(self.rows).enumerate() {
            let (b, count) = (b as u32, self.count as u32);
            let position = (step.position + b).min(count - 1);
            let row = match self.order {
                Order::Sequential => position,
                Order::Shuffled => shuffle.at(position),
                Order::InTurn => shuffle.at(step.step.wrapping_mul(self.rows as u32).wrapping_add(b) % count),
            } as usize;
            let b = b as usize;
            let words = &data[row * self.row_words()..][..self.row_words()];
            for (j, out) in out.iter_mut().enumerate() {
                *out = self.decode(words, j);
            }
            if let Binarise::Sample(stream) = self.binarise {
                let (mut at, mut draws) = (usize::MAX, [0.0; 4]);
                for (j, out) in out.iter_mut().enumerate() {
                    let element = b * self.features + j;
                    if element / 4 != at {
                        at = element / 4;
                        draws = uniform4(step, stream, at as u32);
                    }
                    *out = if draws[element % 4] < *out { 1.0 } else { 0.0 };
                }
            }
        }
    }
}
