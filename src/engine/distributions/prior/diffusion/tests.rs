//! The diffusion against plain loops over its definition.

use super::*;
use crate::graph::eval::{Values, evaluate};

const LATENT: usize = 2;
const HIDDEN: usize = 3;

fn diffusion(steps: usize, ddim: usize) -> Diffusion {
    Diffusion { schedule: Schedule { steps }, denoiser: Denoiser { hidden: HIDDEN, layers: 1 }, ddim }
}

/// ᾱ_0, …, ᾱ_T.
fn kept(steps: usize) -> Vec<f64> {
    let schedule = Schedule { steps };
    std::iter::once(1.0).chain((1..=steps).map(|t| schedule.level(t).kept)).collect()
}

/// Numbers between −1 and 1 that have nothing to do with each other.
fn numbers(count: usize, seed: f64) -> Vec<f64> {
    (0..count)
        .map(|i| (seed + 12.9898 * (i + 1) as f64).sin() * 43_758.545_3)
        .map(|x| 2.0 * (x - x.floor()) - 1.0)
        .collect()
}

/// A graph whose parameters have values.
struct Bench {
    graph: Graph,
    values: Values,
}

impl Bench {
    fn new(graph: Graph, inputs: &[(&str, Vec<f64>)]) -> Bench {
        let mut values = Values::default();
        inputs.iter().for_each(|(name, input)| drop(values.tensors.insert((*name).into(), input.clone())));
        Bench { graph, values }
    }

    fn value<'g>(&'g self, of: Tensor<'g>) -> Vec<f64> {
        let mut values = self.values.clone();
        for (place, spec) in self.graph.parameters().iter().enumerate() {
            values
                .tensors
                .entry(spec.name.clone())
                .or_insert_with(|| numbers(spec.shape.iter().product(), place as f64));
        }
        evaluate(&values, &[of]).remove(0)
    }
}

/// v of one noisy code by the definition, its parameters being [`numbers`] by their places.
fn v(steps: usize, z: &[f64], t: usize) -> Vec<f64> {
    let silu = |x: &[f64]| x.iter().map(|x| x / (1.0 + (-x).exp())).collect::<Vec<f64>>();
    let layer = |place: usize, x: &[f64], outputs: usize| {
        let [weight, bias] = [numbers(outputs * x.len(), place as f64), numbers(outputs, place as f64 + 1.0)];
        let row = |(w, b): (&[f64], &f64)| b + w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
        weight.chunks(x.len()).zip(&bias).map(row).collect::<Vec<f64>>()
    };
    let angles =
        (0..16).map(|k| std::f64::consts::TAU * 16.0 * 256_f64.powf(-f64::from(k) / 15.0) * t as f64 / steps as f64);
    let angles: Vec<f64> = angles.collect();
    let embedded = angles.iter().map(|a| a.sin()).chain(angles.iter().map(|a| a.cos()));
    let given: Vec<f64> = z.iter().copied().chain(embedded).collect();
    let first = layer(0, &given, HIDDEN);
    let change = layer(4, &silu(&layer(2, &silu(&first), HIDDEN)), HIDDEN);
    let hidden: Vec<f64> = first.iter().zip(change).map(|(h, c)| h + c).collect();
    layer(6, &silu(&hidden), z.len())
}

fn gaussian(x: &[f64], mean: &[f64], variance: f64) -> f64 {
    let square: f64 = x.iter().zip(mean).map(|(x, m)| (x - m) * (x - m)).sum();
    -0.5 * (x.len() as f64 * (std::f64::consts::TAU * variance).ln() + square / variance)
}

fn scaled(x: &[f64], by: f64) -> Vec<f64> {
    x.iter().map(|x| by * x).collect()
}

fn sum(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

/// z_0, …, z_T of noise as [`Diffusion::path`] takes it, step by step.
fn walk(kept: &[f64], start: &[f64], noise: &[f64]) -> Vec<Vec<f64>> {
    let steps = kept.len() - 1;
    let mut path = vec![start.to_vec()];
    for t in 1..=steps {
        let beta = 1.0 - kept[t] / kept[t - 1];
        let eps: Vec<f64> = (0..start.len()).map(|d| noise[d * steps + t - 1]).collect();
        path.push(sum(&scaled(&path[t - 1], (1.0 - beta).sqrt()), &scaled(&eps, beta.sqrt())));
    }
    path
}

fn far(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs() / (1.0 + b.abs())).fold(0.0, f64::max)
}

