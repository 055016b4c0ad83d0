//! Choosing kernels by timing: bounded, remembered, replayed, and never in the way.

use crate::common;
use crate::runs;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use elbo::apps::{Outcome, TUNING};
use elbo::data::{Dataset, Shape, Values};
use elbo::engine::distributions::Bernoulli;
use elbo::engine::gpu::{Gpu, Options};
use elbo::engine::kernels::Step;
use elbo::engine::models::{Group, Parts, Vae, WHOLE};
use elbo::engine::nn::Activation;
use elbo::engine::program::{Choices, Executor, Program, Rule};
use elbo::engine::training::{Layout, Moved, Resident, Seen, TrainingStep};
use runs::{Device, Run, StopAt, small};

/// Enough to time everything.
const AMPLE: Duration = Duration::from_secs(600);

fn open(tuning: Option<Duration>, cache: Option<&Path>) -> Option<Gpu> {
    common::open(Options { tuning, cache: cache.map(Path::to_owned), ..Options::default() })
}

/// A training step of a small VAE.
fn program() -> Program {
    let vae = Vae::new(36, 2, (&[12], &[12]), Activation::Relu, Parts::new(Arc::new(Bernoulli)));
    let groups = [Moved::new(&Group::new(WHOLE, ""), Rule::of(&"adam".into()).unwrap())];
    let (data, labelled) = ((&resident(), 64), None);
    TrainingStep { groups: &groups, data, labelled, seen: Seen::default(), gathers: false, largest_buffer: u64::MAX }
        .phase(&vae, &Layout::new(&vae), 0)
}

/// What it reads.
fn resident() -> Resident {
    let data = Dataset::new("some", Values::Floats(vec![0.5; 80 * 36]), Shape::vector(36)).unwrap();
    Resident::new("train", &data, 0, u64::MAX).unwrap()
}

/// The names that every shape of the program may be decided by.
fn names(gpu: &Gpu) -> HashMap<String, Vec<String>> {
    let choices = program().calls.into_iter().filter_map(|call| call.kernel.choices(&gpu.traits()));
    choices.map(|choices| (choices.shape, choices.names)).collect()
}

/// What the rule chooses.
fn rules(gpu: &Gpu) -> Choices {
    names(gpu).into_iter().map(|(shape, names)| (shape, names[0].clone())).collect()
}

/// The weights after two steps, and the gradients of the second.
fn steps(gpu: &mut Gpu) -> Vec<f32> {
    let id = gpu.load(program()).unwrap();
    let words = gpu.read("model.values").unwrap().len();
    gpu.write_f32("model.values", &(0..words).map(|i| (i as f32).sin() * 0.3).collect::<Vec<_>>()).unwrap();
    let values: Vec<f32> = (0..80 * 36).map(|i| (i as f32 * 0.1).cos().abs()).collect();
    gpu.write_f32(&format!("data.{}", resident().name), &values).unwrap();
    let mut scalars = [1.0; 8];
    scalars[gpu.program(id).unwrap().scalar("model.step_size").unwrap()] = 0.01;
    gpu.run(id, &[Step { rows: 64, scalars, ..Step::default() }; 2]).unwrap();
    ["model.values", "model.gradients"].map(|buffer| gpu.read_f32(buffer).unwrap()).concat()
}

#[test]
fn choices_are_made_remembered_and_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut gpu) = open(None, Some(folder.path())) else { return };
    let by_rule = steps(&mut gpu);
    assert_eq!(gpu.choices(), Choices::new(), "nothing is chosen by timing unless that is wanted");
    // All shapes are timed, and what is found computes the same.
    let mut gpu = open(Some(AMPLE), Some(folder.path())).unwrap();
    let tuned = steps(&mut gpu);
    let (found, names, rules) = (gpu.choices(), names(&gpu), rules(&gpu));
    assert!(names.len() > 4 && names.values().all(|names| names.len() <= 8));
    assert_eq!(found.len(), names.len());
    assert!(found.iter().all(|(shape, name)| names[shape].contains(name)), "{found:?}");
    let far = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(far(&by_rule, &tuned) < 1e-4);
    assert!(far(&by_rule, &vec![0.0; by_rule.len()]) > 0.1, "the comparison sees nothing");
    // What was found is on disk: another start needs no time for it. Make it differ from the rule's to be sure.
    let file = file(folder.path(), "tuning-").unwrap();
    let mut text: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let other: Choices = names.iter().map(|(shape, names)| (shape.clone(), names.last().unwrap().clone())).collect();
    assert_ne!(other, rules);
    text["shapes"] = serde_json::to_value(&other).unwrap();
    std::fs::write(&file, serde_json::to_vec(&text).unwrap()).unwrap();
    let after = |tuning: Duration| {
        let mut gpu = open(Some(tuning), Some(folder.path())).unwrap();
        let weights = steps(&mut gpu);
        assert!(far(&by_rule, &weights) < 1e-4);
        gpu.choices()
    };
    assert_eq!(after(Duration::ZERO), other);
    // A name that there is not, a file of another version, a damaged file: as if nothing were there, and without time the
    // rule decides.
    text["shapes"] =
        serde_json::to_value(other.keys().map(|shape| (shape, "magic")).collect::<HashMap<_, _>>()).unwrap();
    std::fs::write(&file, serde_json::to_vec(&text).unwrap()).unwrap();
    assert_eq!(after(Duration::ZERO), rules);
    text["shapes"] = serde_json::to_value(&other).unwrap();
    text["for"]["version"] = "0.0.0".into();
    std::fs::write(&file, serde_json::to_vec(&text).unwrap()).unwrap();
    assert_eq!(after(Duration::ZERO), rules);
    std::fs::write(&file, "{\"for\": ").unwrap();
    assert_eq!(after(Duration::ZERO), rules);
    // What was not timed is not remembered.
    assert_eq!(std::fs::read(&file).unwrap(), b"{\"for\": ");
}

