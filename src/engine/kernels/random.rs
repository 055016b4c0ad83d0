//! Randomness as a function: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), and
//! what is drawn from it. The CPU twin of `shaders/random.wgsl`, operation for operation.
//!
//! A draw is a function of (seed, stream, step, element): the same integers on every device, for any launch shape,
//! and after any resume. Element `e` takes word `e % 4` of block `e / 4`.

use super::Work;
use super::math::{LOG, SIN_COS_TURNS, log, sin_cos_turns};
use super::simd::vectorised;
use super::step::Step;

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// The stream that keys the order of the data; graphs number their own streams from 1.
pub const ORDER_STREAM: u32 = 0;

/// One block of Philox4x32-10: four random words for a counter and a key.
#[inline(always)]
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let (mut c, mut k) = (counter, key);
    for _ in 0..10 {
        let p0 = u64::from(MULTIPLIERS[0]) * u64::from(c[0]);
        let p1 = u64::from(MULTIPLIERS[1]) * u64::from(c[2]);
        c = [(p1 >> 32) as u32 ^ c[1] ^ k[0], p1 as u32, (p0 >> 32) as u32 ^ c[3] ^ k[1], p0 as u32];
        k = [k[0].wrapping_add(WEYL[0]), k[1].wrapping_add(WEYL[1])];
    }
    c
}

/// The four words of block `block` of `stream` at this step.
#[inline(always)]
pub fn block(step: &Step, stream: u32, block: u32) -> [u32; 4] {
    philox([block, step.step, stream, 0], step.seed)
}

/// A uniform strictly between 0 and 1 from a random word: the centres of 2²³ equal cells, all of them exact in f32. The
/// smallest is 2⁻²⁴, the largest 1 − 2⁻²⁴.
#[inline(always)]
pub fn unit(word: u32) -> f32 {
    // Of 23 bits: as a signed integer it is converted by one instruction.
    ((word >> 9) as i32 as f32 + 0.5) * (1.0 / 8_388_608.0)
}

/// What a uniform takes: a quarter of ten rounds of Philox, two products of 64 bits and four exclusive ors each, and [`unit`].
pub const UNIFORM: Work = Work::of(80.0 / 4.0 + 4.0);

/// Four uniforms in (0, 1).
#[inline(always)]
pub fn uniform4(step: &Step, stream: u32, index: u32) -> [f32; 4] {
    block(step, stream, index).map(unit)
}

/// What a standard normal takes.
pub const NORMAL: Work = UNIFORM.and(LOG.and(SIN_COS_TURNS).and(Work::new(3.0, 1.0)).times(0.5));

/// Four standard normals by Box and Muller (1958): r = √(−2 ln u₁), (r cos 2πu₂, r sin 2πu₂), twice.
///
/// |z| ≤ 5.77, the radius of the smallest uniform: the tail beyond has probability 8e-9.
#[inline(always)]
pub fn normal4(step: &Step, stream: u32, index: u32) -> [f32; 4] {
    let u = uniform4(step, stream, index);
    let pair = |a: f32, b: f32| {
        let r = (-2.0 * log(a)).sqrt();
        let (sin, cos) = sin_cos_turns(b);
        [r * cos, r * sin]
    };
    let ([a, b], [c, d]) = (pair(u[0], u[1]), pair(u[2], u[3]));
    [a, b, c, d]
}

/// Blocks that are drawn side by side where there are many: so many that rounds do not wait for each other.
const MANY: usize = 32;

/// The same where there are few.
const FEW: usize = 8;

/// Numbers that begin with a line of the cache: a vector across two lines takes longer.
#[repr(align(64))]
struct Lines<T>(T);

/// The words of the blocks from `first` on: word k of block b is `[k][b]`. All rounds of a vector of blocks are made before those of the next, so that
/// what they work on stays in registers. It stands in 64 bits, of which the upper half means nothing, so that products need no widening.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "iterators over several arrays are not compiled to vectors")]
fn blocks<const BLOCKS: usize>(step: &Step, stream: u32, first: u32) -> Lines<[[u32; BLOCKS]; 4]> {
    const LOW: u64 = 0xffff_ffff;
    let mut words = Lines([[0; BLOCKS]; 4]);
    for b in 0..BLOCKS {
        let mut c = [u64::from(first.wrapping_add(b as u32)), u64::from(step.step), u64::from(stream), 0];
        let mut k = step.seed;
        for _ in 0..10 {
            let p0 = u64::from(MULTIPLIERS[0]) * (c[0] & LOW);
            let p1 = u64::from(MULTIPLIERS[1]) * (c[2] & LOW);
            c = [(p1 >> 32) ^ c[1] ^ u64::from(k[0]), p1, (p0 >> 32) ^ c[3] ^ u64::from(k[1]), p0];
            k = [k[0].wrapping_add(WEYL[0]), k[1].wrapping_add(WEYL[1])];
        }
        for word in 0..4 {
            words.0[word][b] = c[word] as u32;
        }
    }
    words
}

