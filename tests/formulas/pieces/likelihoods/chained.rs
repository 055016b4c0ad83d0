//! The mixture of logistics that chains the channels of a pixel, written out in f64 for pixels of three channels.

use constriction::stream::model::EncoderModel;
use elbo::catalogue::Spec;
use elbo::engine::coding::Cumulative;
use elbo::engine::cpu::Cpu;
use elbo::engine::models::Rows;

use super::formulas::binned;
use super::{Sheet, Tensor, made};
use crate::common::oracle::{Device, Numbers};

const LEVELS: usize = 8;
const COMPONENTS: usize = 2;
const PIXELS: usize = 2;
const FEATURES: usize = 3 * PIXELS;

fn spec() -> Spec {
    let spec = Spec::new("discretized-logistic-mixture").with("levels", LEVELS as f64);
    spec.with("components", COMPONENTS as f64).with("channels", 3.0)
}

/// What the outputs of a decoder say of a pixel.
struct Pixel<'a> {
    outputs: &'a [f64],
    number: usize,
}

impl Pixel<'_> {
    /// Of plane p of logits, means, logarithms of scales and links: that of component k and a channel.
    fn at(&self, plane: usize, k: usize, channel: usize) -> f64 {
        self.outputs[(plane * COMPONENTS + k) * FEATURES + 3 * self.number + channel]
    }

    fn weight(&self, k: usize) -> f64 {
        let logit = |k: usize| (0..3).map(|channel| self.at(0, k, channel)).sum::<f64>();
        logit(k).exp() / (0..COMPONENTS).map(|k| logit(k).exp()).sum::<f64>()
    }

    /// The mean of a channel, those before it being known (Salimans et al. 2017, equation 3).
    fn mean(&self, k: usize, channel: usize, x: &[f64]) -> f64 {
        let [alpha, beta, gamma] = [0, 1, 2].map(|i| self.at(3, k, i).tanh());
        let moved = match channel {
            0 => 0.0,
            1 => alpha * x[0],
            _ => beta * x[0] + gamma * x[1],
        };
        self.at(1, k, channel) + moved
    }

    /// Σ_k π_k Π_{c < channels} P_k(x_c).
    fn prob(&self, x: &[f64], channels: usize) -> f64 {
        let of = |k: usize, c: usize| binned(x[c], self.mean(k, c, x), self.at(2, k, c).exp(), LEVELS);
        (0..COMPONENTS).map(|k| self.weight(k) * (0..channels).map(|c| of(k, c)).product::<f64>()).sum()
    }
}

/// Outputs of two pixels, all different: means in the midst and scales of half a level, so that the ends of the range have little weight.
fn outputs(numbers: &mut Numbers) -> Vec<f64> {
    let signed = numbers.signed(4 * COMPONENTS * FEATURES);
    let number = |(i, x): (usize, f64)| match i / (COMPONENTS * FEATURES) {
        1 => 0.35 + 0.1 * x,
        2 => -2.8 + 0.4 * x,
        3 => 0.4 * x,
        _ => x,
    };
    signed.into_iter().enumerate().map(number).map(|x| f64::from(x as f32)).collect()
}

/// All pixels of three channels, row by row `[512, 2·3]`: the second pixel of a row is the first turned round.
fn all_pixels() -> Vec<[f64; FEATURES]> {
    let level = |k: usize| k as f64 / (LEVELS - 1) as f64;
    let pixel = |i: usize| [level(i / 64), level(i / 8 % 8), level(i % 8)];
    (0..512).map(pixel).map(|[r, g, b]| [r, g, b, b, g, r]).collect()
}

