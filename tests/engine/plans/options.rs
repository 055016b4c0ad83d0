//! Optimisers, gradients gathered over several batches, and running means of parameters, by their formulas in f64.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use elbo::config::{TrainingConfig, TrainingOptions};
use elbo::engine::distributions::Bernoulli;
use elbo::engine::graph::Tensor;
use elbo::engine::kernels::OPTIMISERS;
use elbo::engine::models::{Autoencoder, Batch, Group, Losses, Model, Phase, TrainingPlan};
use elbo::engine::nn::{Activation, linear};
use elbo::engine::training::metrics::StepRecord;
use elbo::engine::training::{Progress, Trainer};

use super::by_hand::{Fault, Parameters, Rows, apart, descend, train};
use super::course::{Sketch, Sketched, devices, numbers, parameters, plain, run, trainer};

const FEATURES: usize = 5;
const RATE: f64 = 0.02;

fn model() -> Autoencoder {
    Autoencoder::new(FEATURES, 2, (&[4], &[4]), Activation::Tanh, Arc::new(Bernoulli))
}

/// An optimiser of one number: its gradient, the update from 1, itself, and what it keeps.
type Rule = fn(f64, f64, f64, &mut [f64; 2]) -> f64;

/// Each optimiser as its paper has it, at settings that are not the usual ones.
const RULES: [(&str, Rule); 6] = [
    ("adam:beta1=0.8,beta2=0.95,epsilon=0.001", |g, t, w, [m, v]| {
        (*m, *v) = (0.8 * *m + 0.2 * g, 0.95 * *v + 0.05 * g * g);
        w - RATE * (*m / (1.0 - 0.8f64.powf(t))) / ((*v / (1.0 - 0.95f64.powf(t))).sqrt() + 0.001)
    }),
    ("adamw:beta1=0.8,beta2=0.95,epsilon=0.001,decay=2", |g, t, w, [m, v]| {
        (*m, *v) = (0.8 * *m + 0.2 * g, 0.95 * *v + 0.05 * g * g);
        let w = w - RATE * 2.0 * w;
        w - RATE * (*m / (1.0 - 0.8f64.powf(t))) / ((*v / (1.0 - 0.95f64.powf(t))).sqrt() + 0.001)
    }),
    ("adamax:beta1=0.8,beta2=0.95,epsilon=0.001", |g, t, w, [m, u]| {
        (*m, *u) = (0.8 * *m + 0.2 * g, (0.95 * *u).max(g.abs()));
        w - RATE / (1.0 - 0.8f64.powf(t)) * *m / (*u + 0.001)
    }),
    ("rmsprop:rho=0.7,epsilon=0.001", |g, _, w, [v, _]| {
        *v = 0.7 * *v + 0.3 * g * g;
        w - RATE * g / (v.sqrt() + 0.001)
    }),
    ("sgd:momentum=0.6", |g, _, w, [b, _]| {
        *b = 0.6 * *b + g;
        w - RATE * *b
    }),
    ("sgd:momentum=0", |g, _, w, _| w - RATE * g),
];

/// Parameters after so many steps under a rule.
fn by_rule(rule: Rule, start: &Parameters, rows: &Rows, steps: u32) -> Parameters {
    let (mut kept, mut updates) = (HashMap::<(String, usize), [f64; 2]>::new(), HashMap::<String, f64>::new());
    train(&model(), start, rows, steps, None, &mut |_, name, values, gradient| {
        let t = updates.entry(name.to_string()).and_modify(|t| *t += 1.0).or_insert(1.0);
        for (i, (w, g)) in values.iter_mut().zip(gradient).enumerate() {
            *w = rule(*g, *t, *w, kept.entry((name.to_string(), i)).or_default());
        }
    })
}

fn unit(seed: u64, rows: usize) -> Vec<f32> {
    numbers(seed, rows, FEATURES).into_iter().map(|x| 0.5 + 0.5 * x).collect()
}

#[test]
fn each_optimiser_is_that_of_its_paper() {
    let x = unit(8, 10);
    let rows = Rows { x: &x, features: FEATURES };
    assert!(OPTIMISERS.iter().all(|piece| RULES.iter().any(|(spec, _)| spec.starts_with(piece.about.id))));
    for executor in 0..devices().len() {
        for (i, (spec, rule)) in RULES.iter().enumerate() {
            let config = TrainingConfig { optimiser: spec.parse().unwrap(), learning_rate: RATE, ..plain(10) };
            let mut trainer = trainer(model(), devices().swap_remove(executor), &rows, &config);
            let start = parameters(&mut trainer);
            run(&mut trainer, 5);
            let found = parameters(&mut trainer);
            let far = apart(&found, &by_rule(*rule, &start, &rows, 5));
            assert!(far < 1e-4, "{spec}: {far:e}");
            // None of the others is near.
            let others = RULES.iter().enumerate().filter(|(other, _)| *other != i);
            for (_, (other, rule)) in others {
                let far = apart(&found, &by_rule(*rule, &start, &rows, 5));
                assert!(far > 1e-3, "{spec} is not told from {other}: {far:e}");
            }
        }
    }
}