/// What [`uniform4`] gives for the blocks from `first` on, by vectors.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "iterators over several arrays are not compiled to vectors")]
fn uniforms<const BLOCKS: usize>(out: &mut [[f32; 4]; BLOCKS], step: &Step, stream: u32, first: u32) {
    let Lines(words) = blocks::<BLOCKS>(step, stream, first);
    for b in 0..BLOCKS {
        out[b] = [unit(words[0][b]), unit(words[1][b]), unit(words[2][b]), unit(words[3][b])];
    }
}

/// What [`normal4`] gives for the blocks from `first` on, by vectors.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "iterators over several arrays are not compiled to vectors")]
fn normals<const BLOCKS: usize>(out: &mut [[f32; 4]; BLOCKS], step: &Step, stream: u32, first: u32) {
    let (Lines(words), mut z) = (blocks::<BLOCKS>(step, stream, first), Lines([[0.0; BLOCKS]; 4]));
    for pair in [0, 2] {
        for b in 0..BLOCKS {
            let r = (-2.0 * log(unit(words[pair][b]))).sqrt();
            let (sin, cos) = sin_cos_turns(unit(words[pair + 1][b]));
            (z.0[pair][b], z.0[pair + 1][b]) = (r * cos, r * sin);
        }
    }
    for b in 0..BLOCKS {
        out[b] = [z.0[0][b], z.0[1][b], z.0[2][b], z.0[3][b]];
    }
}

vectorised! {
    /// Fills `out` with standard normals: the elements of a stream from `first` on.
    pub fn fill_normals(out: &mut [f32], first: usize, step: &Step, stream: u32) = normals_of;
}

vectorised! {
    /// The same with uniforms in (0, 1).
    pub fn fill_uniforms(out: &mut [f32], first: usize, step: &Step, stream: u32) = uniforms_of;
}

#[inline(always)]
fn normals_of(out: &mut [f32], first: usize, step: &Step, stream: u32) {
    fill::<true>(out, first, step, stream);
}

#[inline(always)]
fn uniforms_of(out: &mut [f32], first: usize, step: &Step, stream: u32) {
    fill::<false>(out, first, step, stream);
}

#[inline(always)]
fn fill<const NORMAL: bool>(out: &mut [f32], first: usize, step: &Step, stream: u32) {
    let (mut block, mut skipped, mut rest) = ((first / 4) as u32, first % 4, out);
    if skipped == 0 {
        let (many, few) = rest.as_chunks_mut::<{ 4 * MANY }>();
        for numbers in many {
            draw::<NORMAL, MANY>(numbers.as_chunks_mut().0, step, stream, block);
            block = block.wrapping_add(MANY as u32);
        }
        rest = few;
    }
    while !rest.is_empty() {
        let mut drawn = Lines([[0.0; 4]; FEW]);
        draw::<NORMAL, FEW>(&mut drawn.0, step, stream, block);
        let drawn = &drawn.0.as_flattened()[skipped..];
        let (now, later) = rest.split_at_mut(drawn.len().min(rest.len()));
        now.copy_from_slice(&drawn[..now.len()]);
        block = block.wrapping_add(FEW as u32);
        (skipped, rest) = (0, later);
    }
}

/// Fills so many blocks.
#[inline(always)]
fn draw<const NORMAL: bool, const BLOCKS: usize>(out: &mut [[f32; 4]], step: &Step, stream: u32, first: u32) {
    let out = out.first_chunk_mut::<BLOCKS>().expect("there is room for all blocks");
    if NORMAL { normals(out, step, stream, first) } else { uniforms(out, step, stream, first) }
}

/// The order of one epoch: a bijection of `0..count`, evaluated at any position without a table.
///
/// A Feistel network of eight rounds over the smallest power of two that holds `count`, walked until it lands inside
/// (Black and Rogaway 2002, "Ciphers with arbitrary finite domains"): fewer than two evaluations on average.
#[derive(Clone, Copy, Debug)]
pub struct Shuffle {
    count: u32,
    low: u32,
    high: u32,
    keys: [u32; 4],
}

impl Shuffle {
    /// The order keyed by the step's seed and epoch.
    pub fn new(step: &Step, count: u32) -> Shuffle {
        Shuffle::of_part(step, count, 0)
    }

    /// An order of its own for each part of an epoch, the first being that of [`Shuffle::new`].
    pub fn of_part(step: &Step, count: u32, part: u32) -> Shuffle {
        let bits = 32 - (count.max(4) - 1).leading_zeros();
        Shuffle {
            count,
            low: bits / 2,
            high: bits - bits / 2,
            keys: philox([part, step.epoch, ORDER_STREAM, 1], step.seed),
        }
    }

    /// Which row stands at `position` (below `count`).
    pub fn at(&self, position: u32) -> u32 {
        let mut x = position;
        loop {
            x = self.feistel(x);
            if x < self.count {
                return x;
            }
        }
    }