#[test]
fn the_channels_of_a_pixel_are_what_the_formula_says_and_add_up_to_one() {
    let likelihood = made(&spec());
    assert_eq!((likelihood.outputs(FEATURES), likelihood.together()), (4 * COMPONENTS * FEATURES, 3));
    let (outputs, rows) = (outputs(&mut Numbers(41)), all_pixels());
    let mut sheet = Sheet::new();
    let o = sheet.input("outputs", &[1, outputs.len()], &outputs);
    let x = sheet.input("x", &[rows.len(), FEATURES], &rows.concat());
    let found = sheet.exact(&[likelihood.log_prob(o, x)]).remove(0);
    let mut sums = [0.0; PIXELS];
    let mut unlinked: f64 = 0.0;
    let without: Vec<f64> =
        outputs[..3 * COMPONENTS * FEATURES].iter().copied().chain([0.0; COMPONENTS * FEATURES]).collect();
    for (row, found) in rows.iter().zip(found.chunks(FEATURES)) {
        for (number, sum) in sums.iter_mut().enumerate() {
            let x = &row[3 * number..][..3];
            let [pixel, apart] = [&outputs, &without].map(|outputs| Pixel { outputs, number });
            for channel in 0..3 {
                let expected = (pixel.prob(x, channel + 1) / pixel.prob(x, channel)).ln();
                let found = found[3 * number + channel];
                assert!(
                    (found - expected).abs() < 1e-5 * (1.0 + expected.abs()),
                    "{x:?}, {channel}: {found}, {expected}"
                );
            }
            unlinked = unlinked.max((apart.prob(x, 3).ln() - pixel.prob(x, 3).ln()).abs());
            *sum += found[3 * number..][..3].iter().sum::<f64>().exp();
        }
    }
    assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-6), "{sums:?}");
    assert!(unlinked > 0.1, "links that are left out would be seen");
}

/// The whole that intervals of levels are shares of.
const WHOLE: f64 = (1 << 24) as f64;

#[test]
fn what_is_coded_of_a_channel_is_its_probability_given_those_before_it() {
    let likelihood = made(&spec());
    let discrete = likelihood.discrete().expect("values are finitely many");
    assert_eq!((discrete.levels(), discrete.stages()), (LEVELS, 3));
    let outputs = outputs(&mut Numbers(46));
    let narrow: Vec<f32> = outputs.iter().map(|&output| output as f32).collect();
    let level = |x: f64| (x * (LEVELS - 1) as f64).round() as u16;
    let size = |of: &Cumulative, pixel: usize, level: u16| {
        f64::from(of.at(pixel).left_cumulative_and_probability(u32::from(level)).expect("it is a level").1.get())
    };
    let rest = WHOLE - 2.0 * LEVELS as f64;
    let (mut of, mut blind, mut unlike) = (Cumulative::default(), Cumulative::default(), [0; 3]);
    for row in all_pixels() {
        // Channel by channel, of both pixels.
        let staged: Vec<u16> = (0..3).flat_map(|channel| [row[channel], row[3 + channel]].map(level)).collect();
        for channel in 0..3 {
            let known = &staged[..PIXELS * channel];
            discrete.distributions(&narrow, FEATURES, known, &mut of);
            discrete.distributions(&narrow, FEATURES, &vec![0; known.len()], &mut blind);
            for number in 0..PIXELS {
                let (pixel, x) = (Pixel { outputs: &outputs, number }, &row[3 * number..][..3]);
                let wanted = 2.0 + rest * pixel.prob(x, channel + 1) / pixel.prob(x, channel);
                let level = level(x[channel]);
                let found = size(&of, number, level);
                assert!((found - wanted).abs() < 2.0 + 1e-6 * wanted, "{x:?}, {channel}: {found} and not {wanted}");
                unlike[channel] += usize::from((size(&blind, number, level) - wanted).abs() > 0.01 * WHOLE);
            }
        }
    }
    assert!(unlike[0] == 0 && unlike[1] > 300 && unlike[2] > 300, "what is known matters: {unlike:?}");
}

