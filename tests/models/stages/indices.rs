//! A prior over indices that is fitted to a trained model: codes whose probabilities are known, and what comes of it.

use std::path::Path;

use elbo::apps::{CHECKPOINT, Draws, Outcome, PriorFit, Saved, TrainRun, fit_prior};
use elbo::config::{DeviceChoice, Preset};
use elbo::engine::cpu::Cpu;
use elbo::engine::kernels::Step;
use elbo::engine::kernels::random::uniform4;
use elbo::engine::program::Executor;
use elbo::engine::training::checkpoint::Checkpoint;

use crate::common::npy::npy_of_floats;
use crate::runs::{Device, Run, StopAt, small};

const WIDTH: usize = 3;
const ROWS: usize = 5000;
/// How likely a level is that follows from those before it; either other one has half of the rest.
const SURE: f64 = 0.8;

fn cpu() -> elbo::Result<Box<dyn Executor>> {
    Ok(Box::new(Cpu::new()))
}

/// The probability of three levels: any, the same mostly, and mostly the sum of both but for a multiple of 3.
fn probability(levels: [usize; WIDTH]) -> f64 {
    let of = |level: usize, expected: usize| if level == expected { SURE } else { (1.0 - SURE) / 2.0 };
    of(levels[1], levels[0]) * of(levels[2], (levels[0] + levels[1]) % 3) / 3.0
}

/// Levels drawn so, as rows of −9, 0 and 9.
fn rows() -> Vec<f32> {
    let step = Step { seed: [2, 6], ..Step::default() };
    let row = |r: usize| {
        let u = uniform4(&step, 1, r as u32).map(f64::from);
        let first = (u[0] * 3.0) as usize;
        let near = |expected: usize, u: f64| match u {
            u if u < SURE => expected,
            u => (expected + 1 + usize::from(u > (1.0 + SURE) / 2.0)) % 3,
        };
        let second = near(first, u[1]);
        [first, second, near((first + second) % 3, u[2])].map(|level| 9.0 * (level as f32 - 1.0))
    };
    (0..ROWS).flat_map(row).collect()
}

/// A run whose encoder copies, as silu(x) − silu(−x), so that each value is one of three levels.
fn copying(folder: &Path) {
    let data = folder.join("rows.npy");
    std::fs::write(&data, npy_of_floats(&format!("({ROWS}, {WIDTH})"), rows())).unwrap();
    let mut config = Preset::Classic.config();
    (config.model.encoder, config.model.latent) = ("mlp:6,activation=silu".parse().unwrap(), WIDTH);
    (config.model.kind, config.model.likelihood) = ("fsq:levels=3".parse().unwrap(), "gaussian-shared".into());
    config.data.source = data.display().to_string();
    config.data.standardise = Some(false);
    config.device.device = DeviceChoice::Cpu;
    drop(TrainRun::start(config, &folder.join("run"), cpu().unwrap()).unwrap());
    let path = folder.join("run").join(CHECKPOINT);
    let mut checkpoint = Checkpoint::load(&path).unwrap();
    let one = |a: usize, b: usize| f32::from(u8::from(a == b));
    let sign = |unit: usize| if unit < WIDTH { 1.0 } else { -1.0 };
    let apart = (0..6).flat_map(|unit| (0..WIDTH).map(move |d| sign(unit) * one(unit % WIDTH, d))).collect();
    let back = (0..WIDTH).flat_map(|d| (0..6).map(move |unit| sign(unit) * one(unit % WIDTH, d))).collect();
    for (name, values) in [
        ("encoder.0.weight", apart),
        ("encoder.0.bias", vec![0.0; 6]),
        ("head.weight", back),
        ("head.bias", vec![0.0; 3]),
    ] {
        let values: Vec<f32> = values;
        let tensor = checkpoint.tensors.iter_mut().find(|t| t.0 == name).unwrap();
        assert_eq!(tensor.2.len(), values.len(), "{name}");
        tensor.2 = values;
    }
    checkpoint.save(&path).unwrap();
}

/// How often each of the 27 triples of levels stands in codes.
fn shares(codes: &[f32]) -> Vec<f64> {
    let mut shares = vec![0.0; 27];
    for code in codes.chunks_exact(WIDTH) {
        let [a, b, c] = [0, 1, 2].map(|d| (code[d] + 1.0) as usize);
        shares[9 * a + 3 * b + c] += WIDTH as f64 / codes.len() as f64;
    }
    shares
}

