//! How many steps to send at once.

use std::time::{Duration, Instant};

/// How long the steps that are sent at once should take: long enough that sending them costs nothing, and well below
/// what makes a desktop driver reset the device.
const SUBMIT: Duration = Duration::from_millis(40);

/// Learns how long a step takes from when steps finish, on a device that runs behind.
#[derive(Debug)]
pub(super) struct Pace {
    last: Option<Instant>,
    step: Option<Duration>,
}

impl Pace {
    pub fn new() -> Pace {
        Pace { last: None, step: None }
    }

    /// So many steps were found finished just now.
    pub fn finished(&mut self, steps: u64) {
        self.finished_at(steps, Instant::now());
    }

    fn finished_at(&mut self, steps: u64, now: Instant) {
        if steps == 0 {
            return;
        }
        // The first steps bring compilation with them: the clock starts behind them.
        if let Some(last) = self.last {
            self.step = Some(now.duration_since(last) / steps as u32);
        }
        self.last = Some(now);
    }

    /// How many steps to send next, after `now` of them: no more than twice as many, as few as it takes.
    pub fn next(&self, now: usize) -> usize {
        match self.step {
            None => now,
            Some(step) => {
                let fitting = SUBMIT.as_secs_f64() / step.as_secs_f64().max(1e-9);
                (fitting as usize).clamp(1, 2 * now)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_by_doubling_and_shrinks_at_once() {
        let (mut pace, start) = (Pace::new(), Instant::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        assert_eq!(pace.next(1), 1, "nothing is known yet");
        pace.finished_at(1, at(3000));
        assert_eq!(pace.next(1), 1, "the first step compiles, and says nothing");
        pace.finished_at(1, at(3001));
        assert_eq!(pace.next(1), 2);
        pace.finished_at(2, at(3003));
        assert_eq!(pace.next(32), 40, "forty steps of a millisecond");
        pace.finished_at(0, at(3500));
        assert_eq!(pace.next(32), 40, "nothing finished, nothing learnt");
        pace.finished_at(10, at(4003));
        assert_eq!(pace.next(40), 1, "a step of 100 ms goes alone");
    }
}
