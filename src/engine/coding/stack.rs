//! A stack of bits: the asymmetric numeral systems (Duda 2013) of the crate `constriction`, with a state of 64 bits, words of 32, and
//! words that are lent where it has none.

use constriction::backends::{ReadWords, WriteWords};
use constriction::stream::model::{DecoderModel, EncoderModel};
use constriction::stream::stack::AnsCoder;
use constriction::stream::{Code, Decode, Encode};
use constriction::{CoderError, Stack as LastFirst};

/// The state is never below this.
const LEAST: u64 = 1 << 32;

/// The state of a stack on which nothing is.
const START: u64 = 0x9e37_79b9_7f4a_7c15;

/// Words that were written, and behind the first of them endlessly many that are lent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Words {
    own: Vec<u32>,
    /// How many were lent.
    lent: u64,
}

/// The word that is lent at a place: any numbers that both sides know (SplitMix64).
fn lent_word(place: u64) -> u32 {
    let mut x = place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) as u32
}

impl ReadWords<u32, LastFirst> for Words {
    type ReadError = std::convert::Infallible;

    fn read(&mut self) -> Result<Option<u32>, Self::ReadError> {
        let word = self.own.pop().unwrap_or_else(|| {
            self.lent += 1;
            lent_word(self.lent - 1)
        });
        Ok(Some(word))
    }
}

impl WriteWords<u32> for Words {
    type WriteError = std::convert::Infallible;

    fn write(&mut self, word: u32) -> Result<(), Self::WriteError> {
        self.own.push(word);
        Ok(())
    }
}

/// Bits of which the last that were pushed are the first that are popped.
#[derive(Clone)]
pub struct Stack(AnsCoder<u32, u64, Words>);

impl Default for Stack {
    fn default() -> Stack {
        Stack(AnsCoder::from_raw_parts(Words::default(), START))
    }
}

impl Stack {
    /// A stack as another machine left it; `None` if it cannot have.
    pub fn of(state: u64, words: Vec<u32>) -> Option<Stack> {
        (state >= LEAST).then(|| Stack(AnsCoder::from_raw_parts(Words { own: words, lent: 0 }, state)))
    }

    /// What another machine needs of it: the state and the words, the first pushed the first.
    pub fn into_parts(self) -> (u64, Vec<u32>) {
        let (words, state) = self.0.into_raw_parts();
        (state, words.own)
    }

    /// Pushes a symbol with its probability.
    ///
    /// # Panics
    /// If the model knows no such symbol.
    pub fn push<M, const PRECISION: usize>(&mut self, symbol: u32, model: &M)
    where
        M: EncoderModel<PRECISION, Symbol = u32, Probability = u32>,
    {
        match self.0.encode_symbol(symbol, model) {
            Ok(()) => {}
            Err(CoderError::Frontend(_)) => panic!("symbol {symbol} is not one of the model's"),
        }
    }

    /// Takes off the last symbol, or draws one from the bits that there are. Where the stack has too few, it is lent some.
    pub fn pop<M, const PRECISION: usize>(&mut self, model: &M) -> u32
    where
        M: DecoderModel<PRECISION, Symbol = u32, Probability = u32>,
    {
        let Ok(symbol) = self.0.decode_symbol(model);
        symbol
    }

    /// Words that were lent so far.
    pub fn lent(&self) -> u64 {
        self.0.bulk().lent
    }

    /// Bits that it holds in words, of those that are lent none.
    pub fn bits(&self) -> usize {
        32 * self.0.bulk().own.len()
    }

    /// Bits that were pushed less those that were popped, to a fraction of a bit.
    pub fn balance(&self) -> f64 {
        self.bits() as f64 - 32.0 * self.lent() as f64 + libm::log2(self.0.state() as f64) - libm::log2(START as f64)
    }