#[test]
fn what_is_far_from_all_components_still_tells_them_apart() {
    // Red lies 900 levels from one component and 800 from the other, whose scales are a tenth of a level: e⁻⁹⁰⁰⁰ and e⁻⁸⁰⁰⁰, of which 64 bits only
    // hold the logarithms. Green is the other's all the same.
    let spec = Spec::new("discretized-logistic-mixture").with("components", 2.0).with("channels", 3.0);
    let likelihood = made(&spec);
    let level = |level: f64| (level / 255.0) as f32;
    let mut outputs = vec![0.0f32; 4 * 2 * 3];
    outputs[6..12].copy_from_slice(&[level(-700.0), level(20.0), 0.5, level(-600.0), level(200.0), 0.5]);
    outputs[12..18].fill(libm::logf(0.1 / 255.0));
    let mut of = Cumulative::default();
    likelihood.discrete().expect("values are finitely many").distributions(&outputs, 3, &[200], &mut of);
    let size = |level: u32| f64::from(of.at(0).left_cumulative_and_probability(level).expect("it is a level").1.get());
    assert!(size(200) > 0.97 * WHOLE && size(20) < 1e-3 * WHOLE, "{} and {}", size(200), size(20));
}

/// Means and (co)variances of the channels of a pixel, counted over all of its values.
fn counted(pixel: &Pixel) -> ([f64; 3], [[f64; 3]; 3]) {
    let all = || all_pixels().into_iter().map(|row| [row[0], row[1], row[2]]).map(|x| (pixel.prob(&x, 3), x));
    let mean = [0, 1, 2].map(|c| all().map(|(p, x)| p * x[c]).sum::<f64>());
    let of = |i: usize, j: usize| all().map(|(p, x)| p * (x[i] - mean[i]) * (x[j] - mean[j])).sum::<f64>();
    (mean, [0, 1, 2].map(|i| [0, 1, 2].map(|j| of(i, j))))
}

#[test]
fn moments_and_draws_are_those_of_the_chain() {
    const DRAWS: usize = 1 << 15;
    let likelihood = made(&spec());
    let outputs = outputs(&mut Numbers(42));
    let mut sheet = Sheet::new();
    let o = sheet.input("outputs", &[1, outputs.len()], &outputs);
    let moments = sheet.exact(&[likelihood.mean(o), likelihood.variance(o).unwrap()]);
    let many = o.expand(&[DRAWS, outputs.len()]);
    let drawn = sheet.on(&mut Device::new(Box::new(Cpu::new())), &[likelihood.sample(many).unwrap()]).remove(0);
    let mut links: f64 = 0.0;
    for number in 0..PIXELS {
        let (mean, covariance) = counted(&Pixel { outputs: &outputs, number });
        let rows = || drawn.chunks(FEATURES).map(|row| &row[3 * number..][..3]);
        let n = DRAWS as f64;
        for i in 0..3 {
            // What the ends of the range do to what comes behind is left out.
            let at = 3 * number + i;
            assert!((moments[0][at] - mean[i]).abs() < 0.01, "mean of {at}: {} is not {}", moments[0][at], mean[i]);
            let ratio = moments[1][at] / covariance[i][i];
            assert!((ratio - 1.0).abs() < 0.1, "variance of {at}: {ratio} of {}", covariance[i][i]);
            let found = rows().map(|x| x[i]).sum::<f64>() / n;
            assert!((found - mean[i]).abs() < 5.0 * (covariance[i][i] / n).sqrt(), "{at} is drawn with mean {found}");
            for j in 0..i {
                let found = rows().map(|x| (x[i] - mean[i]) * (x[j] - mean[j])).sum::<f64>() / n;
                let spread = (covariance[i][i] * covariance[j][j] / n).sqrt();
                assert!((found - covariance[i][j]).abs() < 8.0 * spread, "{i} with {j}: {found}, {}", covariance[i][j]);
                links = links.max(covariance[i][j].abs() / spread);
            }
        }
    }
    assert!(links > 50.0, "channels that were drawn apart would be seen");
}

