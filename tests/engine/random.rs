//! The random generator: that its normals are standard normal and independent, and that the GPU draws what the CPU draws.
//!
//! Each statistic is brought to one whose distribution is known if the generator is right (the null distribution):
//! a standard normal Z, held to |Z| < 5, or Kolmogorov's √n·D, held below 2.69. Either is exceeded by chance with a
//! probability below 10⁻⁶. As the draws are a function of a fixed seed, a test that passes once passes always. Each
//! statistic is also shown to refuse a sampler that is wrong in the way it is made for.

use crate::common;

use elbo::apps::doctor::Trial;
use elbo::engine::cpu::Cpu;
use elbo::engine::kernels::random::{block, normal4};
use elbo::engine::kernels::table::{Case, Input, Scale, variants};
use elbo::engine::kernels::{Access, Expr, Instr, Map, RandomStream, Step, Store, View};

/// Draws of the one-dimensional tests: enough for the variance of a sampler that is 0.1 % too wide to stand out by
/// 0.002·√(n/2) = 8 standard errors.
const N: usize = 1 << 25;
const LIMIT: f64 = 5.0;
/// 2·exp(−2t²) = 10⁻⁶.
const KOLMOGOROV_LIMIT: f64 = 2.69;

fn step(seed: u64, step: u32) -> Step {
    Step { seed: Step::seed_words(seed), step, ..Step::default() }
}

fn normals(step: &Step, stream: u32, count: usize) -> Vec<f32> {
    (0..count as u32 / 4).flat_map(|index| normal4(step, stream, index)).collect()
}

/// Φ(x), absolute error below 1e-15 for |x| < 7 (the series of Marsaglia 2004, "Evaluating the normal distribution").
fn phi(x: f64) -> f64 {
    let (mut term, mut sum, mut n) = (x, x, 1.0);
    while term.abs() > 1e-17 * sum.abs() {
        n += 2.0;
        term *= x * x / n;
        sum += term;
    }
    0.5 + sum * (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt()
}

/// Means of z, z² − 1, z³ and z⁴ − 3 in units of their standard errors: their variances are 1, 2, 15 and 96.
fn moments(z: &[f32]) -> [f64; 4] {
    let mut sums = [0.0; 4];
    for &z in z {
        let z = f64::from(z);
        let squared = z * z;
        let terms = [z, squared - 1.0, squared * z, squared * squared - 3.0];
        sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
    }
    let n = z.len() as f64;
    [sums[0] / n.sqrt(), sums[1] / (2.0 * n).sqrt(), sums[2] / (15.0 * n).sqrt(), sums[3] / (96.0 * n).sqrt()]
}

/// Pearson's χ² as a standard normal, by the cube root of Wilson and Hilferty (1931).
fn chi_square(observed: &[u64], expected: impl Fn(usize) -> f64) -> f64 {
    let terms = observed.iter().enumerate().map(|(bin, &o)| (o as f64 - expected(bin)).powi(2) / expected(bin));
    let (sum, freedom) = (terms.sum::<f64>(), observed.len() as f64 - 1.0);
    let spread = 2.0 / (9.0 * freedom);
    ((sum / freedom).cbrt() - (1.0 - spread)) / spread.sqrt()
}

/// χ² over 176 bins of 0.05 between ±4.4 and the two tails, all of which expect more than 100 of [`N`] draws.
fn shape(z: &[f32]) -> f64 {
    let mut observed = [0u64; 178];
    for &z in z {
        observed[((f64::from(z) + 4.4) * 20.0 + 1.0).clamp(0.0, 177.5) as usize] += 1;
    }
    let edge = |bin: usize| if bin == 178 { 1.0 } else { phi(-4.45 + 0.05 * bin as f64) };
    let below = |bin: usize| if bin == 0 { 0.0 } else { edge(bin) };
    chi_square(&observed, |bin| z.len() as f64 * (below(bin + 1) - below(bin)))
}

/// How many draws lie beyond ±2, 3, 4 and 4.5, in standard errors from what is expected.
fn tails(z: &[f32]) -> [f64; 4] {
    [2.0f32, 3.0, 4.0, 4.5].map(|limit| {
        let p = 2.0 * phi(-f64::from(limit));
        let (count, n) = (z.iter().filter(|z| z.abs() > limit).count() as f64, z.len() as f64);
        (count - n * p) / (n * p * (1.0 - p)).sqrt()
    })
}

/// Kolmogorov's √n · sup |F_n − Φ|.
fn kolmogorov(z: &[f32]) -> f64 {
    let mut sorted = z.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let n = z.len() as f64;
    let apart = |(i, &z): (usize, &f32)| {
        let p = phi(f64::from(z));
        (p - i as f64 / n).max((i + 1) as f64 / n - p)
    };
    sorted.iter().enumerate().map(apart).fold(0.0, f64::max) * n.sqrt()
}

/// Correlations of two samples and of their squares, in standard errors: Σab/√n and Σ(a² − 1)(b² − 1)/(2√n).
fn correlations(a: &[f32], b: &[f32]) -> [f64; 2] {
    let mut sums = [0.0; 2];
    for (&a, &b) in a.iter().zip(b) {
        let (a, b) = (f64::from(a), f64::from(b));
        sums[0] += a * b;
        sums[1] += (a * a - 1.0) * (b * b - 1.0);
    }
    let n = a.len().min(b.len()) as f64;
    [sums[0] / n.sqrt(), sums[1] / (2.0 * n.sqrt())]
}

/// χ² over 32×32 equally likely cells of neighbours, which Box and Muller make from one radius and one angle.
fn neighbours(z: &[f32]) -> f64 {
    let quantile = |p: f64| {
        let (mut low, mut high) = (-6.0, 6.0);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if phi(middle) < p { low = middle } else { high = middle }
        }
        low as f32
    };
    let edges: Vec<f32> = (1..32).map(|i| quantile(f64::from(i) / 32.0)).collect();
    let cell = |z: f32| edges.partition_point(|&edge| edge <= z);
    let mut observed = [0u64; 1024];
    for pair in z.chunks_exact(2) {
        observed[32 * cell(pair[0]) + cell(pair[1])] += 1;
    }
    chi_square(&observed, |_| (z.len() / 2) as f64 / 1024.0)
}

