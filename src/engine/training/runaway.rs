//! Whether a loss or a gradient has run away, told by what it was before.

/// A number that is further above the least so far than this many times what was gained since the first, or than the least is large, has
/// run away. Numbers of one run differ by less than that.
const AWAY: f64 = 1000.0;

/// Steps that must be far outside one after the other: a batch with an outlier is one, and what follows it is as before.
const STEPS: u64 = 16;

/// The first of some numbers, and the least of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// The first.
    pub first: f64,
    /// The least.
    pub least: f64,
}

impl Extent {
    /// Of one number.
    pub fn of(first: f64) -> Extent {
        Extent { first, least: first }
    }

    /// Takes note of another number.
    pub fn note(&mut self, value: f64) {
        self.least = self.least.min(value);
    }

    /// Whether a number lies far above all of them: x − l > 1000·max(|l|, |f − l|, 1), with the first f and the least l.
    pub fn is_left_by(&self, value: f64) -> bool {
        let scale = self.least.abs().max((self.first - self.least).abs()).max(1.0);
        value - self.least > AWAY * scale
    }
}

/// Steps far outside after which a state is not worth keeping, though more may be needed to say that it has run away.
const DOUBTFUL: u64 = 3;

/// What losses and norms of gradients of a run's steps were so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Extents {
    loss: Option<Extent>,
    norm: Option<Extent>,
    /// Steps that were far outside, one after the other.
    outside: u64,
    /// Steps since the first of them, with those of which it is not known.
    since: u64,
}

impl Extents {
    /// Takes note of a step; says which of the two has run away, if one has: it was far outside in each of the last 16 steps. A gradient
    /// counts only while the loss is above its first value, since one that grows while the loss falls does its work.
    pub fn note(&mut self, loss: f64, norm: Option<f64>) -> Option<&'static str> {
        let (of_loss, of_norm) = (*self.loss.get_or_insert(Extent::of(loss)), self.norm);
        let is_worse = loss > of_loss.first;
        let what = match (of_norm, norm) {
            _ if of_loss.is_left_by(loss) => "loss",
            (Some(extent), Some(norm)) if is_worse && extent.is_left_by(norm) => "gradient",
            // Gradients that are gathered have a norm at the end of an iteration: until then nothing is known.
            (Some(_), None) if is_worse && self.outside > 0 => {
                self.since += 1;
                return None;
            }
            _ => {
                (self.outside, self.since) = (0, 0);
                self.loss.iter_mut().for_each(|extent| extent.note(loss));
                if let Some(norm) = norm {
                    self.norm.get_or_insert(Extent::of(norm)).note(norm);
                }
                return None;
            }
        };
        (self.outside, self.since) = (self.outside + 1, self.since + 1);
        (self.outside >= STEPS).then_some(what)
    }

    /// Whether the last steps were so far outside that the state behind them may be spoilt.
    pub fn are_left(&self) -> bool {
        self.outside >= DOUBTFUL
    }

    /// Steps since the first of those that were far outside one after the other, up to the last: 0 if that was as before.
    pub fn steps_outside(&self) -> u64 {
        self.since
    }

    /// As a word for a checkpoint's metadata: the bits of the numbers.
    pub(super) fn to_word(self) -> String {
        let bits = |extent: Option<Extent>| match extent {
            Some(Extent { first, least }) => format!("{:016x}:{:016x}", first.to_bits(), least.to_bits()),
            None => "-".to_string(),
        };
        format!("{} {} {} {}", bits(self.loss), bits(self.norm), self.outside, self.since)
    }

    /// What [`Extents::to_word`] wrote.
    pub(super) fn from_word(word: &str) -> Option<Extents> {
        let number = |bits: &str| Some(f64::from_bits(u64::from_str_radix(bits, 16).ok()?));
        let extent = |word: &str| match word.split_once(':') {
            None => (word == "-").then_some(None),
            Some((first, least)) => Some(Some(Extent { first: number(first)?, least: number(least)? })),
        };
        let (loss, norm, outside, since) = match word.split(' ').collect::<Vec<_>>()[..] {
            [loss, norm, outside, since] => (loss, norm, outside, since),
            // Older checkpoints do not tell the two apart.
            [loss, norm, outside] => (loss, norm, outside, outside),
            _ => return None,
        };
        let (loss, norm) = (extent(loss)?, extent(norm)?);
        Some(Extents { loss, norm, outside: outside.parse().ok()?, since: since.parse().ok()? })
    }
}

/// Where numbers ran away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The step of the run, from 1.
    pub step: u64,
    /// The first of the steps that led there, each of which was far outside.
    pub since: u64,
    /// Its epoch, from 1.
    pub epoch: u64,
    /// Its batch in the epoch, from 0.
    pub batch: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The step, from 1, at which these have run away.
    fn away(steps: impl IntoIterator<Item = (f64, f64)>) -> Option<(usize, &'static str)> {
        let mut extents = Extents::default();
        steps.into_iter().enumerate().find_map(|(i, (loss, norm))| Some((i + 1, extents.note(loss, Some(norm))?)))
    }

    #[test]
    fn what_runs_away_is_told_from_what_jumps() {
        let calm = [(100.0, 5.0), (60.0, 3.0)];
        let after = |steps: &[(f64, f64)], times: usize| away(calm.into_iter().chain(steps.repeat(times)));
        // The scale is 60, so 60,060 is the most.
        assert_eq!(after(&[(60_061.0, 3.0)], 40), Some((18, "loss")));
        assert_eq!(after(&[(60_059.0, 3.0)], 40), None);
        assert_eq!(after(&[(1e9, 3.0)], 15), None, "too few");
        assert_eq!(after(&[(1e9, 1e9), (60.0, 3.0)], 40), None, "a batch with an outlier, again and again");
        // The scale of the norms is 3; a loss that is no better than the first.
        assert_eq!(after(&[(101.0, 3_004.0)], 40), Some((18, "gradient")));
        assert_eq!(after(&[(101.0, 3_002.0)], 40), None);
        assert_eq!(after(&[(99.0, 1e6)], 40), None, "it does its work");
        // Of gathered gradients only some steps have a norm.
        let gathered = |norm: f64| {
            let mut extents = Extents::default();
            let steps = [Some(5.0), Some(3.0)].into_iter().chain([None, Some(norm)].repeat(20));
            steps
                .zip([100.0, 60.0].into_iter().chain([101.0; 40]))
                .position(|(norm, loss)| extents.note(loss, norm).is_some())
        };
        // The sixteenth norm is that of step 34, counted from 1.
        assert_eq!([3_004.0, 3_002.0].map(gathered), [Some(33), None]);
        let mut extents = Extents::default();
        let left: Vec<bool> =
            [1.0, 1e9, 1e9, 1e9, 2.0].map(|loss| (extents.note(loss, None), extents.are_left()).1).into();
        assert_eq!(left, [false, false, false, true, false]);
        // A step of which it is not known counts for the time, and one that is as before ends it.
        let mut extents = Extents::default();
        let since: Vec<u64> = [(1.0, Some(1.0)), (2.0, Some(1e9)), (2.0, None), (2.0, Some(1e9)), (2.0, Some(1.0))]
            .map(|(loss, norm)| (extents.note(loss, norm), extents.steps_outside()).1)
            .into();
        assert_eq!(since, [0, 1, 2, 3, 0]);
        assert_eq!(away([(1e12, 1e9), (3.0, 1.0)].repeat(100)), None, "the first was no better");
    }
}
