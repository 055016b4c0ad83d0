//! Data that is held in several buffers, or stays on disk and comes window by window.

use std::path::Path;

use elbo::apps::Outcome;
use elbo::config::{Config, TrainingConfig};
use elbo::data::{Bytes, Dataset, Options, Shape, Source, Values, open};
use elbo::engine::cpu::Cpu;
use elbo::engine::gpu;
use elbo::engine::training::metrics::Split;
use elbo::engine::training::{Session, Trainer};

use super::whole;
use crate::common;
use crate::common::npy::npy_of_floats;
use crate::runs::{Device, Run, StopAt, devices, small};

const ROWS: usize = 1200;
const WIDTH: usize = 24;

/// Numbers from 0 to 1, which repeat nowhere.
fn value(row: usize, column: usize) -> f32 {
    ((row * 37 + column * 101) as f32 * 0.618_034).fract() * (0.2 + 0.8 * (row as f32 / ROWS as f32))
}

/// A file as NumPy writes it.
fn write_array(path: &Path) {
    let values = (0..ROWS).flat_map(|row| (0..WIDTH).map(move |column| value(row, column)));
    std::fs::write(path, npy_of_floats(&format!("({ROWS}, {WIDTH})"), values)).unwrap();
}

/// 960 rows to train on, in 30 batches; the rows of all files take 115 kB.
fn config(path: &Path, memory: Option<u64>) -> Config {
    let mut config = small();
    config.data.source = path.to_string_lossy().into_owned();
    (config.data.count, config.data.validation, config.data.memory) = (None, 120, memory.map(Bytes::new));
    config.model.likelihood = "gaussian:0.3".parse().unwrap();
    (config.training.epochs, config.training.clip_norm) = (3, None);
    config
}

fn array() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.npy");
    write_array(&path);
    (folder, path)
}

/// What of the memory makes windows of 260 rows.
const LITTLE: u64 = 100_000;

#[test]
fn rows_on_disk_are_those_in_memory() {
    let (_folder, path) = array();
    let opened = |memory: Option<u64>| {
        open(&Source::Path(path.clone()), &Options { validation: 120, seed: 3, memory, ..Options::default() }).unwrap()
    };
    let (stored, held) = (opened(Some(LITTLE)), opened(None));
    assert!(stored.train.is_stored() && !held.train.is_stored());
    assert_eq!((stored.train.window(), held.train.window()), (260, 960));
    let rows = |data: &Dataset| (0..data.rows).map(|row| data.row(row)).collect::<Vec<_>>();
    assert_eq!(rows(&stored.train), rows(&held.train));
    assert!(stored.origin.guesses.iter().any(|said| said.contains("windows of 260 rows")), "{:?}", stored.origin);
    // What is held out is small enough to be kept.
    for (a, b) in [(stored.validation, held.validation), (stored.test, held.test)] {
        let (a, b) = (a.unwrap(), b.unwrap());
        assert!(!a.is_stored());
        assert_eq!(a, b);
    }
}

#[test]
fn a_resumed_run_over_windows_is_a_continuous_one() {
    let (_folder, path) = array();
    for device in devices() {
        let config = config(&path, Some(LITTLE));
        let continuous = whole(&config, &device);
        assert!(whole(&config, &device).kept() == continuous.kept(), "{}: a seed is a run", device.name);
        for steps in [Some(7), None] {
            let sent = Config {
                training: TrainingConfig { steps_per_submit: steps, ..config.training.clone() },
                ..config.clone()
            };
            assert!(whole(&sent, &device).kept() == continuous.kept(), "{}: sent otherwise", device.name);
        }
        // Within the first window, where two meet, and in the next epoch.
        let broken = Run::new();
        assert_eq!(broken.start(&config, &device, &mut StopAt::step(3)).unwrap(), Outcome::Stopped);
        for step in [8, 47] {
            assert_eq!(broken.resume(&config, &device, &mut StopAt::step(step)).unwrap(), Outcome::Stopped);
        }
        for memory in [Some(Bytes::new(LITTLE / 2)), None] {
            let mut other = config.clone();
            other.data.memory = memory;
            let said = broken.resume(&other, &device, &mut StopAt::never()).unwrap_err().to_string();
            assert!(said.contains("those of 260 rows before") && said.contains("`memory`"), "{said}");
        }
        assert_eq!(broken.resume(&config, &device, &mut StopAt::never()).unwrap(), Outcome::Finished);
        assert!(broken.kept() == continuous.kept(), "{}: resumed", device.name);
        // Other windows, or one of all rows, are another order.
        for memory in [Some(LITTLE / 2), None] {
            let other = Config {
                data: elbo::config::DataConfig { memory: memory.map(Bytes::new), ..config.data.clone() },
                ..config.clone()
            };
            assert!(whole(&other, &device).kept() != continuous.kept(), "{}: the comparison sees nothing", device.name);
        }
    }
}