#[track_caller]
fn accept(what: &str, statistics: &[f64]) {
    assert!(statistics.iter().all(|z| z.abs() < LIMIT), "{what}: {statistics:?}");
}

#[track_caller]
fn refuse(what: &str, statistics: &[f64]) {
    assert!(statistics.iter().any(|z| z.abs() > LIMIT + 1.0), "{what} goes unnoticed: {statistics:?}");
}

#[test]
fn the_normal_distribution_function_is_right() {
    // Abramowitz and Stegun, table 26.1 and 26.2.
    for (x, p) in [(0.0, 0.5), (1.0, 0.841_344_746_068_543), (2.0, 0.977_249_868_051_821), (4.0, 0.999_968_328_758_167)]
    {
        assert!((phi(x) - p).abs() < 1e-14 && (phi(-x) - (1.0 - p)).abs() < 1e-14, "{x}");
    }
}

#[test]
fn normals_are_standard_normal() {
    let z = normals(&step(2024, 11), 1, N);
    assert!(z.iter().all(|z| z.abs() < 5.78), "the smallest uniform has the radius 5.77");
    accept("moments", &moments(&z));
    accept("tails", &tails(&z));
    accept("shape", &[shape(&z)]);
    accept("neighbours", &[neighbours(&z)]);
    let some = &z[..1 << 22];
    assert!(kolmogorov(some) < KOLMOGOROV_LIMIT, "{}", kolmogorov(some));

    let wide: Vec<f32> = z.iter().map(|z| z * 1.001).collect();
    refuse("a sampler that is 0.1 % too wide", &moments(&wide));
    let shifted: Vec<f32> = z.iter().map(|z| z + 0.002).collect();
    refuse("a shifted sampler", &moments(&shifted));
    let truncated: Vec<f32> = z.iter().map(|z| z.clamp(-4.2, 4.2)).collect();
    refuse("a truncated tail", &tails(&truncated));
    refuse("a truncated tail's shape", &[shape(&truncated)]);
    // A grid of 1/64 leaves the moments alone.
    let coarse: Vec<f32> = z.iter().map(|z| (z * 64.0).round() / 64.0).collect();
    refuse("rounded draws", &[shape(&coarse)]);
    let tied: Vec<f32> = z.chunks_exact(2).flat_map(|p| [p[0], if p[1] * p[0] > 4.0 { -p[1] } else { p[1] }]).collect();
    refuse("neighbours that shun a corner", &[neighbours(&tied)]);
    // The sum of twelve uniforms, less 6, was once a common stand-in.
    let uniforms = |index: u32| {
        (0..3).flat_map(move |k| block(&step(5, 1), 1, 3 * index + k)).map(|w| f64::from(w) / 2f64.powi(32))
    };
    let twelve: Vec<f32> = (0..1 << 22).map(|index| (uniforms(index).sum::<f64>() - 6.0) as f32).collect();
    assert!(kolmogorov(&twelve) > 1.2 * KOLMOGOROV_LIMIT, "{}", kolmogorov(&twelve));
}

