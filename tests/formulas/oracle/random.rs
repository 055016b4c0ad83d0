//! Random numbers: Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3",
//! section 3.3), and the uniforms, normals and orders that are made of its words.

/// How many bits of a word its uniform forgets.
const FORGOTTEN: u32 = 9;

/// Ten rounds of two multiplications: the halves of 64-bit products, mixed with the other two words and the key.
pub fn philox(counter: [u32; 4], seed: u64) -> [u32; 4] {
    let ([mut a, mut b, mut c, mut d], mut key) = (counter, [seed as u32, (seed >> 32) as u32]);
    for round in 0..10 {
        if round > 0 {
            key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
        }
        let (of_a, of_c) = (0xD251_1F53 * u64::from(a), 0xCD9E_8D57 * u64::from(c));
        let [low_a, low_c] = [of_a, of_c].map(|product| (product & 0xFFFF_FFFF) as u32);
        let [high_a, high_c] = [of_a, of_c].map(|product| (product >> 32) as u32);
        (a, b, c, d) = (high_c ^ b ^ key[0], low_c, high_a ^ d ^ key[1], low_a);
    }
    [a, b, c, d]
}

/// What is drawn in one step: element e of a stream has word e mod 4 of block ⌊e/4⌋.
#[derive(Clone, Copy)]
pub struct Draws {
    /// The key.
    pub seed: u64,
    /// The step, from 0.
    pub step: u32,
}

impl Draws {
    /// A uniform in (0, 1): the centre of one of equal cells.
    pub fn uniform(&self, stream: u32, element: usize) -> f64 {
        let words = philox([(element / 4) as u32, self.step, stream, 0], self.seed);
        let cells = f64::from(1u32 << (32 - FORGOTTEN));
        (f64::from(words[element % 4] >> FORGOTTEN) + 0.5) / cells
    }

    /// A standard normal. Two uniforms make two normals, √(−2 ln u) cos 2πv and √(−2 ln u) sin 2πv (Box and Muller 1958).
    pub fn normal(&self, stream: u32, element: usize) -> f64 {
        let first = element - element % 2;
        let radius = (-2.0 * self.uniform(stream, first).ln()).sqrt();
        let angle = std::f64::consts::TAU * self.uniform(stream, first + 1);
        radius * if element == first { angle.cos() } else { angle.sin() }
    }
}

/// The rows of an epoch in their order.
///
/// A Feistel network permutes the smallest power of two that holds them, at least 4; what falls outside is permuted again
/// (Black and Rogaway 2002, "Ciphers with arbitrary finite domains"). Its four keys are the block 0 of stream 0 at the step
/// that is the epoch, with a 1 in the last word of the counter; each serves two of the eight rounds.
pub fn order(seed: u64, epoch: u32, count: usize) -> Vec<usize> {
    let keys = philox([0, epoch, 0, 1], seed);
    let size = count.max(4).next_power_of_two() as u32;
    let right = 1 << (size.trailing_zeros() / 2);
    let left = size / right;
    let permute = |x: u32| {
        let (mut l, mut r) = (x / right, x % right);
        for (i, key) in (0u32..).zip(keys) {
            let key = key.wrapping_add(i.wrapping_mul(0x9E37_79B9));
            l ^= murmur(r ^ key) % left;
            r ^= murmur(l.wrapping_add(key)) % right;
        }
        l * right + r
    };
    let walk = |position: usize| {
        let mut x = permute(position as u32);
        while x as usize >= count {
            x = permute(x);
        }
        x as usize
    };
    (0..count).map(walk).collect()
}

/// The last steps of MurmurHash3 (Appleby 2011).
fn murmur(mut h: u32) -> u32 {
    h = (h ^ (h >> 16)).wrapping_mul(0x85EB_CA6B);
    h = (h ^ (h >> 13)).wrapping_mul(0xC2B2_AE35);
    h ^ (h >> 16)
}

#[test]
fn the_oracles_words_are_those_that_were_published() {
    // The known answers of Random123 for philox4x32-10.
    assert_eq!(philox([0; 4], 0), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
    assert_eq!(philox([u32::MAX; 4], u64::MAX), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
    let pi = philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], 0x299f_31d0_a409_3822);
    assert_eq!(pi, [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]);
}
