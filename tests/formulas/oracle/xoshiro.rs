//! The generator by which rows are drawn once and for all: xoshiro256++ (Blackman and Vigna 2021, figure 4), whose state
//! SplitMix64 (Steele, Lea and Flood 2014) makes of a seed.

/// Its state.
pub struct Xoshiro([u64; 4]);

/// The numbers of SplitMix64.
pub fn split_mix(seed: u64) -> impl Iterator<Item = u64> {
    (1..).map(move |i: u64| {
        let z = seed.wrapping_add(i.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

impl Xoshiro {
    /// The generator of a seed.
    pub fn new(seed: u64) -> Xoshiro {
        let mut numbers = split_mix(seed);
        Xoshiro([(); 4].map(|()| numbers.next().expect("it has no end")))
    }

    fn next(&mut self) -> u64 {
        let [mut a, mut b, mut c, mut d] = self.0;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let shifted = b << 17;
        (c, d) = (c ^ a, d ^ b);
        (b, a) = (b ^ c, a ^ d);
        (c, d) = (c ^ shifted, d.rotate_left(45));
        self.0 = [a, b, c, d];
        result
    }

    /// A uniform in [0, 1), of the 24 highest bits.
    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 40) as f64 / f64::from(1 << 24)
    }
}

#[test]
fn the_oracles_generator_is_the_one_that_was_published() {
    let mut generator = Xoshiro([1, 2, 3, 4]);
    // What the authors' program gives.
    let published = [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386, 9_228_616_714_210_784_205];
    assert_eq!(published.map(|_| generator.next()), published);
    assert_eq!(split_mix(1_477_776_061_723_855_037).next(), Some(1_985_237_415_132_408_290));
}