#[test]
fn programs_compute_it_and_its_gradient() {
    let likelihood = made(&spec());
    const LINK: usize = (3 * COMPONENTS + 1) * FEATURES;
    let (mut numbers, rows) = (Numbers(43), 5);
    let given: Vec<f64> = (0..rows).flat_map(|_| outputs(&mut numbers)).collect();
    let data: Vec<f64> = all_pixels()
        .into_iter()
        .skip(300)
        .step_by(50)
        .take(rows - 1)
        .chain([[0.0, 1.0, 0.0, 1.0, 0.0, 1.0]])
        .flatten()
        .collect();
    let sheet = |nudge: f64| {
        let mut sheet = Sheet::new();
        sheet.tag = "chained".to_string();
        let mut given = given.clone();
        // What links green to red in the first pixel, of the second component.
        given[LINK] += nudge;
        let o = sheet.input("outputs", &[rows, given.len() / rows], &given);
        let x = sheet.input("x", &[rows, FEATURES], &data);
        let w = sheet.input("w", &[rows, FEATURES], &Numbers(44).signed(rows * FEATURES));
        let log_prob = likelihood.log_prob(o, x);
        let gradient = (log_prob * w).gradients(&[o])[0];
        (sheet, [log_prob, gradient])
    };
    let far = |found: &[Vec<f64>], exact: &[Vec<f64>]| {
        let pairs = found.iter().flatten().zip(exact.iter().flatten());
        pairs.map(|(f, e)| (f - e).abs() / (1.0 + e.abs())).fold(0.0, f64::max)
    };
    let ((right, wanted), (other, others)) = (sheet(0.0), sheet(0.2));
    let exact = right.exact(&wanted);
    let mut devices = vec![Device::new(Box::new(Cpu::new()))];
    devices.extend(crate::common::open(elbo::engine::gpu::Options::default()).map(|gpu| Device::new(Box::new(gpu))));
    for device in &mut devices {
        let found = right.on(device, &wanted);
        assert!(far(&found, &exact) < 1e-4, "{}", far(&found, &exact));
        assert!(far(&found, &other.exact(&others)) > 1e-3, "a link that differs is not seen");
    }
    // The gradient is that of the value: by central differences of the link.
    let sum = |nudge: f64| {
        let (sheet, [log_prob, _]) = sheet(nudge);
        let w = Numbers(44).signed(rows * FEATURES);
        sheet.exact(&[log_prob])[0].iter().zip(w).map(|(l, w)| l * f64::from(w as f32)).sum::<f64>()
    };
    // Inputs are rounded to f32: so wide that this is no matter.
    let slope = (sum(0.01) - sum(-0.01)) / 0.02;
    let found = exact[1][LINK];
    assert!((slope - found).abs() < 1e-3 * (1.0 + found.abs()), "{slope} and {found}");
}

#[test]
fn a_pixel_that_is_partly_known_counts_as_missing() {
    let likelihood = made(&spec());
    let (outputs, row) = (outputs(&mut Numbers(45)), all_pixels()[300]);
    let mut sheet = Sheet::new();
    let o = sheet.input("outputs", &[1, outputs.len()], &outputs);
    let x = sheet.input("x", &[1, FEATURES], &row);
    let all = likelihood.log_prob(o, x);
    let of = |observed: Tensor| Rows { observed: Some(observed), ..Rows::from(x) }.log_likelihoods(&*likelihood, o);
    let [partly, wholly] = [[1.0, 0.0, 1.0, 1.0, 1.0, 1.0], [1.0; FEATURES]].map(|mask| {
        let name = format!("mask{}", mask[1]);
        sheet.input(&name, &[1, FEATURES], &mask)
    });
    let found = sheet.exact(&[all, of(partly), of(wholly)]);
    assert_eq!(found[1][..3], [0.0; 3], "the first pixel");
    assert_eq!((&found[1][3..], &found[2]), (&found[0][3..], &found[0]));
}