    /// Whether nothing is left on it but what was lent, so many words: what it comes to when all is popped that was pushed.
    pub fn is_as_before(&self, lent: u64) -> bool {
        let Words { own, lent: more } = self.0.bulk();
        let is_lent = |(place, &word): (usize, &u32)| word == lent_word(lent - 1 - place as u64);
        self.0.state() == START && own.len() as u64 == lent && *more == 0 && own.iter().enumerate().all(is_lent)
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Borrow;
    use std::num::NonZeroU32;

    use constriction::stream::model::EntropyModel;

    use super::*;

    /// Symbol 1 has this interval of `1 << 28`; what lies below it is 0, and what lies above is 2.
    #[derive(Clone, Copy)]
    struct Interval {
        start: u32,
        size: u32,
    }

    impl EntropyModel<28> for Interval {
        type Symbol = u32;
        type Probability = u32;
    }

    impl EncoderModel<28> for Interval {
        fn left_cumulative_and_probability(&self, symbol: impl Borrow<u32>) -> Option<(u32, NonZeroU32)> {
            assert_eq!(*symbol.borrow(), 1, "nothing else is pushed");
            Some((self.start, NonZeroU32::new(self.size)?))
        }
    }

    impl DecoderModel<28> for Interval {
        fn quantile_function(&self, slot: u32) -> (u32, u32, NonZeroU32) {
            let end = self.start + self.size;
            let (symbol, start, end) = match slot {
                slot if slot < self.start => (0, 0, self.start),
                slot if slot < end => (1, self.start, end),
                _ => (2, end, 1 << 28),
            };
            (symbol, start, NonZeroU32::new(end - start).unwrap())
        }
    }

    /// Each of `1 << 28` numbers alike.
    struct Uniform;

    impl EntropyModel<28> for Uniform {
        type Symbol = u32;
        type Probability = u32;
    }

    impl EncoderModel<28> for Uniform {
        fn left_cumulative_and_probability(&self, symbol: impl Borrow<u32>) -> Option<(u32, NonZeroU32)> {
            Some((*symbol.borrow(), NonZeroU32::MIN))
        }
    }

    impl DecoderModel<28> for Uniform {
        fn quantile_function(&self, slot: u32) -> (u32, u32, NonZeroU32) {
            (slot, slot, NonZeroU32::MIN)
        }
    }

    fn intervals(count: u64) -> Vec<Interval> {
        let numbers = (0..count).map(|i| (lent_word(1000 + i), lent_word(9_000_000 + i)));
        let of = |(first, second): (u32, u32)| {
            let start = first % (1 << 28);
            Interval { start, size: 1 + second % ((1 << 28) - start) }
        };
        numbers.map(of).collect()
    }

    #[test]
    fn what_is_pushed_comes_back() {
        let all = intervals(100_000);
        let mut stack = Stack::default();
        all.iter().for_each(|interval| stack.push(1, interval));
        let bits: f64 = all.iter().map(|i| 28.0 - f64::from(i.size).log2()).sum();
        // The state is a whole number of 16 or more where it is divided, which costs less than 1/16 each time.
        assert!((stack.balance() - bits).abs() < 100.0, "{} bits for {bits}", stack.balance());
        assert!((stack.bits() as f64 - stack.balance()).abs() < 33.0);
        let (state, words) = stack.into_parts();
        let mut stack = Stack::of(state, words).unwrap();
        all.iter().rev().for_each(|interval| assert_eq!(stack.pop(interval), 1));
        assert!(stack.is_as_before(0));
    }

    #[test]
    fn what_is_drawn_from_lent_bits_goes_back() {
        // Twelve fair draws of 28 bits from an empty stack, then forty pushes: backwards, the lent words are left.
        let mut stack = Stack::default();
        let drawn: Vec<u32> = (0..12).map(|_| stack.pop(&Uniform)).collect();
        let lent = stack.lent();
        assert_eq!(lent, 10, "336 bits, of which 32 were there");
        assert!((stack.balance() + 336.0).abs() < 1.0, "{}", stack.balance());
        let pushed = intervals(40);
        pushed.iter().for_each(|interval| stack.push(1, interval));
        let (state, mut words) = stack.into_parts();
        let back = |state, words: &[u32]| {
            let mut back = Stack::of(state, words.to_vec()).unwrap();
            let popped = pushed.iter().rev().filter(|interval| back.pop(*interval) == 1).count();
            drawn.iter().rev().for_each(|&slot| back.push(slot, &Uniform));
            (popped, back)
        };
        let (popped, whole) = back(state, &words);
        assert!(popped == 40 && whole.is_as_before(lent) && !whole.is_as_before(lent - 1));
        // One bit changed on the way is noticed.
        words[3] ^= 4;
        assert!(!back(state, &words).1.is_as_before(lent));
        assert!(Stack::of(LEAST - 1, vec![]).is_none());
    }
}
