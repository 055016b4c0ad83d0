//! The rows that are learnt from, and what a step sees of them.

use super::faults::Fault;
use super::random::{Draws, order};
use super::xoshiro::{Xoshiro, split_mix};

/// Numbers, row by row.
#[derive(Clone, Debug)]
pub enum Numbers {
    /// Greys from 0 to 255, for 0 to 1.
    Bytes(Vec<u8>),
    /// What they are.
    Floats(Vec<f32>),
}

/// A data set.
#[derive(Clone, Debug)]
pub struct Rows {
    /// Values per row.
    pub features: usize,
    /// All of them.
    pub numbers: Numbers,
}

/// What a step sees.
pub struct Batch {
    /// Its rows; those that pad a short batch repeat the last.
    pub x: Vec<Vec<f64>>,
    /// How many rows are no padding.
    pub live: usize,
    /// How many streams have been drawn from: the noise of the codes is the next.
    pub streams: u32,
}

impl Rows {
    /// Greys of rows of two kinds, dark where the others are light: something to learn. A fifth of them is black or white.
    pub fn greys(features: usize, count: usize, salt: u64) -> Rows {
        let grey = |(i, bits): (usize, u64)| {
            let light = (i / features + i % features / 3).is_multiple_of(2);
            let shade = (bits >> 32) % 60;
            match (bits % 5, light) {
                (0, true) => 255,
                (0, false) => 0,
                (_, true) => 255 - shade as u8,
                (_, false) => shade as u8,
            }
        };
        Rows {
            features,
            numbers: Numbers::Bytes(split_mix(salt).take(features * count).enumerate().map(grey).collect()),
        }
    }

    /// Rows of numbers between −1.5 and 1.5.
    pub fn floats(features: usize, count: usize, salt: u64) -> Rows {
        let float = |bits: u64| 3.0 * ((bits >> 40) as f32 / (1 << 24) as f32 - 0.5);
        Rows { features, numbers: Numbers::Floats(split_mix(salt).take(features * count).map(float).collect()) }
    }

    /// How many rows there are.
    pub fn count(&self) -> usize {
        let numbers = match &self.numbers {
            Numbers::Bytes(bytes) => bytes.len(),
            Numbers::Floats(floats) => floats.len(),
        };
        numbers / self.features
    }

    /// Steps of one pass.
    pub fn batches(&self, batch: usize) -> usize {
        self.count().div_ceil(batch)
    }

    fn row(&self, i: usize) -> Vec<f64> {
        let range = i * self.features..(i + 1) * self.features;
        match &self.numbers {
            Numbers::Bytes(bytes) => bytes[range].iter().map(|&byte| f64::from(byte) / 255.0).collect(),
            Numbers::Floats(floats) => floats[range].iter().map(|&float| f64::from(float)).collect(),
        }
    }

    /// The rows of an epoch in their order.
    pub fn shuffled(&self, seed: u64, epoch: usize, fault: Option<Fault>) -> Vec<usize> {
        let epoch = if fault == Some(Fault::OrderOfAnotherEpoch) { epoch + 1 } else { epoch };
        if fault == Some(Fault::OrderOfTheFile) {
            return (0..self.count()).collect();
        }
        order(seed, epoch as u32, self.count())
    }

    /// Batch `i` of so many rows in this order.
    pub fn batch(&self, size: usize, order: &[usize], i: usize) -> Batch {
        let first = i * size;
        let x = (first..first + size).map(|p| self.row(order[p.min(order.len() - 1)]));
        Batch { x: x.collect(), live: size.min(order.len() - first), streams: 0 }
    }

    /// The rows that stand for held-out greys in every evaluation: each value is drawn once, row by row, white where a uniform
    /// is below the grey.
    pub fn black_and_white(&self, seed: u64) -> Rows {
        let mut generator = Xoshiro::new(seed ^ u64::from_be_bytes(*b"binarise"));
        let values = (0..self.count()).flat_map(|i| self.row(i));
        let drawn = values.map(|value| if generator.uniform() < value { 1.0 } else { 0.0 });
        Rows { features: self.features, numbers: Numbers::Floats(drawn.collect()) }
    }
}

impl Batch {
    /// The batch with x ~ Bernoulli(grey): white where a uniform is below the grey. That takes the first stream of a step.
    pub fn binarised(mut self, draws: Draws, fault: Option<Fault>) -> Batch {
        let draws = if fault == Some(Fault::BinarisedOnce) { Draws { step: 0, ..draws } } else { draws };
        self.streams += 1;
        if fault == Some(Fault::GreysKept) {
            return self;
        }
        for (element, value) in self.x.iter_mut().flatten().enumerate() {
            *value = if draws.uniform(self.streams, element) < *value { 1.0 } else { 0.0 };
        }
        self
    }
}
