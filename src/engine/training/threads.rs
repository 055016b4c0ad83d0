//! The reduction over trainers on threads of one process.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::reduce::{Reduce, Share};
use crate::error::{Error, Result};

/// Where the threads meet.
struct Hub {
    state: Mutex<State>,
    changed: Condvar,
    /// What each part gives, and a range of the sums that it has made.
    given: Vec<RwLock<Vec<f32>>>,
    sums: Vec<RwLock<Vec<f32>>>,
    words: RwLock<Vec<u32>>,
}

#[derive(Default)]
struct State {
    arrived: usize,
    /// How often all have met.
    met: u64,
    /// Why some part will not come any more.
    failed: Option<String>,
}

/// A part's end of it.
struct Member {
    hub: Arc<Hub>,
    part: usize,
}

/// The parts of a training that so many trainers share, each on a thread of its own. Sums are taken in the order of the parts, whichever
/// comes first.
pub fn in_threads(parts: usize) -> Vec<Share> {
    let room = || (0..parts).map(|_| RwLock::default()).collect();
    let hub = Arc::new(Hub {
        state: Mutex::default(),
        changed: Condvar::new(),
        given: room(),
        sums: room(),
        words: RwLock::default(),
    });
    let member = |part| Share { part, parts, reduce: Box::new(Member { hub: hub.clone(), part }) };
    (0..parts).map(member).collect()
}

impl Hub {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all are here.
    fn meet(&self) -> Result<()> {
        let mut state = self.state();
        // Whoever comes late finds what the others have left, which may be half of it.
        if let Some(why) = &state.failed {
            return Err(Error::Device(why.clone()));
        }
        let met = state.met;
        state.arrived += 1;
        if state.arrived == self.given.len() {
            (state.arrived, state.met) = (0, met + 1);
            self.changed.notify_all();
        }
        while state.met == met {
            if let Some(why) = &state.failed {
                return Err(Error::Device(why.clone()));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    fn fail(&self, why: String) {
        self.state().failed.get_or_insert(why);
        self.changed.notify_all();
    }
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl Reduce for Member {
    fn sum(&mut self, values: &mut [f32]) -> Result<()> {
        let Hub { given, sums, .. } = &*self.hub;
        {
            let mut own = write(&given[self.part]);
            own.clear();
            own.extend_from_slice(values);
        }
        self.hub.meet()?;
        // Each adds up a range of the numbers, in the order of the parts.
        let each = values.len().div_ceil(given.len());
        let range = (self.part * each).min(values.len())..((self.part + 1) * each).min(values.len());
        {
            let mut sum = write(&sums[self.part]);
            sum.clear();
            for (part, values) in given.iter().enumerate() {
                let values = &read(values)[range.clone()];
                match part {
                    0 => sum.extend_from_slice(values),
                    _ => sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value),
                }
            }
        }
        self.hub.meet()?;
        let mut rest = values;
        for sum in sums {
            let sum = read(sum);
            let (own, further) = rest.split_at_mut(sum.len());
            own.copy_from_slice(&sum);
            rest = further;
        }
        Ok(())
    }

    fn broadcast(&mut self, words: &mut [u32]) -> Result<()> {
        if self.part == 0 {
            *write(&self.hub.words) = words.to_vec();
        }
        self.hub.meet()?;
        words.copy_from_slice(&read(&self.hub.words));
        // The next are not written before all have these.
        self.hub.meet()
    }

    fn fail(&mut self, why: &str) {
        self.hub.fail(format!("part {} of {} of the training: {why}", self.part, self.hub.given.len()));
    }
}

/// Who waits for one that has gone would wait for ever.
impl Drop for Member {
    fn drop(&mut self) {
        self.hub.fail(format!("part {} of {} of the training has ended", self.part, self.hub.given.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each of some parts comes to on its own thread.
    fn on_threads<T: Send>(parts: usize, work: impl Fn(Share) -> T + Sync) -> Vec<T> {
        std::thread::scope(|scope| {
            let threads: Vec<_> = in_threads(parts).into_iter().map(|share| scope.spawn(|| work(share))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    #[test]
    fn sums_are_taken_in_the_order_of_the_parts() {
        // In another order, they would be 0 or 2.
        let given = [1e8f32, 1.0, -1e8, 1.0];
        for count in [1, 2, 3, 4, 10] {
            let found = on_threads(4, |mut share| {
                let mut values = vec![given[share.part]; count];
                for _ in 0..20 {
                    values.fill(given[share.part]);
                    share.reduce.sum(&mut values).unwrap();
                }
                values
            });
            assert!(found.iter().all(|values| *values == vec![1.0; count]), "{found:?}");
        }
    }

    #[test]
    fn all_have_what_the_first_has() {
        let found = on_threads(3, |mut share| {
            (0..20)
                .map(|turn| {
                    let mut words = [share.part as u32 + turn, 5];
                    share.reduce.broadcast(&mut words).unwrap();
                    words[0]
                })
                .collect::<Vec<_>>()
        });
        assert!(found.iter().all(|found| *found == (0..20).collect::<Vec<_>>()), "{found:?}");
    }

    #[test]
    fn nobody_waits_for_one_that_has_failed_or_gone() {
        for says_so in [true, false] {
            let found = on_threads(3, |mut share| {
                if share.part == 1 {
                    if says_so {
                        share.reduce.fail("its device is lost");
                    }
                    return String::new();
                }
                share.reduce.sum(&mut [1.0]).unwrap_err().to_string()
            });
            let expected = if says_so { "part 1 of 3 of the training: its device is lost" } else { "has ended" };
            assert!([0, 2].iter().all(|&part: &usize| found[part].contains(expected)), "{found:?}");
        }
    }
}