#[test]
fn a_path_is_walked_step_by_step_and_weighed_by_its_densities() {
    for steps in [1, 2, 5, 40] {
        let (z, noise) = (numbers(LATENT, 0.3), scaled(&numbers(LATENT * steps, 0.7), 1.7));
        let bench = Bench::new(Graph::new(), &[("z", z.clone()), ("noise", noise.clone())]);
        let inputs =
            [("z", LATENT), ("noise", LATENT * steps)].map(|(name, width)| bench.graph.input(name, &[1, width]));
        let of = diffusion(steps, 0);
        let (kept, found) = (kept(steps), bench.value(of.path(inputs[0], inputs[1])));
        let path = walk(&kept, &z, &noise);
        assert!(far(&found, &path[1..].concat()) < 1e-4, "{steps}: {found:?}, not {path:?}");

        let weight = |order: &dyn Fn(usize) -> usize| {
            let each = (1..=steps).map(|t| {
                let (beta, left) = (1.0 - kept[t] / kept[t - 1], 1.0 - kept[t]);
                // Ho et al. 2020, equation 11, with ε said by v.
                let eps = sum(&scaled(&path[t], left.sqrt()), &scaled(&v(steps, &path[t], order(t)), kept[t].sqrt()));
                let mean = scaled(&sum(&path[t], &scaled(&eps, -beta / left.sqrt())), 1.0 / (1.0 - beta).sqrt());
                gaussian(&path[t - 1], &mean, beta)
                    - gaussian(&path[t], &scaled(&path[t - 1], (1.0 - beta).sqrt()), beta)
            });
            gaussian(&path[steps], &[0.0; LATENT], 1.0) + each.sum::<f64>()
        };
        let found = bench.value(of.log_weight(inputs[0], inputs[1]))[0];
        let expected = weight(&|t| t);
        assert!((found - expected).abs() < 1e-3 * (1.0 + expected.abs()), "{steps}: {found}, not {expected}");
        let wrong = weight(&|t| steps + 1 - t);
        assert!(steps == 1 || (found - wrong).abs() > 1e-2, "{steps}: steps the wrong way round are told apart");
    }
}

/// The mean that is taken of z_{t−1}, v being what it should be, is that of q(z_{t−1} | z_t, z_0) (Ho et al. 2020, equation 7).
#[test]
fn a_step_back_goes_to_the_posterior_mean() {
    let steps = 12;
    let (z, eps, kept) = (numbers(LATENT, 0.1), numbers(LATENT, 0.9), kept(steps));
    for t in 1..=steps {
        let (left, beta) = (1.0 - kept[t], 1.0 - kept[t] / kept[t - 1]);
        let noisy = sum(&scaled(&z, kept[t].sqrt()), &scaled(&eps, left.sqrt()));
        let v = sum(&scaled(&eps, kept[t].sqrt()), &scaled(&z, -left.sqrt()));
        let bench = Bench::new(Graph::new(), &[("z", noisy.clone()), ("v", v)]);
        let [noisy_code, v] = ["z", "v"].map(|name| bench.graph.input(name, &[1, LATENT]));
        let found = bench.value(diffusion(steps, 0).mean_before(noisy_code, v, t));
        let mean = |left_before: f64| {
            let of_code = scaled(&z, kept[t - 1].sqrt() * beta / left);
            sum(&of_code, &scaled(&noisy, (1.0 - beta).sqrt() * left_before / left))
        };
        assert!(far(&found, &mean(1.0 - kept[t - 1])) < 1e-5, "{t}: {found:?}");
        assert!(t == steps || far(&found, &mean(left)) > 1e-3, "{t}: another share of noise is told apart");
    }
}