/// Devices, each with all the room it has and with buffers of so many bytes.
fn narrow(bytes: u64) -> Vec<[Device; 2]> {
    let cpu = [Device::cpu(), Device::new("cpu, narrow", move || Box::new(Cpu::new().with_largest_buffer(bytes)))];
    let limited = move || common::open(gpu::Options { largest_buffer: Some(bytes), ..gpu::Options::default() });
    let gpu = devices()
        .into_iter()
        .nth(1)
        .map(|whole| [whole, Device::new("gpu, narrow", move || Box::new(limited().expect("there was one")))]);
    [Some(cpu), gpu].into_iter().flatten().collect()
}

#[test]
fn several_buffers_hold_what_one_does() {
    let (_folder, path) = array();
    // 85 rows of data in a buffer: twelve buffers, so that two calls read them, or seven of two windows. Weights take two buffers.
    for [wide, narrow] in narrow(8192) {
        for memory in [None, Some(LITTLE)] {
            for accumulate in [1, 3] {
                let mut config = config(&path, memory);
                config.training.accumulate = accumulate;
                let (one, several) = (whole(&config, &wide), whole(&config, &narrow));
                assert!(one.weights() == several.weights(), "{}, {memory:?}", narrow.name);
                assert_eq!(one.steps().len(), 90);
                let losses = |run: &Run| run.steps().iter().map(|step| step.loss).collect::<Vec<_>>();
                assert_eq!(losses(&one), losses(&several), "{}, {memory:?}", narrow.name);
                config.training.seed += 1;
                assert!(whole(&config, &narrow).weights() != one.weights(), "the comparison sees nothing");
            }
        }
    }
}

#[test]
fn a_set_of_parameters_may_pass_what_a_binding_holds_and_a_matrix_may_not() {
    let (_folder, path) = array();
    for [wide, narrow] in narrow(8192) {
        let mut config = config(&path, None);
        // Clipped and averaged, so that each pass over the whole set is several. The norm is summed otherwise.
        (config.training.clip_norm, config.training.average, config.training.epochs) = (Some(0.5), 0.9, 1);
        // Along the gradient itself, so that its norm counts.
        (config.training.optimiser, config.training.learning_rate) = ("sgd".parse().unwrap(), 0.05);
        let far = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let one = whole(&config, &wide).weights();
        assert!(far(&one, &whole(&config, &narrow).weights()) < 1e-4, "{}", narrow.name);
        config.training.clip_norm = Some(0.25);
        assert!(far(&one, &whole(&config, &narrow).weights()) > 1e-3, "{}: the comparison sees nothing", narrow.name);
        // A matrix of 24 by 200 is too large for a buffer of a GPU, and the CPU has no such bound.
        config.model.encoder = "mlp:200".parse().unwrap();
        if narrow.name.starts_with("gpu") {
            let run = Run::new();
            let said = run.start(&config, &narrow, &mut StopAt::never()).unwrap_err().to_string();
            assert!(said.contains("MiB at once") && said.contains("narrower layers"), "{said}");
            assert!(std::fs::read_dir(run.path()).unwrap().next().is_none(), "nothing was written");
        }
    }
}

#[test]
fn windows_that_are_too_small_are_refused() {
    let (_folder, path) = array();
    let mut config = config(&path, Some(10_000));
    (config.training.batch, config.training.accumulate) = (16, 2);
    let said = Run::new().start(&config, &Device::cpu(), &mut StopAt::never()).unwrap_err().to_string();
    assert!(said.contains("hold 26 rows, and a step sees 32"), "{said}");
}

#[test]
fn held_out_rows_are_uploaded_once() {
    for device in devices() {
        let rows = |first: usize| {
            let values = (first..first + 60).flat_map(|row| (0..WIDTH).map(move |column| value(row, column))).collect();
            Dataset::new("some", Values::Floats(values), Shape::vector(WIDTH)).unwrap()
        };
        let (data, held_out, others) = (rows(0), rows(100), rows(200));
        let config = small();
        let model = elbo::apps::build_model(&config.model, &elbo::apps::Form::plain(Shape::vector(WIDTH))).unwrap();
        let session = Session::new(model, device.open(), 1);
        let mut trainer = Trainer::new(session, &data, &config.training, 1.0, false).unwrap();
        let mut uploaded = |work: &mut dyn FnMut(&mut Session)| {
            let before = trainer.session.executor.counters();
            work(&mut trainer.session);
            (trainer.session.executor.counters() - before).uploaded
        };
        let evaluate = |data: &Dataset| {
            let data = data.clone();
            move |session: &mut Session| drop(session.evaluate(Split::Test, &data, (16, 1.0)).unwrap())
        };
        let bytes = 60 * WIDTH as u64 * 4;
        assert_eq!(uploaded(&mut evaluate(&held_out)), bytes, "{}", device.name);
        assert_eq!(uploaded(&mut evaluate(&held_out)), 0, "{}", device.name);
        // For importance sampling the same rows are there already.
        assert_eq!(uploaded(&mut |session| assert!(session.importance(&held_out, 3).is_ok())), 0, "{}", device.name);
        // Others are not taken for them, nor they for others.
        assert_eq!(uploaded(&mut evaluate(&others)), bytes, "{}", device.name);
        assert_eq!(uploaded(&mut evaluate(&held_out)), bytes, "{}", device.name);
        // What is trained on is there as well.
        assert_eq!(uploaded(&mut evaluate(&data)), 0, "{}", device.name);
    }
}
