//! Fitting a prior to codes whose density is known: a model that copies its rows, on rows of a mixture.

use std::path::Path;

use elbo::apps::{CHECKPOINT, PriorFit, PriorFitted, Saved, TrainRun, first_stage, fit_prior};
use elbo::config::{Config, DeviceChoice, Preset};
use elbo::engine::cpu::Cpu;
use elbo::engine::evaluation::{Points, frechet_distance};
use elbo::engine::kernels::Step;
use elbo::engine::kernels::random::{normal4, uniform4};
use elbo::engine::program::Executor;
use elbo::engine::training::checkpoint::Checkpoint;

use crate::common::npy::npy_of_floats;

const WIDTH: usize = 2;
const ROWS: usize = 5000;
/// Three Gaussians far from 0 and from each other: weight, means, deviations.
const MIXTURE: [(f64, [f64; WIDTH], [f64; WIDTH]); 3] =
    [(0.5, [4.0, 0.0], [0.3, 1.0]), (0.3, [-3.0, 2.0], [1.0, 0.4]), (0.2, [0.0, -5.0], [0.2, 0.2])];

fn cpu() -> elbo::Result<Box<dyn Executor>> {
    Ok(Box::new(Cpu::new()))
}

/// Rows of the mixture.
fn rows() -> Vec<f32> {
    let step = Step { seed: [1, 8], ..Step::default() };
    let row = |r: usize| {
        let u = f64::from(uniform4(&step, 1, r as u32)[0]);
        let k = if u < 0.5 {
            0
        } else if u < 0.8 {
            1
        } else {
            2
        };
        let (_, mean, deviation) = MIXTURE[k];
        let eps = normal4(&step, 2, r as u32);
        [0, 1].map(|d| (mean[d] + deviation[d] * f64::from(eps[d])) as f32)
    };
    (0..ROWS).flat_map(row).collect()
}

/// −ln p of a row.
fn cost(row: &[f32]) -> f64 {
    let of = |(weight, mean, deviation): &(f64, [f64; WIDTH], [f64; WIDTH])| -> f64 {
        let each = |d: usize| {
            let e = (f64::from(row[d]) - mean[d]) / deviation[d];
            (-0.5 * e * e).exp() / deviation[d] / std::f64::consts::TAU.sqrt()
        };
        weight * each(0) * each(1)
    };
    -MIXTURE.iter().map(of).sum::<f64>().ln()
}

/// A run whose model copies: z = x with a variance of e^log_var, and x = z, both as relu(x) − relu(−x).
fn copying(folder: &Path, log_var: f32) -> Config {
    let data = folder.join("rows.npy");
    std::fs::write(&data, npy_of_floats(&format!("({ROWS}, {WIDTH})"), rows())).unwrap();
    let mut config = Preset::Classic.config();
    (config.model.encoder, config.model.latent) = ("mlp:4".parse().unwrap(), WIDTH);
    config.model.likelihood = "gaussian-shared".into();
    config.data.source = data.display().to_string();
    config.data.standardise = Some(false);
    config.device.device = DeviceChoice::Cpu;
    drop(TrainRun::start(config.clone(), &folder.join("run"), cpu().unwrap()).unwrap());
    let path = folder.join("run").join(CHECKPOINT);
    let mut checkpoint = Checkpoint::load(&path).unwrap();
    let (apart, back) = (vec![1.0, 0.0, 0.0, 1.0, -1.0, 0.0, 0.0, -1.0], [1.0, 0.0, -1.0, 0.0, 0.0, 1.0, 0.0, -1.0]);
    for (name, values) in [
        ("encoder.0.weight", apart.clone()),
        ("encoder.0.bias", vec![0.0; 4]),
        ("head.weight", [&back[..], &[0.0; 8]].concat()),
        ("head.bias", vec![0.0, 0.0, log_var, log_var]),
        ("decoder.0.weight", apart),
        ("decoder.0.bias", vec![0.0; 4]),
        ("decoder.1.weight", back.to_vec()),
        ("decoder.1.bias", vec![0.0; 2]),
    ] {
        let tensor = checkpoint.tensors.iter_mut().find(|t| t.0 == name).unwrap();
        assert_eq!(tensor.2.len(), values.len(), "{name}");
        tensor.2 = values;
    }
    checkpoint.save(&path).unwrap();
    config
}