#[test]
fn the_denoising_loss_is_how_far_the_noise_is_that_was_told() {
    let steps = 10;
    let (z, eps, times) = (numbers(3 * LATENT, 0.2), numbers(3 * LATENT, 0.4), [1, 4, 10]);
    let t = times.map(f64::from).to_vec();
    let bench = Bench::new(Graph::new(), &[("z", z.clone()), ("eps", eps.clone()), ("t", t)]);
    let inputs = [("z", LATENT), ("t", 1), ("eps", LATENT)].map(|(name, width)| bench.graph.input(name, &[3, width]));
    let found = bench.value(diffusion(steps, 0).denoising_loss_at(inputs[0], inputs[1], inputs[2]));
    let kept = kept(steps);
    let loss = |row: usize, sign: f64| {
        let (z, eps, kept) = (&z[row * LATENT..][..LATENT], &eps[row * LATENT..][..LATENT], kept[times[row] as usize]);
        let noisy = sum(&scaled(z, kept.sqrt()), &scaled(eps, (1.0 - kept).sqrt()));
        let told = sum(
            &scaled(&noisy, (1.0 - kept).sqrt()),
            &scaled(&v(steps, &noisy, times[row] as usize), sign * kept.sqrt()),
        );
        sum(eps, &scaled(&told, -1.0)).iter().map(|d| d * d).sum::<f64>()
    };
    for (row, found) in found.iter().enumerate() {
        assert!((found - loss(row, 1.0)).abs() < 1e-4, "{row}: {found}, not {}", loss(row, 1.0));
        assert!(row == 2 || (found - loss(row, -1.0)).abs() > 1e-2, "{row}: v the other way round is told apart");
    }
}

/// Gradients of the denoising loss by central differences, of every parameter.
#[test]
fn the_denoising_loss_has_the_slope_of_differences() {
    let inputs = [("z", numbers(4 * LATENT, 0.5)), ("eps", numbers(4 * LATENT, 0.6)), ("t", vec![1.0, 2.0, 5.0, 6.0])];
    let mut bench = Bench::new(Graph::new(), &inputs);
    let loss = |graph: &Graph| {
        let [z, t, eps] =
            [("z", LATENT), ("t", 1), ("eps", LATENT)].map(|(name, width)| graph.input(name, &[4, width]));
        diffusion(6, 0).denoising_loss_at(z, t, eps).sum(&[0]).id()
    };
    let id = loss(&bench.graph);
    for (place, spec) in bench.graph.parameters().iter().enumerate() {
        bench.values.tensors.insert(spec.name.clone(), numbers(spec.shape.iter().product(), place as f64));
    }
    assert_eq!(bench.graph.parameters().len(), 8);
    for spec in bench.graph.parameters() {
        let slope = bench.value(bench.graph.tensor(id).gradients(&[bench.graph.parameter(&spec.name)])[0]);
        let mut at = |shift: f64| {
            bench.values.tensors.get_mut(&spec.name).unwrap()[0] += shift;
            bench.value(bench.graph.tensor(id))[0]
        };
        let (above, below) = (at(1e-4), at(-2e-4));
        at(1e-4);
        let difference = (above - below) / 2e-4;
        assert!(
            (slope[0] - difference).abs() < 1e-5 * (1.0 + difference.abs()),
            "{}: {} and {difference}",
            spec.name,
            slope[0]
        );
        assert!((slope[0] - 0.99 * difference - 0.01).abs() > 1e-5, "{}: another slope is told apart", spec.name);
    }
}

