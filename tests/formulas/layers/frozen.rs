//! A stack whose upper layer says nothing is the model of its first layer.

use std::sync::Arc;

use elbo::catalogue::{Spec, build};
use elbo::engine::distributions::Bernoulli;
use elbo::engine::models::{Batch, Hierarchical, Layer, Model, Parts, Recognition, Terms, Vae, parameters};
use elbo::engine::nn::Activation;
use elbo::engine::objectives::{BETA, OBJECTIVES};

use super::bench::{Bench, Tensor};

const ROWS: usize = 5;
const SAMPLES: usize = 3;
const SIZES: (usize, usize) = (4, 2);
const UPPER: usize = 3;

fn parts(objective: &str) -> Parts {
    let objective = build(OBJECTIVES, &objective.parse::<Spec>().unwrap()).unwrap();
    Parts { objective, ..Parts::new(Arc::new(Bernoulli)) }
}

fn flat(parts: Parts) -> Vae {
    Vae::new(SIZES.0, SIZES.1, (&[6], &[5]), Activation::Tanh, parts)
}

fn stack(parts: Parts) -> Hierarchical {
    let upper = [Layer { latent: UPPER, hidden: vec![4] }];
    Hierarchical::new(Recognition::BottomUp, SIZES, (&[6], &[5]), &upper, Activation::Tanh, parts)
}

/// Parameters of the stack, of which the flat model's are a part; those of the upper layer times `upper`.
fn bench(upper: f64) -> Bench {
    let mut bench = Bench::new();
    bench.values.scalars.insert(BETA.to_string(), 1.0);
    bench.values.step.rows = ROWS as u32;
    bench.fill(&parameters(&stack(parts("elbo"))), 0.9);
    let layer = bench.values.tensors.iter_mut().filter(|(name, _)| name.starts_with("layer2."));
    layer.for_each(|(_, values)| values.iter_mut().for_each(|v| *v *= upper));
    bench
}

/// Terms of a model for a batch and noise of both layers, as values: loss, reconstruction.
fn terms(
    bench: &mut Bench,
    samples: usize,
    model: impl Fn(&Batch<'static>, [Tensor; 2]) -> Terms<'static>,
) -> [Vec<f64>; 2] {
    let rows: Vec<Vec<f64>> = (0..ROWS).map(|r| (0..SIZES.0).map(|c| ((r * 3 + c) % 4 % 2) as f64).collect()).collect();
    let x = bench.input("x", &rows);
    let [first, second] =
        [SIZES.1, UPPER].map(|width| (0..ROWS * samples).map(|_| bench.numbers.signed(width)).collect::<Vec<_>>());
    let noise = [bench.input("first", &first), bench.input("second", &second)];
    let batch = Batch::whole(x);
    let terms = model(&batch, noise);
    [bench.value(terms.loss), bench.value(terms.reconstruction)]
}

/// How far ln w lies off for each dimension of the upper layer: ln 2π, which stands in ln p and in ln q, is an f32 in the latter.
fn rounded(dimensions: usize) -> f64 {
    let log_tau = std::f64::consts::TAU.ln();
    0.5 * dimensions as f64 * (f64::from(std::f32::consts::TAU.ln()) - log_tau)
}

fn apart(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// With p(z₁|z₂) = q(z₂|z₁) = N(0, I), ln w is that of the flat model, whatever z₂ is; and the ELBO, in which the flat model's KL
/// is estimated as the stack's must be.
#[test]
fn bounds_are_those_of_one_layer() {
    for (samples, of_stack, of_flat) in [
        (1, "elbo", "iwae:samples=1"),
        (1, "iwae:samples=1", "iwae:samples=1"),
        (SAMPLES, "iwae:samples=3", "iwae:samples=3"),
    ] {
        let [frozen, free] = [0.0, 1.0].map(|upper| {
            let flat =
                terms(&mut bench(upper), samples, |batch, [first, _]| flat(parts(of_flat)).terms_with(batch, first));
            let stack =
                terms(&mut bench(upper), samples, |batch, noise| stack(parts(of_stack)).terms_with(batch, &noise));
            // The ELBO has the upper layer's KL in closed form.
            let off = if of_stack == "elbo" { 0.0 } else { rounded(UPPER) };
            let loss: Vec<f64> = stack[0].iter().map(|l| l + off).collect();
            [apart(&flat[0], &loss), apart(&flat[1], &stack[1])]
        });
        assert!(frozen.iter().all(|far| *far < 1e-10), "{of_stack}, {samples} samples: {frozen:?} apart");
        assert!(free[0] > 1e-2, "{of_stack}: an upper layer that says something is not seen ({free:?})");
    }
}

/// The same of the weights of importance sampling, with the noise that models draw themselves.
#[test]
fn weights_are_those_of_one_layer() {
    let weights = |upper: f64, model: &dyn Model| {
        let mut bench = bench(upper);
        let x = bench.same("x", ROWS, SIZES.0);
        let weights = model.can().density().unwrap().log_weights(x.into(), SAMPLES);
        assert_eq!(weights.shape(), [ROWS, SAMPLES]);
        bench.value(weights)
    };
    let (flat, stack) = (flat(parts("elbo")), stack(parts("elbo")));
    let far = |upper: f64| {
        let of_stack: Vec<f64> = weights(upper, &stack).iter().map(|w| w - rounded(UPPER)).collect();
        apart(&weights(upper, &flat), &of_stack)
    };
    assert!(far(0.0) < 1e-10, "{:e} apart", far(0.0));
    assert!(far(1.0) > 1e-2, "an upper layer that says something is not seen");
}

/// Means, draws and decoded means of the first layer do not hang on the upper one in either model.
#[test]
fn codes_are_those_of_one_layer() {
    let both = |work: &dyn Fn(&mut Bench, &dyn Model) -> Vec<f64>| {
        let (mut a, mut b) = (bench(1.0), bench(1.0));
        apart(&work(&mut a, &flat(parts("elbo"))), &work(&mut b, &stack(parts("elbo"))))
    };
    let encode = |b: &mut Bench, m: &dyn Model| {
        let x = b.same("x", ROWS, SIZES.0);
        let z = m.can().encode().unwrap().mean(x.into());
        b.value(z)
    };
    let draw = |b: &mut Bench, m: &dyn Model| {
        let x = b.same("x", ROWS, SIZES.0);
        let z = m.can().encode().unwrap().draw(x.into(), 1);
        b.value(z)
    };
    let decode = |b: &mut Bench, m: &dyn Model| {
        let z = b.same("z", ROWS, SIZES.1);
        let x = m.can().decode().unwrap().mean(z, None);
        b.value(x)
    };
    assert!(both(&encode) < 1e-12 && both(&draw) < 1e-12 && both(&decode) < 1e-12);
    let (mut a, mut b) = (bench(1.0), bench(1.0));
    assert!(apart(&encode(&mut a, &flat(parts("elbo"))), &draw(&mut b, &stack(parts("elbo")))) > 1e-2);
}