    fn feistel(&self, x: u32) -> u32 {
        let (low_mask, high_mask) = ((1 << self.low) - 1, (1 << self.high) - 1);
        let (mut high, mut low) = (x >> self.low, x & low_mask);
        for round in 0..4u32 {
            let key = self.keys[round as usize].wrapping_add(round.wrapping_mul(WEYL[0]));
            high ^= mix(low ^ key) & high_mask;
            low ^= mix(high.wrapping_add(key)) & low_mask;
        }
        high << self.low | low
    }
}

/// The finaliser of MurmurHash3: every input bit reaches every output bit.
#[inline(always)]
fn mix(x: u32) -> u32 {
    let x = (x ^ x >> 16).wrapping_mul(0x85EB_CA6B);
    let x = (x ^ x >> 13).wrapping_mul(0xC2B2_AE35);
    x ^ x >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_agrees_with_the_published_vectors() {
        // Random123's known-answer tests for philox4x32-10.
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn vectors_draw_what_is_drawn_one_by_one() {
        let step = Step { seed: [0xdead_beef, 7], step: 12_345, ..Step::default() };
        for first in [0, 1, 1000, u32::MAX - 3] {
            let one = |draw: fn(&Step, u32, u32) -> [f32; 4], blocks: usize| -> Vec<u32> {
                let numbers = (0..blocks as u32).flat_map(|b| draw(&step, 9, first.wrapping_add(b)));
                numbers.map(f32::to_bits).collect()
            };
            fn bits<const BLOCKS: usize>(draw: impl Fn(&mut [[f32; 4]; BLOCKS])) -> Vec<u32> {
                let mut drawn = [[f32::NAN; 4]; BLOCKS];
                draw(&mut drawn);
                drawn.as_flattened().iter().map(|x| x.to_bits()).collect()
            }
            assert_eq!(bits::<MANY>(|out| uniforms(out, &step, 9, first)), one(uniform4, MANY));
            assert_eq!(bits::<FEW>(|out| uniforms(out, &step, 9, first)), one(uniform4, FEW));
            assert_eq!(bits::<MANY>(|out| normals(out, &step, 9, first)), one(normal4, MANY));
            assert_eq!(bits::<FEW>(|out| normals(out, &step, 9, first)), one(normal4, FEW));
        }
    }

    #[test]
    fn a_stream_is_the_same_wherever_it_is_taken_up() {
        let step = Step { seed: [5, 7], step: 9, ..Step::default() };
        let element = |e: usize| normal4(&step, 3, e as u32 / 4)[e % 4];
        for (first, len) in [(0, 1), (3, 5), (2, 63), (1, 64), (7, 700), (4, 128), (6, 129)] {
            let mut found = vec![f32::NAN; len];
            fill_normals(&mut found, first, &step, 3);
            assert!(found.iter().enumerate().all(|(i, x)| *x == element(first + i)), "{len} from {first} on");
        }
    }

    #[test]
    fn uniforms_lie_strictly_between_0_and_1_and_are_symmetric() {
        assert_eq!(unit(0), 2f32.powi(-24));
        assert_eq!(unit(u32::MAX), 1.0 - 2f32.powi(-24));
        for word in [0, 1 << 9, 0x1234_5678, 0x7fff_ffff, 0x8000_0000, 0xfeed_face, u32::MAX] {
            // Exact: nothing is lost on the way to f32, so that mirrored words give mirrored uniforms.
            assert_eq!(f64::from(unit(word)), (f64::from(word >> 9) + 0.5) / 8_388_608.0, "{word:#x}");
            assert_eq!(1.0 - unit(word), unit(!word), "{word:#x}");
        }
    }

    #[test]
    fn every_row_stands_once_in_an_epoch() {
        for count in [1, 2, 3, 5, 64, 1000, 65_537] {
            for epoch in 0..3 {
                let step = Step { seed: [7, 1], epoch, ..Step::default() };
                let order = Shuffle::new(&step, count);
                let mut seen = vec![false; count as usize];
                for position in 0..count {
                    let row = order.at(position) as usize;
                    assert!(!seen[row], "row {row} stands twice in an epoch of {count}");
                    seen[row] = true;
                }
            }
        }
    }

    #[test]
    fn orders_differ_between_epochs_and_from_the_identity() {
        let order = |epoch| {
            let step = Step { seed: [1, 2], epoch, ..Step::default() };
            let shuffle = Shuffle::new(&step, 1000);
            (0..1000).map(|p| shuffle.at(p)).collect::<Vec<_>>()
        };
        let same = |a: &[u32], b: &[u32]| a.iter().zip(b).filter(|(a, b)| a == b).count();
        let identity: Vec<u32> = (0..1000).collect();
        // Random orders of 1000 agree in one place on average.
        assert!(same(&order(0), &order(1)) < 10 && same(&order(0), &identity) < 10);
        assert_eq!(order(5), order(5));
    }
}
