//! What the first of several trainers that share a training tells the others to do.

use std::ops::Range;

use super::reduce::Reduce;
use crate::error::{Error, Result};
use crate::kernels::Step;

/// Words of a step.
const STEP: usize = size_of::<Step>() / 4;
/// Words of a run of a program: its place among those of the training, and its step.
const RUN: usize = 1 + STEP;
/// Words before those of the runs.
const HEAD: usize = 6;
/// Runs that travel with the head: as many as a batch usually has. Further ones follow by themselves.
const USUAL: usize = 6;

/// The first word, by what is to be done.
const END: u32 = 0;
const LEVEL: u32 = 1;
const COMPARE: u32 = 2;
const BATCH: u32 = 3;

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Order {
    /// The training is done.
    End,
    /// To take the first trainer's parameters, and what optimisers keep.
    Level,
    /// To compare those with the first trainer's.
    Compare,
    /// To run programs for a batch.
    Batch {
        /// The epoch, and the positions in it of the rows that the programs see.
        epoch: u64,
        positions: Range<usize>,
        /// The programs, by their places among those of the training, each with its step.
        runs: Vec<(usize, Step)>,
    },
}

impl Order {
    /// Tells it to the others.
    pub fn tell(&self, reduce: &mut dyn Reduce) -> Result<()> {
        let mut head = [0; HEAD + USUAL * RUN];
        let Order::Batch { epoch, positions, runs } = self else {
            head[0] = match self {
                Order::Level => LEVEL,
                Order::Compare => COMPARE,
                _ => END,
            };
            return reduce.broadcast(&mut head);
        };
        head[..HEAD].copy_from_slice(&[
            BATCH,
            *epoch as u32,
            (epoch >> 32) as u32,
            positions.start as u32,
            positions.end as u32,
            runs.len() as u32,
        ]);
        let mut words: Vec<u32> = Vec::with_capacity(runs.len() * RUN);
        for (place, step) in runs {
            words.push(*place as u32);
            words.extend_from_slice(bytemuck::cast_slice(bytemuck::bytes_of(step)));
        }
        let together = words.len().min(USUAL * RUN);
        let (usual, further) = words.split_at_mut(together);
        head[HEAD..][..usual.len()].copy_from_slice(usual);
        reduce.broadcast(&mut head)?;
        if further.is_empty() { Ok(()) } else { reduce.broadcast(further) }
    }

    /// Waits for the next.
    pub fn hear(reduce: &mut dyn Reduce) -> Result<Order> {
        let mut head = [0; HEAD + USUAL * RUN];
        reduce.broadcast(&mut head)?;
        let [kind, low, high, start, end, count] = std::array::from_fn(|i| head[i]);
        match kind {
            END => return Ok(Order::End),
            LEVEL => return Ok(Order::Level),
            COMPARE => return Ok(Order::Compare),
            BATCH => {}
            _ => {
                return Err(Error::invalid(format!(
                    "the first trainer says {kind}, which is no order: all must run the same program"
                )));
            }
        }
        let count = count as usize;
        let mut words = head[HEAD..][..count.min(USUAL) * RUN].to_vec();
        if count > USUAL {
            let mut further = vec![0; (count - USUAL) * RUN];
            reduce.broadcast(&mut further)?;
            words.append(&mut further);
        }
        let run = |words: &[u32]| (words[0] as usize, *bytemuck::from_bytes(bytemuck::cast_slice(&words[1..])));
        Ok(Order::Batch {
            epoch: u64::from(low) | u64::from(high) << 32,
            positions: start as usize..end as usize,
            runs: words.chunks_exact(RUN).map(run).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::threads::in_threads;
    use super::*;

    #[test]
    fn what_is_told_is_heard() {
        let [mut first, mut second] = <[_; 2]>::try_from(in_threads(2)).ok().unwrap();
        let step = |i: u32| Step { step: i, scalars: [i as f32; 8], row_offset: 7 * i, ..Step::default() };
        let batch = |count: usize| Order::Batch {
            epoch: 3 << 40,
            positions: 128..256,
            runs: (0..count).map(|i| (i % 3, step(i as u32))).collect(),
        };
        // As many as travel together, one more, and many.
        let orders = [batch(0), Order::Level, Order::Compare, batch(USUAL), batch(USUAL + 1), batch(40), Order::End];
        std::thread::scope(|scope| {
            scope.spawn(|| orders.iter().for_each(|order| order.tell(&mut *first.reduce).unwrap()));
            for order in &orders {
                assert_eq!(Order::hear(&mut *second.reduce).unwrap(), *order);
            }
        });
    }
}