/// Settings that are given apart from the optimiser are the optimiser's.
#[test]
fn settings_may_stand_apart() {
    let x = unit(8, 10);
    let rows = Rows { x: &x, features: FEATURES };
    let trained = |optimiser: &str, beta1| {
        let optimiser = optimiser.parse().unwrap();
        let mut config = TrainingConfig { optimiser, learning_rate: RATE, ..plain(10) };
        TrainingOptions { beta1, ..TrainingOptions::default() }.lay_over(&mut config).unwrap();
        let mut trainer = trainer(model(), devices().remove(0), &rows, &config);
        run(&mut trainer, 3);
        parameters(&mut trainer)
    };
    let apart_from_it = trained("adam", Some(0.5));
    assert_eq!(apart_from_it, trained("adam:beta1=0.5", None));
    assert!(apart(&apart_from_it, &trained("adam", None)) > 1e-3);
}

/// Three batches whose gradients are gathered are one batch of all their rows; a fourth, which is short, ends the epoch with an update
/// of its own.
#[test]
fn gathered_gradients_are_those_of_all_their_rows() {
    let x = unit(9, 20);
    let rows = Rows { x: &x, features: FEATURES };
    for executor in 0..devices().len() {
        let open = || devices().swap_remove(executor);
        let trained = |batch: usize, accumulate: usize| {
            let optimiser = "adam:beta1=0.8".parse().unwrap();
            let config = TrainingConfig { accumulate, optimiser, learning_rate: RATE, warmup_steps: 3, ..plain(batch) };
            let mut trainer = trainer(model(), open(), &rows, &config);
            let steps = run(&mut trainer, 3);
            (parameters(&mut trainer), steps)
        };
        let (whole, updates) = trained(15, 1);
        let (gathered, steps) = trained(5, 3);
        let far = apart(&gathered, &whole);
        assert!(far < 1e-5, "{far:e}");
        assert!(apart(&gathered, &trained(5, 1).0) > 1e-2 && apart(&gathered, &trained(5, 2).0) > 1e-3);
        // A mean over rows of means over batches, and a norm where there is an update.
        assert_eq!((updates.len(), steps.len()), (6, 12));
        let mean = steps[..3].iter().map(|step| step.loss).sum::<f64>() / 3.0;
        assert!((mean / updates[0].loss - 1.0).abs() < 1e-5);
        let norms: Vec<Option<f64>> = steps.iter().map(|step| step.gradient_norm).collect();
        let expected: Vec<f64> = updates.iter().filter_map(|step| step.gradient_norm).collect();
        assert_eq!(norms.iter().map(Option::is_some).collect::<Vec<_>>(), [false, false, true, true].repeat(3));
        for (norm, expected) in norms.into_iter().flatten().zip(expected) {
            assert!((norm / expected - 1.0).abs() < 1e-4, "{norm}, {expected}");
        }
        // Both are in the same iteration of their schedules.
        assert_eq!(steps[2].learning_rate, updates[0].learning_rate);
        assert_eq!(steps[3].learning_rate, updates[1].learning_rate);
    }
}

/// A linear autoencoder whose halves take turns, and then move together: phases that see what others moved, one of which moves
/// what others do.
#[derive(Clone, Copy, Debug)]
struct Turns;

impl Sketch for Turns {
    const FEATURES: usize = FEATURES;
    const LATENT: usize = 2;

    fn loss<'g>(&self, batch: &Batch<'g>) -> [Tensor<'g>; 2] {
        let code = linear("encoder", batch.rows.x, 2).tanh();
        [(linear("decoder", code, FEATURES) - batch.rows.x).square().sum_rows(), code]
    }

    fn plan<'m>(&'m self, _: &'m dyn Model) -> TrainingPlan<'m> {
        let [first, second] = ["decoder", "encoder"];
        let half = |name| Phase::new(name, move |batch| Losses::of(name, "loss", self.loss(batch)[0]));
        let both = Phase::new("both", |batch| {
            let mut losses = Losses::of(first, "both", self.loss(batch)[0].square());
            losses.losses[0].groups.push(second);
            losses
        });
        let phases = vec![half(first), half(second), Phase { every: 2, ..both }];
        TrainingPlan { groups: [first, second].map(|name| Group::new(name, name)).into(), phases }
    }
}