#[test]
fn known_probabilities_of_indices_are_found_again() {
    let place = tempfile::tempdir().unwrap();
    copying(place.path());
    let [run, fitted] = ["run", "fitted"].map(|name| place.path().join(name));
    let prior = "pixelcnn:channels=16,layers=1".parse().unwrap();
    let fit = PriorFit { prior, epochs: 12, learning_rate: 0.01, seed: 1 };
    let found = fit_prior(&run, &fitted, &fit, &cpu, &mut |_, _| ()).unwrap();
    let before_it = Saved::open(&run, cpu().unwrap()).unwrap();
    let test = before_it.data().unwrap().test.unwrap();
    let levels = |row: &[f32]| [0, 1, 2].map(|d| (row[d] / 9.0 + 1.0) as usize);
    let truth = (0..test.rows).map(|r| -probability(levels(&test.row(r))).ln()).sum::<f64>() / test.rows as f64;
    let (before, after) = (found.before_figures, found.after_figures);
    assert!((before.cross_entropy - 3.0 * 3_f64.ln()).abs() < 1e-4, "all as likely: {}", before.cross_entropy);
    assert!((after.cross_entropy - truth).abs() < 0.05, "{} is not {truth}", after.cross_entropy);
    assert!(before.cross_entropy > truth + 0.5, "what is uniform is told apart");
    let (of_codes, of_bound) = (before.cross_entropy - after.cross_entropy, after.elbo.unwrap() - before.elbo.unwrap());
    assert!((of_codes - of_bound).abs() < 1e-3, "the bound gains what codes do: {of_codes} is not {of_bound}");
    assert_eq!((found.before.to_string(), found.after), ("uniform".to_string(), fit.prior));

    // The new run differs in the prior alone, and draws.
    let mut saved = Saved::open(&fitted, cpu().unwrap()).unwrap();
    assert_eq!(before_it.config.differences(&saved.config), ["prior"]);
    let [old, new] = [&run, &fitted].map(|folder| Checkpoint::load(&folder.join(CHECKPOINT)).unwrap());
    for (name, shape, values) in &old.tensors {
        assert_eq!(new.tensor(name), Some((shape.as_slice(), values.as_slice())), "{name}");
    }
    let drawn = shares(&saved.session.prior_sample(ROWS, 3).unwrap());
    let likely: Vec<f64> = (0..27).map(|n| probability([n / 9, n / 3 % 3, n % 3])).collect();
    let far = |shares: &[f64]| shares.iter().zip(&likely).map(|(a, b)| (a - b).abs()).sum::<f64>() / 2.0;
    assert!(far(&drawn) < 0.06, "{}: {drawn:?}", far(&drawn));
    assert!(far(&[1.0 / 27.0; 27]) > 0.3, "what is uniform is told apart");

    // Colder, what is likely is likelier still; at 0 it is all there is, and the seed does not matter.
    let mut at = |t, seed| shares(&saved.session.tempered_prior_sample(ROWS, t, seed).unwrap().unwrap());
    let most = |shares: Vec<f64>| shares.into_iter().fold(0.0, f64::max);
    let (warm, cold) = (most(at(1.0, 3)), most(at(0.4, 3)));
    assert!(cold > warm + 0.05, "{cold} and {warm}");
    assert_eq!((at(0.0, 3), most(at(0.0, 4)).round()), (at(0.0, 5), 1.0));
    let cold = Draws { temperature: Some(0.0), truncate: None };
    let rows = saved.new_rows(20, &[], cold, 1).unwrap();
    assert!(rows.chunks_exact(WIDTH).all(|row| row == &rows[..WIDTH]), "{rows:?}");
    let why = saved.new_rows(2, &[], Draws { temperature: None, truncate: Some(1.0) }, 1).unwrap_err().to_string();
    assert!(why.contains("pixelcnn") && why.contains("no standard deviations"), "{why}");
}

/// A prior that learns beside the codes, whose stages are two: a break changes nothing.
#[test]
fn a_run_with_a_prior_goes_on_to_the_same_bits() {
    for kind in ["vq-vae:codes=8,vectors=3,residual=2", "vq-vae:codes=8,vectors=3,codebook=gradient", "fsq:levels=4"] {
        let mut config = small();
        (config.model.kind, config.model.prior) =
            (kind.parse().unwrap(), "pixelcnn:channels=8,layers=1".parse().unwrap());
        (config.training.epochs, config.training.kl_warmup_epochs) = (2, 0);
        let (device, continuous, broken) = (Device::cpu(), Run::new(), Run::new());
        let mut config_of_another = config.clone();
        config_of_another.training.seed += 1;
        assert_eq!(continuous.start(&config, &device, &mut StopAt::never()).unwrap(), Outcome::Finished, "{kind}");
        assert_eq!(broken.start(&config, &device, &mut StopAt::step(8)).unwrap(), Outcome::Stopped, "{kind}");
        assert_eq!(broken.resume(&config, &device, &mut StopAt::never()).unwrap(), Outcome::Finished, "{kind}");
        assert!(broken.kept() == continuous.kept(), "{kind}: a break changes what is learnt");
        // The bound falls short of the loss by what draws codes to each other, and both parts are told.
        let record = continuous.epochs().pop().unwrap();
        assert!(record.kl > 0.0 && (record.elbo + record.reconstruction + record.kl).abs() < 1e-3, "{record:?}");
        let another = Run::new();
        another.start(&config_of_another, &device, &mut StopAt::never()).unwrap();
        assert!(another.kept() != continuous.kept(), "{kind}: the comparison sees nothing");
    }
}