/// A network that has learnt nothing leaves N(0, I), exactly.
#[test]
fn it_starts_as_the_standard_normal() {
    let (of, z) = (diffusion(7, 0), numbers(LATENT, 0.8));
    let mut bench = Bench::new(Graph::new(), &[("z", z.clone()), ("noise", numbers(7 * LATENT, 0.1))]);
    for name in ["prior.denoiser.last.weight", "prior.denoiser.last.bias"] {
        bench
            .values
            .tensors
            .insert(name.into(), vec![0.0; if name.ends_with("bias") { LATENT } else { LATENT * HIDDEN }]);
    }
    let inputs = [("z", LATENT), ("noise", 7 * LATENT)].map(|(name, width)| bench.graph.input(name, &[1, width]));
    let found = bench.value(of.log_weight(inputs[0], inputs[1]))[0];
    assert!((found - gaussian(&z, &[0.0; LATENT], 1.0)).abs() < 1e-6, "{found}");
    bench.values.tensors.insert("prior.denoiser.last.bias".into(), vec![0.5; LATENT]);
    let learnt = bench.value(of.log_weight(inputs[0], inputs[1]))[0];
    assert!(
        (learnt - gaussian(&z, &[0.0; LATENT], 1.0)).abs() > 1e-2,
        "what has learnt something is told apart: {learnt}"
    );
    let starts = bench.graph.parameters().into_iter().filter(|spec| spec.name.contains(".last."));
    assert!(starts.map(|spec| spec.init).eq([Init::Constant(0.0); 2]));
}

/// Mean and covariance of codes, the latter by its different elements.
const MEAN: [f64; 2] = [0.6, -0.3];
const COVARIANCE: [f64; 3] = [0.5, 0.3, 0.9];

/// The exact v of codes that are N(m, S): E\[z_0 | z_t\] = m + √ᾱ S (ᾱ S + (1 − ᾱ) I)⁻¹ (z_t − √ᾱ m), and v = (√ᾱ z_t − z_0)/√(1 − ᾱ).
fn exact<'g>(schedule: Schedule, z: Tensor<'g>, t: usize) -> Tensor<'g> {
    let (Level { kept, noise, .. }, [a, b, c]) = (schedule.level(t), COVARIANCE);
    let [p, q, r] = [kept * a + noise, kept * b, kept * c + noise];
    let gain = [[a * r - b * q, b * p - a * q], [b * r - c * q, c * p - b * q]];
    let off = [0, 1].map(|d| z.slice(1, d, 1) - (kept.sqrt() * MEAN[d]) as f32);
    let v = [0, 1].map(|d| {
        let [first, second] = gain[d].map(|g| (kept.sqrt() * g / (p * r - q * q)) as f32);
        let code = off[0] * first + off[1] * second + MEAN[d] as f32;
        (z.slice(1, d, 1) * kept.sqrt() as f32 - code) * (1.0 / noise.sqrt()) as f32
    });
    z.graph().concat(&v, 1)
}

/// Mean and covariance of draws with the exact v of a schedule.
fn draws_of_gaussian(of: Diffusion, schedule: Schedule) -> [f64; 5] {
    const DRAWS: usize = 10_000;
    let graph = Graph::new();
    let noise = graph.normal(graph.stream(), &[DRAWS, 2]);
    let v = |z, t| exact(schedule, z, t);
    let drawn = if of.ddim > 0 { of.deterministic(noise, v) } else { of.ancestral(noise, v) };
    let drawn = evaluate(&Values::default(), &[drawn]).remove(0);
    let over = |value: &dyn Fn(f64, f64) -> f64| drawn.chunks(2).map(|z| value(z[0], z[1])).sum::<f64>() / DRAWS as f64;
    let [x, y] = [over(&|x, _| x), over(&|_, y| y)];
    [x, y, over(&|u, _| (u - x) * (u - x)), over(&|u, w| (u - x) * (w - y)), over(&|_, w| (w - y) * (w - y))]
}

#[test]
fn exact_denoising_draws_the_codes_that_were_noised() {
    let ([x, y], [a, b, c]) = (MEAN, COVARIANCE);
    let expected = [x, y, a, b, c];
    // What is left are 10,000 draws, and of fewer steps how long these are.
    for (name, of, within) in [("ancestral", diffusion(100, 0), 0.04), ("DDIM", diffusion(100, 50), 0.07)] {
        let right = draws_of_gaussian(of, of.schedule);
        let far = |found: [f64; 5]| found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(far(right) < within, "{name}: {right:?}");
        // Of a schedule that is four times as long, noise is taken for less than it is.
        let wrong = draws_of_gaussian(of, Schedule { steps: 400 });
        assert!(far(wrong) > 0.1, "{name}: {wrong:?}");
    }
}
