//! Rates and weights at the steps where they turn: start, middle, end, beyond it, and on both sides of an epoch's border.

use std::f64::consts::PI;
use std::sync::Arc;

use elbo::catalogue::{Spec, build};
use elbo::config::{Schedule, TrainingConfig};
use elbo::engine::distributions::{Bernoulli, POSTERIORS, PRIORS};
use elbo::engine::kernels::SCALARS;
use elbo::engine::models::{Group, Model, Parts, Vae};
use elbo::engine::nn::Activation;
use elbo::engine::objectives::BETA;
use elbo::engine::program::{Program, Rule};
use elbo::engine::training::{Moved, Rates, Scalars};

use super::hand::{same, vae};

/// Steps of an epoch.
const STEPS: u64 = 5;
/// 40 steps.
const EPOCHS: usize = 8;
const RATE: f64 = 0.3;
const FULL: f64 = 2.5;
/// Far beyond the last epoch.
const BEYOND: u64 = 1_000_000;

fn rates(change: impl Fn(&mut TrainingConfig)) -> Rates {
    let mut training = TrainingConfig { epochs: EPOCHS, learning_rate: RATE, ..TrainingConfig::default() };
    (training.schedule, training.warmup_steps) = (Schedule::Constant, 0);
    (training.kl_warmup_epochs, training.kl_cycle_epochs) = (0, 0);
    change(&mut training);
    Rates::new(&training, FULL, STEPS)
}

/// A function of the step has these values, and they are not all the same.
#[track_caller]
fn goes(of: impl Fn(u64) -> f64, expected: &[(u64, f64)]) {
    for &(step, value) in expected {
        assert!((of(step) - value).abs() < 1e-12, "step {step}: {} is not {value}", of(step));
    }
}

#[test]
fn a_constant_rate_with_a_warm_up() {
    goes(|step| rates(|_| ()).learning_rate(step), &[(0, RATE), (39, RATE), (BEYOND, RATE)]);
    // A quarter after the first of four steps, all of it after the fourth.
    let warm = rates(|t| t.warmup_steps = 4);
    let expected = [(0, 0.25 * RATE), (1, 0.5 * RATE), (2, 0.75 * RATE), (3, RATE), (4, RATE), (BEYOND, RATE)];
    goes(|step| warm.learning_rate(step), &expected);
}

#[test]
fn a_rate_in_steps_falls_at_the_borders_of_epochs() {
    let set = |t: &mut TrainingConfig| (t.schedule, t.step_every, t.step_factor) = (Schedule::Step, 3, 0.2);
    let falling = rates(set);
    // Every three epochs of five steps.
    let expected = [
        (0, RATE),
        (5, RATE),
        (14, RATE),
        (15, 0.2 * RATE),
        (29, 0.2 * RATE),
        (30, 0.04 * RATE),
        (44, 0.04 * RATE),
        (45, 0.008 * RATE),
    ];
    goes(|step| falling.learning_rate(step), &expected);
    // Warm-up and steps are multiplied.
    let both = rates(|t| {
        set(t);
        t.warmup_steps = 20;
    });
    goes(|step| both.learning_rate(step), &[(0, 0.05 * RATE), (15, 0.8 * 0.2 * RATE), (19, 0.2 * RATE)]);
}

#[test]
fn a_rate_along_a_cosine_falls_to_0() {
    let along = |part: f64| 0.5 * RATE * (1.0 + (PI * part).cos());
    let cosine = rates(|t| t.schedule = Schedule::Cosine);
    let expected = [(0, RATE), (10, along(0.25)), (20, 0.5 * RATE), (39, along(39.0 / 40.0)), (40, 0.0), (BEYOND, 0.0)];
    goes(|step| cosine.learning_rate(step), &expected);
    // It starts where the warm-up ends: of 40 steps 32 are left.
    let warm = rates(|t| (t.schedule, t.warmup_steps) = (Schedule::Cosine, 8));
    let expected = [
        (0, 0.125 * RATE),
        (7, RATE),
        (8, RATE),
        (16, along(0.25)),
        (24, 0.5 * RATE),
        (32, along(0.75)),
        (40, 0.0),
        (BEYOND, 0.0),
    ];
    goes(|step| warm.learning_rate(step), &expected);
    // No cosine of a negative part: a warm-up as long as the run ends at the rate.
    let long = rates(|t| (t.schedule, t.warmup_steps) = (Schedule::Cosine, 40));
    goes(|step| long.learning_rate(step), &[(19, 0.5 * RATE), (39, RATE)]);
}

/// Bowman et al. 2016 and Sønderby et al. 2016: linearly over the warm-up; Fu et al. 2019, equation 6: anew in every cycle.
#[test]
fn the_weight_of_the_kl_grows_once_or_in_cycles() {
    goes(|step| rates(|_| ()).beta(step), &[(0, FULL), (BEYOND, FULL)]);
    let once = rates(|t| t.kl_warmup_epochs = 2);
    let expected = [(0, 0.1 * FULL), (4, 0.5 * FULL), (5, 0.6 * FULL), (8, 0.9 * FULL), (9, FULL), (10, FULL)];
    goes(|step| once.beta(step), &expected);
    goes(|step| once.beta(step), &[(BEYOND, FULL)]);
    assert_eq!(once.full_beta(), FULL);
    // Up over two epochs and full for one, again and again.
    let cyclic = rates(|t| (t.kl_warmup_epochs, t.kl_cycle_epochs) = (2, 3));
    let expected = [
        (0, 0.1 * FULL),
        (9, FULL),
        (14, FULL),
        (15, 0.1 * FULL),
        (19, 0.5 * FULL),
        (29, FULL),
        (30, 0.1 * FULL),
        (15 * 66_666, 0.1 * FULL),
    ];
    goes(|step| cyclic.beta(step), &expected);
}

