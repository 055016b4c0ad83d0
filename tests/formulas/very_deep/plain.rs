//! A very deep VAE written down anew, in f64 and plain loops, one picture at a time.

use std::collections::HashMap;
use std::f64::consts::{SQRT_2, TAU};

/// Parameters by name.
pub type Weights = HashMap<String, Vec<f64>>;

/// The sizes of the one that is tried: pictures of 5×3 pixels of two channels, one layer at their own size and two at 3×2.
pub const SHAPE: [usize; 3] = [5, 3, 2];
pub const FEATURES: usize = 30;
pub const WIDTH: usize = 3;
pub const INNER: usize = 2;
pub const CODES: usize = 2;
/// Height and width of each resolution.
const IMAGES: [[usize; 2]; 2] = [[5, 3], [3, 2]];
/// The resolution of each layer, from the data upwards.
const PLACES: [usize; 3] = [0, 1, 1];

/// A picture: channels of pixels, row by row.
#[derive(Clone, Debug, PartialEq)]
struct Picture {
    size: [usize; 2],
    channels: usize,
    values: Vec<f64>,
}

impl Picture {
    fn new(size: [usize; 2], channels: usize, at: impl Fn(usize, usize, usize) -> f64) -> Picture {
        let [h, w] = size;
        let values = (0..h * w * channels).map(|i| at(i / channels / w, i / channels % w, i % channels)).collect();
        Picture { size, channels, values }
    }

    fn at(&self, y: usize, x: usize, channel: usize) -> f64 {
        self.values[(y * self.size[1] + x) * self.channels + channel]
    }

    fn channels(&self, first: usize, count: usize) -> Picture {
        Picture::new(self.size, count, |y, x, c| self.at(y, x, first + c))
    }

    fn plus(&self, other: &Picture) -> Picture {
        assert_eq!((self.size, self.channels), (other.size, other.channels));
        Picture::new(self.size, self.channels, |y, x, c| self.at(y, x, c) + other.at(y, x, c))
    }
}

/// What a picture becomes.
pub struct Found {
    /// Logits of the values.
    pub logits: Vec<f64>,
    /// KL of each layer, from the data upwards.
    pub kls: [f64; 3],
    /// ln p(z) − ln q(z | x) of what was drawn.
    pub log_ratio: f64,
    /// What is left of the codes without mean and deviation of their priors, from the data upwards.
    pub codes: Vec<f64>,
}

/// What is drawn with: noise of every layer, from the data upwards, or codes relative to their priors.
#[derive(Clone, Copy)]
pub enum Given<'a> {
    Noise { x: &'a [f64], noise: &'a [Vec<f64>] },
    Codes(&'a [Vec<f64>]),
}

/// The model.
pub struct Plain<'a> {
    pub weights: &'a Weights,
    /// GELU, or else SiLU.
    pub gelu: bool,
}

