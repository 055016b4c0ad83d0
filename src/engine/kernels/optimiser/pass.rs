//! One pass of an optimiser over a chunk on the CPU, in blocks that vectorise.

use pulp::{Simd, WithSimd};

use crate::kernels::simd::dispatch;

/// Lanes of a block.
const LANES: usize = 16;

/// What a rule works on: a chunk of the parameters, of what it keeps of them, and of their gradient.
#[derive(Debug)]
pub struct Pass<'a> {
    /// θ.
    pub theta: &'a mut [f32],
    /// What the rule keeps; empty beyond what it does.
    pub state: [&'a mut [f32]; 2],
    /// g.
    pub gradient: &'a [f32],
    /// The factor on every gradient.
    pub scale: f32,
    /// The scalars of the step.
    pub scalars: [f32; 3],
}

impl Pass<'_> {
    /// Moves every parameter: `rule` takes θ, what is kept of it, and its gradient, and gives θ and what is kept anew. Gives
    /// Σg², to which a gradient that is not finite adds 3e38. The rule must be `#[inline(always)]`, so that it becomes vectors.
    pub fn apply<const N: usize>(self, rule: impl Fn(f32, [f32; N], f32) -> (f32, [f32; N])) -> f32 {
        dispatch(Apply { pass: self, rule })
    }

    #[inline(always)]
    fn blocks<const N: usize>(self, rule: impl Fn(f32, [f32; N], f32) -> (f32, [f32; N])) -> f32 {
        let Pass { theta, state, gradient, scale, .. } = self;
        let [a, b] = state;
        let (theta, theta_rest) = theta.as_chunks_mut::<LANES>();
        let (gradient, gradient_rest) = gradient.as_chunks::<LANES>();
        let ((a, a_rest), (b, b_rest)) = (a.as_chunks_mut::<LANES>(), b.as_chunks_mut::<LANES>());
        let mut sums = [0.0; LANES];
        let (mut none_a, mut none_b) = ([0.0; LANES], [0.0; LANES]);
        for (i, (theta, g)) in theta.iter_mut().zip(gradient).enumerate() {
            let a = if N > 0 { &mut a[i] } else { &mut none_a };
            let b = if N > 1 { &mut b[i] } else { &mut none_b };
            block(theta, [a, b], g, scale, &mut sums, &rule);
        }
        if !theta_rest.is_empty() {
            // A gradient of 0 adds nothing to the sum; what becomes of the parameters beyond the end is thrown away.
            let padded = |from: &[f32]| {
                let mut whole = [0.0; LANES];
                whole[..from.len()].copy_from_slice(from);
                whole
            };
            let (mut t, mut a, mut b) = (padded(theta_rest), padded(a_rest), padded(b_rest));
            block(&mut t, [&mut a, &mut b], &padded(gradient_rest), scale, &mut sums, &rule);
            for (rest, whole) in [(theta_rest, t), (a_rest, a), (b_rest, b)] {
                let len = rest.len();
                rest.copy_from_slice(&whole[..len]);
            }
        }
        sums.iter().sum()
    }
}

/// A rule, and what it is applied to.
struct Apply<'a, const N: usize, R: Fn(f32, [f32; N], f32) -> (f32, [f32; N])> {
    pass: Pass<'a>,
    rule: R,
}

impl<const N: usize, R: Fn(f32, [f32; N], f32) -> (f32, [f32; N])> WithSimd for Apply<'_, N, R> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f32 {
        self.pass.blocks(self.rule)
    }
}

#[inline(always)]
fn block<const N: usize>(
    theta: &mut [f32; LANES],
    state: [&mut [f32; LANES]; 2],
    gradient: &[f32; LANES],
    scale: f32,
    sums: &mut [f32; LANES],
    rule: &impl Fn(f32, [f32; N], f32) -> (f32, [f32; N]),
) {
    for lane in 0..LANES {
        let g = gradient[lane];
        let finite = g.to_bits() & 0x7f80_0000 != 0x7f80_0000;
        let raw = if finite { g } else { 0.0 };
        let before: [f32; N] = std::array::from_fn(|k| state[k][lane]);
        let (moved, after) = rule(theta[lane], before, raw * scale);
        for k in 0..N {
            state[k][lane] = if finite { after[k] } else { before[k] };
        }
        theta[lane] = if finite { moved } else { theta[lane] };
        sums[lane] += if finite { raw * raw } else { 3e38 };
    }
}