fn fit(folder: &Path, prior: &str, epochs: usize) -> elbo::Result<PriorFitted> {
    let fit = PriorFit { prior: prior.parse().unwrap(), epochs, learning_rate: 0.02, seed: 1 };
    let id = fit.prior.id.clone();
    fit_prior(&folder.join("run"), &folder.join(id), &fit, &cpu, &mut |_, _| ())
}

#[test]
fn a_known_mixture_is_found_again() {
    let place = tempfile::tempdir().unwrap();
    copying(place.path(), -12.0);
    let found = fit(place.path(), "mixture:components=6", 40).unwrap();
    // What is held out tells its own true cost.
    let saved = Saved::open(&place.path().join("run"), cpu().unwrap()).unwrap();
    let test = saved.data().unwrap().test.unwrap();
    let truth = (0..test.rows).map(|r| cost(&test.row(r))).sum::<f64>() / test.rows as f64;
    let (before, after) = (found.before_figures, found.after_figures);
    assert!((after.cross_entropy - truth).abs() < 0.04, "{} is not {truth}", after.cross_entropy);
    assert!(before.cross_entropy > truth + 3.0, "a standard normal is told apart: {}", before.cross_entropy);
    // What codes gain, the bound gains, but for how exact the KL of the old prior is.
    let (of_codes, of_bound) = (before.cross_entropy - after.cross_entropy, after.elbo.unwrap() - before.elbo.unwrap());
    assert!((of_codes - of_bound).abs() < 0.05, "{of_codes} is not {of_bound}");

    // The new run draws from it, and differs from the old in the prior alone.
    let data = Points::new(rows(), WIDTH).unwrap();
    let distance = |name: &str| {
        let mut saved = Saved::open(&place.path().join(name), cpu().unwrap()).unwrap();
        let new = Points::new(saved.session.sample(ROWS, &[], 5).unwrap(), WIDTH).unwrap();
        (saved.config, frechet_distance(&new, &data).unwrap())
    };
    let ((config, old), (settings, new)) = (distance("run"), distance("mixture"));
    assert!(old > 5.0 && new < 0.1, "{old}, {new}");
    assert_eq!(config.differences(&settings), ["prior"]);
    let [before, after] = ["run", "mixture"].map(|n| Checkpoint::load(&place.path().join(n).join(CHECKPOINT)).unwrap());
    for (name, shape, values) in &before.tensors {
        assert_eq!(after.tensor(name), Some((shape.as_slice(), values.as_slice())), "{name}");
    }
    assert_eq!(after.tensors.len(), before.tensors.len() + 3 * 3);

    // It can be trained further.
    let mut run = TrainRun::resume(settings, &place.path().join("mixture"), cpu().unwrap()).unwrap();
    run.config.training.epochs = 1;
    run.train(&mut Nobody).unwrap();
}

struct Nobody;

impl elbo::apps::Watcher for Nobody {
    fn progress(&mut self, _: u64, _: u64, _: &elbo::engine::training::Progress) -> std::ops::ControlFlow<()> {
        std::ops::ControlFlow::Continue(())
    }

    fn epoch(&mut self, _: &[elbo::engine::training::metrics::EpochRecord]) {}
}

/// Every prior that is learnt finds codes more likely than the standard normal does.
#[test]
fn every_learnt_prior_can_be_fitted() {
    let place = tempfile::tempdir().unwrap();
    copying(place.path(), -3.0);
    for prior in [
        "diagonal-gaussian",
        "realnvp:length=4,hidden=32",
        "maf:length=2,hidden=32",
        "vampprior:components=400,bounded=0",
        "diffusion:steps=8,hidden=16,layers=1",
    ] {
        let found = fit(place.path(), prior, 6).unwrap();
        let gain = found.before_figures.cross_entropy - found.after_figures.cross_entropy;
        assert!(gain > 1.0, "{prior}: {gain}");
        assert_eq!(found.after, prior.parse().unwrap());
    }
}