/// A program that reads these scalars and does nothing.
fn program(scalars: &[&str]) -> Program {
    Program {
        name: "scalars".into(),
        buffers: vec![],
        calls: vec![],
        scalars: scalars.iter().map(|s| s.to_string()).collect(),
        statistics: vec![],
        ring: None,
        outputs: vec![],
    }
}

/// The scalars of a program in a step, whose only group `model` is moved by Adam with decays of 0.8 and 0.95 in every step.
fn scalars(names: &[&str], rates: &Rates, model: &dyn Model, step: u64) -> [f64; SCALARS] {
    let rule = Rule::of(&"adam:beta1=0.8,beta2=0.95".parse().unwrap()).unwrap();
    let groups = [Moved::new(&Group::new("model", ""), rule)];
    let scalars = Scalars::of(&program(names), &groups);
    scalars.at((&groups, rates), model, (step, 0.25), &|_| step + 1).map(f64::from)
}

/// Kingma and Ba 2015, the end of section 2: α̂ = α/(1 − β₁ᵗ), ĉ = 1/√(1 − β₂ᵗ), t counted from 1.
#[test]
fn the_corrections_of_adam() {
    let model = vae("elbo");
    let at = |rates: &Rates, step: u64| scalars(&["model.correction", "model.step_size"], rates, &model, step);
    let plain = rates(|_| ());
    for (step, first, second) in [
        (0, 1.0 - 0.8, 1.0 - 0.95),
        (1, 1.0 - 0.64, 1.0 - 0.9025),
        (2, 1.0 - 0.512, 1.0 - 0.857_375),
        (BEYOND, 1.0, 1.0),
    ] {
        let found = at(&plain, step);
        same(found[0], 1.0 / f64::sqrt(second));
        same(found[1], RATE / first);
    }
    // The rate is that of the step.
    same(at(&rates(|t| t.warmup_steps = 4), 1)[1], 0.5 * RATE / (1.0 - 0.64));
    // No slot but those that the program has.
    assert_eq!(at(&plain, 0)[2..], [0.0; SCALARS - 2]);
}

/// The scalar of a model after so many steps.
fn own(model: &dyn Model, name: &str, step: u64) -> f64 {
    scalars(&[BETA, name], &rates(|_| ()), model, step)[1]
}

/// Burgess et al. 2018, section 4.2: C grows linearly from 0, and stays.
#[test]
fn capacity_grows_over_its_epochs() {
    let model = vae("capacity:gamma=3,nats=25,epochs=4");
    for (step, nats) in [(0, 0.0), (1, 1.25), (4, 5.0), (5, 6.25), (10, 12.5), (19, 23.75), (20, 25.0), (BEYOND, 25.0)]
    {
        assert!((own(&model, "capacity", step) - nats).abs() < 1e-5, "step {step}");
    }
    // What stands for the end of training, no growth at all, and no scalar of another name.
    assert_eq!(model.scalar("capacity", f64::INFINITY), Some(25.0));
    assert_eq!(vae("capacity:nats=25,epochs=0").scalar("capacity", 0.0), Some(25.0));
    assert_eq!(vae("capacity:nats=25,epochs=0.5").scalar("capacity", 0.25), Some(12.5));
    assert_eq!((model.scalar("temperature", 1.0), vae("elbo").scalar("capacity", 1.0)), (None, None));
}

/// Jang, Gu and Poole 2017, section 4: the temperature falls by the same factor in each epoch, and stays.
#[test]
fn the_temperature_falls_over_its_epochs() {
    let gumbel = |settings: &str| {
        let spec: Spec = format!("gumbel-softmax:categories=3,{settings}").parse().unwrap();
        let parts = Parts {
            posterior: build(POSTERIORS, &spec).unwrap(),
            prior: build(PRIORS, &Spec::new("uniform-categorical").with("categories", 3.0)).unwrap(),
            ..Parts::new(Arc::new(Bernoulli))
        };
        Vae::new(4, 6, (&[], &[]), Activation::Tanh, parts)
    };
    // From 2 to ⅛ over four epochs: half of it in each.
    let model = gumbel("start=2,end=0.125,epochs=4");
    let root = 2f64.powf(-0.2);
    for (step, tau) in
        [(0, 2.0), (4, 2.0 * root.powi(4)), (5, 1.0), (10, 0.5), (15, 0.25), (20, 0.125), (BEYOND, 0.125)]
    {
        assert!((own(&model, "temperature", step) - tau).abs() < 1e-6, "step {step}");
    }
    assert_eq!(model.scalar("temperature", f64::INFINITY), Some(0.125));
    assert_eq!(gumbel("start=2,end=0.125,epochs=0").scalar("temperature", 0.0), Some(0.125));
    assert_eq!(gumbel("start=2,end=0.125,epochs=0.5").scalar("temperature", 0.25), Some(0.5));
    assert_eq!(model.scalar("capacity", 1.0), None);
}