impl Plain<'_> {
    fn bend(&self, x: f64) -> f64 {
        if self.gelu { x * 0.5 * (1.0 + libm::erf(x / SQRT_2)) } else { x / (1.0 + (-x).exp()) }
    }

    fn weight(&self, name: &str, part: &str) -> &[f64] {
        &self.weights[&format!("{name}.{part}")]
    }

    /// A convolution of so many taps along each side, zeros beyond the edges.
    fn conv(&self, name: &str, from: &Picture, taps: [usize; 2]) -> Picture {
        let (weight, bias) = (self.weight(name, "weight"), self.weight(name, "bias"));
        let [h, w] = from.size;
        let each = taps[0] * taps[1] * from.channels;
        Picture::new(from.size, bias.len(), |y, x, out| {
            let mut sum = bias[out];
            for (dy, dx) in (0..taps[0]).flat_map(|dy| (0..taps[1]).map(move |dx| (dy, dx))) {
                let (Some(y), Some(x)) = ((y + dy).checked_sub(taps[0] / 2), (x + dx).checked_sub(taps[1] / 2)) else {
                    continue;
                };
                if y < h && x < w {
                    for c in 0..from.channels {
                        sum += weight[out * each + (dy * taps[1] + dx) * from.channels + c] * from.at(y, x, c);
                    }
                }
            }
            sum
        })
    }

    fn block(&self, name: &str, from: &Picture) -> Picture {
        let three = from.size.map(|size| if size >= 3 { 3 } else { 1 });
        [[1, 1], three, three, [1, 1]].into_iter().enumerate().fold(from.clone(), |x, (i, taps)| {
            let bent = Picture::new(x.size, x.channels, |y, w, c| self.bend(x.at(y, w, c)));
            self.conv(&format!("{name}.{i}"), &bent, taps)
        })
    }

    /// What a picture says at both resolutions.
    fn upwards(&self, x: &[f64]) -> [Picture; 2] {
        let [height, width, channels] = SHAPE;
        let picture = Picture::new([height, width], channels, |y, w, c| 2.0 * x[(y * width + w) * channels + c] - 1.0);
        let h = self.conv("encoder.in", &picture, [3, 3]);
        let large = h.plus(&self.block("encoder.0.0", &h));
        // The mean of the pixels that there are of each 2×2.
        let small = Picture::new(IMAGES[1], WIDTH, |y, x, c| {
            let all: Vec<f64> = [(0, 0), (0, 1), (1, 0), (1, 1)]
                .into_iter()
                .map(|(dy, dx)| (2 * y + dy, 2 * x + dx))
                .filter(|&(y, x)| y < height && x < width)
                .map(|(y, x)| large.at(y, x, c))
                .collect();
            all.iter().sum::<f64>() / all.len() as f64
        });
        let first = small.plus(&self.block("encoder.1.0", &small));
        let second = first.plus(&self.block("encoder.1.1", &first));
        [large, second]
    }

    pub fn run(&self, given: Given) -> Found {
        let said = match given {
            Given::Noise { x, .. } => Some(self.upwards(x)),
            Given::Codes(_) => None,
        };
        let bias = |place: usize| Picture {
            size: IMAGES[place],
            channels: WIDTH,
            values: self.weights[&format!("decoder.{place}.bias")].clone(),
        };
        let mut state = bias(1);
        let (mut kls, mut log_ratio, mut codes) = ([0.0; 3], 0.0, vec![vec![]; 3]);
        for layer in (0..3).rev() {
            let place = PLACES[layer];
            if layer == 0 {
                let larger = Picture::new(IMAGES[0], WIDTH, |y, x, c| state.at(y / 2, x / 2, c));
                state = larger.plus(&bias(0));
            }
            let name = format!("decoder.layer{}", layer + 1);
            let of_prior = self.block(&format!("{name}.prior"), &state);
            let posterior = said.as_ref().map(|said| {
                let both = Picture::new(state.size, 2 * WIDTH, |y, x, c| {
                    if c < WIDTH { state.at(y, x, c) } else { said[place].at(y, x, c - WIDTH) }
                });
                self.block(&format!("encoder.layer{}", layer + 1), &both)
            });
            let mut z = Picture::new(state.size, CODES, |_, _, _| 0.0);
            for i in 0..z.values.len() {
                let (pixel, c) = (i / CODES, i % CODES);
                let of = |from: &Picture| {
                    let each = &from.values[pixel * from.channels..];
                    (each[c], each[CODES + c].clamp(-12.0, 10.0).exp().sqrt())
                };
                let prior = of(&of_prior);
                let drawn = match given {
                    Given::Codes(codes) => prior.0 + prior.1 * codes[layer][i],
                    Given::Noise { noise, .. } => {
                        let q = of(posterior.as_ref().unwrap());
                        let drawn = q.0 + q.1 * noise[layer][i];
                        let log = |(mean, deviation): (f64, f64)| {
                            -0.5 * TAU.ln() - deviation.ln() - 0.5 * ((drawn - mean) / deviation).powi(2)
                        };
                        log_ratio += log(prior) - log(q);
                        kls[layer] += (prior.1 / q.1).ln()
                            + (q.1 * q.1 + (q.0 - prior.0).powi(2)) / (2.0 * prior.1 * prior.1)
                            - 0.5;
                        drawn
                    }
                };
                codes[layer].push((drawn - prior.0) / prior.1);
                z.values[i] = drawn;
            }
            state = state.plus(&of_prior.channels(2 * CODES, WIDTH));
            state = state.plus(&self.conv(&format!("{name}.project"), &z, [1, 1]));
            state = state.plus(&self.block(&format!("{name}.block"), &state));
        }
        Found { logits: self.conv("decoder.out", &state, [1, 1]).values, kls, log_ratio, codes: codes.concat() }
    }
}

/// ln p(x | logits) of black and white values.
pub fn log_bernoulli(x: &[f64], logits: &[f64]) -> f64 {
    x.iter().zip(logits).map(|(x, l)| x * l - l.max(0.0) - (-l.abs()).exp().ln_1p()).sum()
}