/// The only file of a kind in a folder.
fn file(folder: &Path, kind: &str) -> Option<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.into_iter().find(|path| path.file_name().unwrap().to_string_lossy().starts_with(kind))
}

#[test]
fn compiled_pipelines_are_kept_and_damage_to_them_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let run = || open(None, Some(folder.path())).map(|mut gpu| steps(&mut gpu));
    let Some(before) = run() else { return };
    let Some(path) = file(folder.path(), "pipelines-") else {
        eprintln!("NOT TESTED: this adapter keeps no pipelines");
        return;
    };
    let whole = std::fs::read(&path).unwrap();
    assert!(run() == Some(before.clone()), "with the pipelines of the start before");
    let bent = [&whole[..whole.len() - 1], &[!whole[whole.len() - 1]]].concat();
    for damaged in [&whole[..whole.len() / 2], &bent, b"", b"{}\n", &[0xff; 1000]] {
        std::fs::write(&path, damaged).unwrap();
        assert!(run() == Some(before.clone()));
        let again = std::fs::read(&path).unwrap();
        assert!(again != damaged && again.len() >= whole.len() / 2, "damaged pipelines are replaced");
    }
    assert!(file(folder.path(), "tuning-").is_none(), "nothing was timed");
}

#[test]
fn a_record_is_replayed_and_goes_before_what_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut gpu) = open(Some(AMPLE), Some(folder.path())) else { return };
    gpu.load(program()).unwrap();
    let (names, rules) = (names(&gpu), rules(&gpu));
    let replayed = |record: &Choices| {
        let mut gpu = open(None, None).unwrap();
        gpu.replay_choices(Some(record.clone()));
        steps(&mut gpu)
    };
    let nth = |n: usize| -> Choices {
        names.iter().map(|(shape, names)| (shape.clone(), names[n.min(names.len() - 1)].clone())).collect()
    };
    // Choices that round otherwise than the rule's, or this would show nothing.
    let by_rule = replayed(&rules);
    let record = (1..8).map(nth).find(|record| replayed(record) != by_rule).expect("choices differ in their rounding");
    for tuning in [None, Some(AMPLE)] {
        let mut gpu = open(tuning, Some(folder.path())).unwrap();
        gpu.replay_choices(Some(record.clone()));
        let weights = steps(&mut gpu);
        assert_eq!(gpu.choices(), record);
        assert!(weights == replayed(&record) && weights != by_rule);
    }
    let mut gpu = open(Some(AMPLE), Some(folder.path())).unwrap();
    gpu.replay_choices(None);
    gpu.load(program()).unwrap();
    assert_eq!(gpu.choices(), Choices::new());
}

#[test]
fn a_tuned_run_goes_on_with_its_own_choices() {
    let folder = tempfile::tempdir().unwrap();
    if open(None, None).is_none() {
        return;
    }
    let device = |tuning: Option<Duration>, cache: Option<&Path>| {
        let cache = cache.map(Path::to_owned);
        Device::new("gpu", move || Box::new(open(tuning, cache.as_deref()).expect("it was there")))
    };
    // The second run takes the choices of the first from the cache, so that the two are alike.
    let tuned = device(Some(AMPLE), Some(folder.path()));
    let (continuous, broken) = (Run::new(), Run::new());
    assert_eq!(continuous.start(&small(), &tuned, &mut StopAt::never()).unwrap(), Outcome::Finished);
    assert_eq!(broken.start(&small(), &tuned, &mut StopAt::step(8)).unwrap(), Outcome::Stopped);
    let record = std::fs::read_to_string(continuous.path().join(TUNING)).unwrap();
    assert_eq!(std::fs::read_to_string(broken.path().join(TUNING)).unwrap(), record);
    // Where nothing is remembered and nothing may be timed, only the record can make the bits the same.
    assert_eq!(broken.resume(&small(), &device(None, None), &mut StopAt::never()).unwrap(), Outcome::Finished);
    assert!(broken.kept() == continuous.kept());
    assert_eq!(std::fs::read_to_string(broken.path().join(TUNING)).unwrap(), record);
    std::fs::write(broken.path().join(TUNING), "?").unwrap();
    let error = broken.resume(&small(), &tuned, &mut StopAt::never()).unwrap_err().to_string();
    assert!(error.contains("delete it"), "{error}");
    // A run that did not choose by timing does not begin to.
    let plain = Run::new();
    assert_eq!(plain.start(&small(), &device(None, None), &mut StopAt::step(8)).unwrap(), Outcome::Stopped);
    assert_eq!(plain.resume(&small(), &tuned, &mut StopAt::never()).unwrap(), Outcome::Finished);
    assert!(!plain.path().join(TUNING).exists());
}