/// A diffusion draws the rows of the mixture, in all its steps and in fewer; its bound lies above the true cost, and not far.
#[test]
fn a_diffusion_finds_a_known_mixture() {
    let place = tempfile::tempdir().unwrap();
    copying(place.path(), -12.0);
    let prior = "diffusion:steps=20,hidden=32,layers=1";
    let found = fit(place.path(), prior, 30).unwrap();
    let run = place.path().join("diffusion");
    let mut saved = Saved::open(&run, cpu().unwrap()).unwrap();
    let test = saved.data().unwrap().test.unwrap();
    let truth = (0..test.rows).map(|r| cost(&test.row(r))).sum::<f64>() / test.rows as f64;
    let bound = found.after_figures.cross_entropy;
    eprintln!("{bound} nats where the truth is {truth}, a standard normal {}", found.before_figures.cross_entropy);
    assert!(bound > truth && bound < truth + 1.5, "{bound} is no bound of {truth}, or a loose one");
    assert!(found.before_figures.cross_entropy > truth + 3.0);

    let data = Points::new(rows(), WIDTH).unwrap();
    let distance = |saved: &mut Saved| {
        let new = saved.session.sample(ROWS, &[], 5).unwrap();
        frechet_distance(&Points::new(new, WIDTH).unwrap(), &data).unwrap()
    };
    let ancestral = distance(&mut saved);
    let settings = run.join("config.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    assert!(text.contains("diffusion:"), "{text}");
    std::fs::write(&settings, text.replace("diffusion:", "diffusion:ddim=10,")).unwrap();
    let deterministic = distance(&mut Saved::open(&run, cpu().unwrap()).unwrap());
    let old = distance(&mut Saved::open(&place.path().join("run"), cpu().unwrap()).unwrap());
    assert!(ancestral < 0.3 && deterministic < 0.5, "{ancestral}, {deterministic}");
    assert!(old > 5.0, "the standard normal is told apart: {old}");
}

#[test]
fn a_diffusion_draws_the_same_on_every_device() {
    let place = tempfile::tempdir().unwrap();
    copying(place.path(), -3.0);
    fit(place.path(), "diffusion:steps=3,hidden=8,layers=1", 1).unwrap();
    let run = place.path().join("diffusion");
    let draws = |executor: Box<dyn Executor>, seed: u64| {
        Saved::open(&run, executor).unwrap().session.sample(100, &[], seed).unwrap()
    };
    let on_cpu = draws(cpu().unwrap(), 5);
    assert_eq!(on_cpu, draws(cpu().unwrap(), 5));
    assert_ne!(on_cpu, draws(cpu().unwrap(), 6));
    if let Some(gpu) = crate::common::gpu() {
        let on_gpu = draws(Box::new(gpu), 5);
        let far = |other: &[f32]| on_cpu.iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(far(&on_gpu) < 1e-3, "{}", far(&on_gpu));
        assert!(far(&draws(cpu().unwrap(), 6)) > 0.1);
    }
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let place = tempfile::tempdir().unwrap();
    copying(place.path(), -3.0);
    for (prior, words) in [
        ("standard-normal", "nothing to fit"),
        ("uniform-categorical", "does not go with"),
        ("nonsense", "there is no prior `nonsense`"),
        ("mixture:components=4096", "cannot be fitted to 4000 points"),
    ] {
        let said = fit(place.path(), prior, 1).unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
        assert!(!place.path().join(prior.split(':').next().unwrap()).exists(), "{prior} leaves a trace");
    }
}

/// Without a run folder: a second stage in memory, kept in one file that holds both models.
#[test]
fn one_file_holds_a_second_stage() {
    let place = tempfile::tempdir().unwrap();
    copying(place.path(), -3.0);
    let run = place.path().join("run");
    let (first, of) = first_stage(&run).unwrap();
    let mut config = Preset::Classic.config();
    (config.model.encoder, config.model.latent) = ("mlp:8".parse().unwrap(), 1);
    config.model.likelihood = "gaussian-shared".into();
    (config.training.epochs, config.device.device) = (1, DeviceChoice::Cpu);
    config.first_stage = Some(first);
    let data = elbo::data::open(&of.data.parsed_source(), &Default::default()).unwrap().train;
    let mut trained = elbo::train(&data, &config).unwrap();
    // 2-8-2 in and 1-8-2 out, and ln σ²; of the first, none.
    assert_eq!((trained.parameters(), trained.latent(), trained.features()), (42 + 34 + 1, 1, WIDTH));
    let path = place.path().join("both.safetensors");
    trained.save(&path).unwrap();
    std::fs::remove_dir_all(run).unwrap();
    let mut back = elbo::Trained::load(&path, &DeviceChoice::Cpu).unwrap();
    let rows = &rows()[..20];
    assert_eq!(trained.sample(7, 3).unwrap(), back.sample(7, 3).unwrap());
    assert_eq!(trained.score(&rows.to_vec(), 3).unwrap(), back.score(&rows.to_vec(), 3).unwrap());
    assert_ne!(trained.sample(7, 3).unwrap(), back.sample(7, 4).unwrap());
    assert!(elbo::train(&data, &config).err().unwrap().to_string().contains("does not exist"));
}
