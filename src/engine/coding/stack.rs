//! A stack of bits: range asymmetric numeral systems (Duda 2013) with a state of 64 bits and words of 32.

/// An interval of whole numbers, of `1 << precision` in all: its share is a probability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Where it begins.
    pub start: u32,
    /// How long it is, 1 or more.
    pub size: u32,
    /// From 1 to 31.
    pub precision: u32,
}

/// The state is never below this.
const LEAST: u64 = 1 << 32;

/// Bits of which the last that were pushed are the first that are popped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    state: u64,
    words: Vec<u32>,
    /// How many words were asked for beyond those that were there, and where they come from.
    lent: u64,
}

impl Default for Stack {
    fn default() -> Stack {
        Stack { state: START, words: vec![], lent: 0 }
    }
}

/// The state of a stack on which nothing is.
const START: u64 = 0x9e37_79b9_7f4a_7c15;

/// The word that is lent at a place: any numbers that both sides know (SplitMix64).
fn lent_word(place: u64) -> u32 {
    let mut x = place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) as u32
}

impl Stack {
    /// A stack as another machine left it; `None` if it cannot have.
    pub fn of(state: u64, words: Vec<u32>) -> Option<Stack> {
        (state >= LEAST).then_some(Stack { state, words, lent: 0 })
    }

    /// What another machine needs of it: the state and the words, the first pushed the first.
    pub fn into_parts(self) -> (u64, Vec<u32>) {
        (self.state, self.words)
    }

    /// Pushes what has this interval.
    pub fn push(&mut self, Interval { start, size, precision }: Interval) {
        let size = u64::from(size);
        if self.state >> (64 - precision) >= size {
            self.words.push(self.state as u32);
            self.state >>= 32;
        }
        self.state = ((self.state / size) << precision) + self.state % size + u64::from(start);
    }

    /// What [`Stack::pop`] must find the interval of: a number below `1 << precision`.
    pub fn peek(&self, precision: u32) -> u32 {
        (self.state & ((1 << precision) - 1)) as u32
    }

    /// Takes off what has this interval, in which [`Stack::peek`] lies. Where the stack has too few bits, it is lent some.
    pub fn pop(&mut self, Interval { start, size, precision }: Interval) {
        let slot = u64::from(self.peek(precision));
        self.state = u64::from(size) * (self.state >> precision) + slot - u64::from(start);
        if self.state < LEAST {
            let word = self.words.pop().unwrap_or_else(|| {
                self.lent += 1;
                lent_word(self.lent - 1)
            });
            self.state = self.state << 32 | u64::from(word);
        }
    }

    /// Words that were lent so far.
    pub fn lent(&self) -> u64 {
        self.lent
    }

    /// Bits that it holds, of those that are lent none.
    pub fn bits(&self) -> usize {
        32 * self.words.len()
    }

    /// Whether nothing is left on it but what was lent, so many words: what it comes to when all is popped that was pushed.
    pub fn is_as_before(&self, lent: u64) -> bool {
        let is_lent = |(place, &word): (usize, &u32)| word == lent_word(lent - 1 - place as u64);
        self.state == START
            && self.words.len() as u64 == lent
            && self.lent == 0
            && self.words.iter().enumerate().all(is_lent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(number: u64) -> Interval {
        let precision = 1 + (number >> 40) as u32 % 31;
        let whole = 1u64 << precision;
        let start = (number % whole) as u32;
        let size = 1 + ((number >> 17) % (whole - u64::from(start))) as u32;
        Interval { start, size, precision }
    }

    fn numbers(count: u64) -> impl Iterator<Item = u64> {
        (0..count).map(|i| u64::from(lent_word(1000 + i)) << 32 | u64::from(lent_word(9_000_000 + i)))
    }

    #[test]
    fn what_is_pushed_comes_back() {
        let all: Vec<Interval> = numbers(100_000).map(interval).collect();
        let mut stack = Stack::default();
        all.iter().for_each(|&interval| stack.push(interval));
        let bits: f64 = all.iter().map(|i| f64::from(i.precision) - f64::from(i.size).log2()).sum();
        let used = stack.bits() as f64;
        assert!((used - bits).abs() < 100.0, "{used} bits for {bits}");
        let (state, words) = stack.into_parts();
        let mut stack = Stack::of(state, words).unwrap();
        for &interval in all.iter().rev() {
            let slot = stack.peek(interval.precision);
            assert!((interval.start..interval.start + interval.size).contains(&slot));
            stack.pop(interval);
        }
        assert!(stack.is_as_before(0));
    }

    #[test]
    fn what_is_drawn_from_lent_bits_goes_back() {
        // Twelve fair draws of 28 bits from an empty stack, then forty pushes: backwards, the lent words are left.
        let mut stack = Stack::default();
        let unit = |slot: u32| Interval { start: slot, size: 1, precision: 28 };
        let drawn: Vec<u32> = (0..12)
            .map(|_| {
                let slot = stack.peek(28);
                stack.pop(unit(slot));
                slot
            })
            .collect();
        let lent = stack.lent();
        assert_eq!(lent, 10, "336 bits, of which 32 were there");
        let pushed: Vec<Interval> = numbers(40).map(interval).collect();
        pushed.iter().for_each(|&interval| stack.push(interval));
        let (state, words) = stack.into_parts();
        let mut back = Stack::of(state, words).unwrap();
        pushed.iter().rev().for_each(|&interval| back.pop(interval));
        drawn.iter().rev().for_each(|&slot| back.push(unit(slot)));
        assert!(back.is_as_before(lent) && !back.is_as_before(lent - 1));
        // One bit changed on the way is noticed.
        back.words[3] ^= 4;
        assert!(!back.is_as_before(lent));
        assert!(Stack::of(LEAST - 1, vec![]).is_none());
    }
}