/// Each phase gathers over all batches of an iteration before the next begins, as if they were one batch.
#[test]
fn phases_gather_one_after_the_other() {
    let x = unit(9, 15);
    let rows = Rows { x: &x, features: FEATURES };
    for executor in 0..devices().len() {
        let trained = |batch: usize, accumulate: usize| {
            let config = TrainingConfig { accumulate, learning_rate: RATE, ..plain(batch) };
            let mut trainer = trainer(Sketched(Turns), devices().swap_remove(executor), &rows, &config);
            let start = parameters(&mut trainer);
            let steps = run(&mut trainer, 4);
            (start, parameters(&mut trainer), steps)
        };
        let (start, gathered, steps) = trained(5, 3);
        let by_hand = |fault| train(&Sketched(Turns), &start, &rows, 4, fault, &mut descend(RATE));
        let far = apart(&gathered, &by_hand(None));
        assert!(far < 1e-5, "{far:e}");
        assert!(apart(&gathered, &trained(15, 1).1) < 1e-5 && apart(&gathered, &trained(5, 1).1) > 1e-3);
        for fault in [Fault::OtherOrder, Fault::EveryTime] {
            let far = apart(&gathered, &by_hand(Some(fault)));
            assert!(far > 1e-4, "{fault:?} is not seen: {far:e}");
        }
        // Every batch has the figures of the phases that were done in its iteration.
        assert_eq!(steps.len(), 12);
        assert!(steps.iter().enumerate().all(|(i, step)| step.parts.contains_key("both") == (i / 3 % 2 == 0)));
    }
}

/// e ← 0.8e + 0.2θ, from the θ of the start.
#[test]
fn running_means_are_used_in_place_of_what_is_trained() {
    let x = unit(8, 10);
    let rows = Rows { x: &x, features: FEATURES };
    for executor in 0..devices().len() {
        let trained = |average: f64| {
            let config = TrainingConfig {
                average,
                optimiser: "sgd:momentum=0.6".parse().unwrap(),
                learning_rate: RATE,
                ..plain(10)
            };
            let mut trainer = trainer(model(), devices().swap_remove(executor), &rows, &config);
            let start = parameters(&mut trainer);
            run(&mut trainer, 4);
            (start, trainer)
        };
        let (start, mut plainly) = trained(0.0);
        let (_, mut averaged) = trained(0.8);
        let rule = RULES[4].1;
        let mut mean = start.clone();
        for steps in 1..=4 {
            let now = by_rule(rule, &start, &rows, steps);
            for (name, values) in &mut mean {
                values.iter_mut().zip(&now[name]).for_each(|(e, w)| *e = 0.8 * *e + 0.2 * w);
            }
        }
        let found = parameters(&mut averaged);
        let far = apart(&found, &mean);
        assert!(far < 1e-5, "{far:e}");
        assert!(apart(&parameters(&mut plainly), &mean) > 1e-2);
        // What is trained is as without, and is kept beside the means.
        let of = |trainer: &mut Trainer, prefix: &str| -> Vec<(String, Vec<f32>)> {
            let tensors = trainer.checkpoint().unwrap().tensors.into_iter();
            tensors.filter_map(|(name, _, v)| Some((name.strip_prefix(prefix)?.to_string(), v))).collect()
        };
        let trained = of(&mut averaged, "trained.");
        assert!(!trained.is_empty() && trained.iter().all(|t| of(&mut plainly, "").contains(t)));
        // Encoding uses the means.
        let codes = averaged.session.encode(&x).unwrap();
        assert_ne!(codes, plainly.session.encode(&x).unwrap());
    }
}

/// A run that is cut within an iteration and continued is the run that was not.
#[test]
fn a_run_goes_on_where_it_stood() {
    let x = unit(9, 62);
    let rows = Rows { x: &x, features: FEATURES };
    for executor in 0..devices().len() {
        for optimiser in OPTIMISERS.iter().map(|piece| piece.about.id) {
            let config = TrainingConfig {
                average: 0.9,
                optimiser: optimiser.into(),
                learning_rate: RATE,
                accumulate: 2,
                steps_per_submit: Some(1),
                ..plain(5)
            };
            let new = || trainer(model(), devices().swap_remove(executor), &rows, &config);
            let mut whole = new();
            run(&mut whole, 3);
            // Broken off in the third of thirteen batches, which is the first of an iteration of two, or where that is heard of.
            let mut first = new();
            let stop = |p: Progress| if p.batch < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
            run(&mut first, 1);
            assert!(first.epoch(&mut { stop }).unwrap().is_none());
            assert!(first.state.batch >= 4 && first.state.batch.is_multiple_of(2), "{}", first.state.batch);
            let checkpoint = first.checkpoint().unwrap();
            let mut second = new();
            second.resume(&checkpoint).unwrap();
            run(&mut second, 2);
            assert_eq!(second.checkpoint().unwrap().tensors, whole.checkpoint().unwrap().tensors, "{optimiser}");
            assert_ne!(second.checkpoint().unwrap().tensors, checkpoint.tensors);
        }
    }
}