#[test]
fn draws_are_independent() {
    const COUNT: usize = 10_000_000;
    let z = normals(&step(7, 100), 3, COUNT);
    for lag in (1..=16).chain([20, 64, 400, 784, 100_352]) {
        accept(&format!("lag {lag}"), &correlations(&z, &z[lag..]));
    }
    let others = [
        ("the next stream", normals(&step(7, 100), 4, COUNT)),
        ("the next step", normals(&step(7, 101), 3, COUNT)),
        ("the next seed", normals(&step(8, 100), 3, COUNT)),
        ("a seed that differs in its high word", normals(&step(7 + (1 << 32), 100), 3, COUNT)),
        ("the stream and the step exchanged", normals(&step(7, 3), 100, COUNT)),
    ];
    for (what, other) in &others {
        accept(what, &correlations(&z, other));
    }
    refuse("a repeated stream", &correlations(&z, &normals(&step(7, 100), 3, COUNT)));
    let mut partly = others[0].1.clone();
    partly.iter_mut().zip(&z).step_by(256).for_each(|(other, z)| *other = *z);
    refuse("a stream that repeats one draw of 256", &correlations(&z, &partly));
    // Signs that are drawn anew leave the sizes tied.
    let sizes: Vec<f32> = z.iter().zip(&others[0].1).map(|(z, sign)| z.abs().copysign(*sign)).collect();
    refuse("a stream with the sizes of another", &correlations(&z, &sizes));
}

#[test]
fn every_bit_is_fair() {
    let (step, count) = (step(99, 5), 1u32 << 20);
    let mut ones = [0u64; 128];
    for index in 0..count {
        for (w, word) in block(&step, 2, index).into_iter().enumerate() {
            (0..32).for_each(|bit| ones[32 * w + bit] += u64::from(word >> bit & 1));
        }
    }
    let z: Vec<f64> =
        ones.iter().map(|&n| (n as f64 - 0.5 * f64::from(count)) / (0.25 * f64::from(count)).sqrt()).collect();
    accept("ones in each bit", &z);
    let uneven: Vec<f64> = z.iter().map(|z| z + 0.006 * f64::from(count).sqrt()).collect();
    refuse("a bit that is set in 50.3 % of the words", &uneven);
}

/// A case that draws many numbers.
fn draws(instr: fn(RandomStream, View) -> Instr, count: usize) -> Case {
    let view = View::contiguous(&[count]);
    let mut expr = Expr::default();
    let reg = expr.push(instr(9.into(), view.clone()));
    let stores = vec![Store { reg, binding: 0, view }];
    let map = Map { extents: vec![count], reduced: 0, expr, stores, reductions: vec![], access: vec![Access::Write] };
    Case::new(format!("{count} draws"), map, vec![Input::output(count)])
}

#[test]
fn the_gpu_draws_what_the_cpu_draws() {
    let Some(mut shared) = common::Shared::lock() else { return };
    // The uniforms are exact: they show the generator's integers, bit by bit.
    let uniforms = draws(Instr::Uniform, 1 << 22).scale(Scale::Exact);
    let mut normals = draws(Instr::Normal, 1 << 22).scale(Scale::Own(1.0));
    normals.roundings = 8; // 8ε = 9.5e-7
    for case in [uniforms, normals] {
        let trial = Trial::new(&case, 1, &mut Cpu::new()).expect("the reference runs");
        for variant in variants(&case.kernel, &shared.gpu().traits()) {
            let report = trial.run(&variant, shared.gpu()).expect("the device runs");
            assert_eq!(report.failure, None, "{}", case.label);
            assert!(report.words == 1 << 22 && report.worst <= 1e-6, "{report:?}");
        }
    }
}