/// The steps of so many epochs of one step each, and everything that is kept after them: parameters, what the optimiser keeps of them, and their running mean.
fn kept(skip: f64, epochs: usize, of: &TrainingConfig, executor: usize) -> (Vec<StepRecord>, Vec<Vec<f32>>) {
    let x = unit(8, 10);
    let rows = Rows { x: &x, features: FEATURES };
    let config = TrainingConfig { skip_norm: skip, ..of.clone() };
    let mut trainer = trainer(model(), devices().swap_remove(executor), &rows, &config);
    let records = run(&mut trainer, epochs);
    (records, trainer.checkpoint().unwrap().tensors.into_iter().map(|(.., values)| values).collect())
}

/// A step whose gradient is too long leaves every word as it was, and one whose gradient is not is as if nothing were asked; on the device,
/// whatever else is done with the gradient.
#[test]
fn steps_of_long_gradients_move_nothing() {
    for executor in 0..devices().len() {
        for optimiser in OPTIMISERS.iter().map(|piece| piece.about.id) {
            for (clip_norm, accumulate) in [(None, 1), (Some(0.01), 1), (None, 2)] {
                let config = TrainingConfig {
                    optimiser: optimiser.into(),
                    learning_rate: RATE,
                    average: 0.9,
                    clip_norm,
                    accumulate,
                    ..plain(10 / accumulate)
                };
                let (plainly, moved) = kept(0.0, 1, &config, executor);
                let norm = plainly.last().unwrap().gradient_norm.unwrap();
                assert!(plainly.iter().all(|step| !step.parts.contains_key("skipped")), "nothing was asked for");
                let (_, before) = kept(0.0, 0, &config, executor);
                let what = format!("{optimiser}, clipped to {clip_norm:?}, of {accumulate} batches");
                let (records, still) = kept(0.999 * norm, 1, &config, executor);
                assert!(still == before, "{what}: a step that is skipped moves something");
                assert_eq!(records.last().unwrap().parts["skipped"], 1.0, "{what}");
                // It is told, and not what it would be without.
                let told = records.last().unwrap().gradient_norm.unwrap();
                assert!((told - norm).abs() < 1e-5 * norm, "{what}: {told} is not {norm}");
                let (records, found) = kept(1.001 * norm, 1, &config, executor);
                assert!(found == moved && found != before, "{what}: a step that is not skipped is another");
                assert_eq!(records.last().unwrap().parts["skipped"], 0.0, "{what}");
            }
        }
    }
}

/// Of a run, the steps that are skipped are those whose gradients are longer; what follows them goes on from what was before; and a run that is
/// broken off goes on to the same bits.
#[test]
fn a_run_goes_on_behind_steps_that_are_skipped() {
    // One batch of four is far from the others.
    let mut x = unit(9, 40);
    x[..10 * FEATURES].iter_mut().for_each(|x| *x = 40.0);
    let rows = Rows { x: &x, features: FEATURES };
    for executor in 0..devices().len() {
        let config = TrainingConfig {
            optimiser: "adam".into(),
            learning_rate: RATE,
            average: 0.9,
            skip_norm: 10.0,
            steps_per_submit: Some(1),
            ..plain(1)
        };
        let new = || trainer(model(), devices().swap_remove(executor), &rows, &config);
        let mut whole = new();
        let steps = run(&mut whole, 2);
        let skipped = steps.iter().filter(|step| step.parts["skipped"] == 1.0).count();
        assert!(skipped > 0 && skipped < steps.len(), "{skipped} of {}", steps.len());
        for step in &steps {
            let norm = step.gradient_norm.unwrap();
            assert_eq!(step.parts["skipped"] == 1.0, norm > 10.0, "{norm}");
        }
        let mut first = new();
        run(&mut first, 1);
        let checkpoint = first.checkpoint().unwrap();
        let mut second = new();
        second.resume(&checkpoint).unwrap();
        run(&mut second, 1);
        assert!(second.checkpoint().unwrap().tensors == whole.checkpoint().unwrap().tensors);
        assert!(checkpoint.tensors != whole.checkpoint().unwrap().tensors, "the comparison sees nothing");
    }
}
