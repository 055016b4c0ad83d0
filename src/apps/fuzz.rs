//! Readers of run folders, settings and compressed rows are given damaged files.

use std::fs;
use std::path::Path;

use super::folder::CHECKPOINT;
use super::form::Form;
use super::tuning;
use super::uses::CompressedReader;
use crate::catalogue::Spec;
use crate::config::{Config, DeviceChoice, Preset};
use crate::data::{Dataset, Shape, Values};
use crate::fuzz::{OF_WORDS, attack};
use crate::training::State;
use crate::training::checkpoint::Checkpoint;
use crate::training::metrics::{MetricsWriter, read_epochs, read_retries, read_steps};

/// A small run: its folder, and the file of its model.
fn run(place: &Path) {
    let mut config = Preset::Classic.config();
    config.model.encoder = "mlp:3".parse().unwrap();
    config.model.latent = 1;
    (config.training.epochs, config.training.batch, config.training.log_every) = (2, 8, 1);
    config.device.device = DeviceChoice::Cpu;
    config.data.validation = 4;
    let rows: Vec<u8> = (0..20 * 4).map(|i| if i % 3 == 0 { 255 } else { 0 }).collect();
    let header = [0, 0, 8, 3, 0, 0, 0, 20, 0, 0, 0, 2, 0, 0, 0, 2];
    let source = place.join("rows-idx");
    fs::write(&source, [&header[..], &rows].concat()).unwrap();
    config.data.source = source.to_string_lossy().into_owned();
    let executor = super::open_device(&DeviceChoice::Cpu).unwrap();
    let mut run = super::TrainRun::start(config, &place.join("run"), executor).unwrap();
    run.train(&mut Silent).unwrap();
}

struct Silent;

impl super::Watcher for Silent {
    fn progress(&mut self, _: u64, _: u64, _: &crate::training::Progress) -> std::ops::ControlFlow<()> {
        std::ops::ControlFlow::Continue(())
    }

    fn epoch(&mut self, _: &[crate::training::metrics::EpochRecord]) {}
}

#[test]
fn files_of_a_run() {
    let place = tempfile::tempdir().unwrap();
    run(place.path());
    let folder = place.path().join("run");
    let seed = |name: &str| vec![fs::read(folder.join(name)).unwrap()];
    // A file that is damaged again and again, in a folder of its own.
    let other = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = other.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };

    attack("checkpoint", OF_WORDS, &seed(CHECKPOINT), |bytes| {
        let checkpoint = Checkpoint::load(&put(CHECKPOINT, bytes)).map_err(|error| error.to_string())?;
        let state = State::from_metadata(&checkpoint.metadata)?;
        let form = Form::read(&checkpoint).map_err(|error| error.to_string())?;
        Ok::<_, String>((state, form))
    });
    attack("config.toml", OF_WORDS, &seed("config.toml"), |bytes| {
        let config = Config::load(&put("config.toml", bytes))?;
        config.to_toml()
    });
    attack("metrics.jsonl", OF_WORDS, &seed("metrics.jsonl"), |bytes| read_epochs(&put("metrics.jsonl", bytes)));
    attack("steps.jsonl", OF_WORDS, &seed("steps.jsonl"), |bytes| read_steps(&put("steps.jsonl", bytes)));
    let retry = br#"{"retry":1,"step":7,"epoch":2,"back_to":3,"slowed":0.25,"why":"the loss is 1e9"}"#;
    attack("retries.jsonl", OF_WORDS, &[[&retry[..], b"\n"].concat()], |bytes| {
        read_retries(&put("retries.jsonl", bytes))
    });
    let gone_on = tempfile::tempdir().unwrap();
    // What cannot be read is left out when a run goes on; what is left must be readable.
    attack("figures that are gone on with", OF_WORDS, &seed("metrics.jsonl"), |bytes| {
        let path = gone_on.path().join("metrics.jsonl");
        fs::write(&path, bytes).unwrap();
        let writer = MetricsWriter::resume(gone_on.path(), (2, 4, 0)).map_err(|error| error.to_string())?;
        let records = read_epochs(&path).unwrap();
        assert!(records.iter().all(|record| record.epoch <= 2));
        if writer.warnings.is_empty() { Ok(()) } else { Err(writer.warnings.concat()) }
    });
    let record = br#"{"device":"some GPU","choices":{"1x2x3 NT":"tiled","4x5x6 TN":"split by 4"}}"#;
    attack("tuning.json", OF_WORDS, &[record.to_vec()], |bytes| {
        put(tuning::TUNING, bytes);
        tuning::read(other.path())
    });
}

#[test]
fn specs() {
    let specs =
        ["mlp:784,400,activation=relu", "gaussian:sigma=1e-3", "mixture:components=10", "conv:8,16,kernel=3", "adam"];
    attack("spec", OF_WORDS, &specs.map(|spec| spec.as_bytes().to_vec()), |bytes| {
        let spec: Spec = String::from_utf8_lossy(bytes).parse().map_err(|error: crate::Error| error.to_string())?;
        // What was read is written so that it is read as the same.
        assert_eq!(spec.to_string().parse::<Spec>().map_err(|_| "none")?, spec);
        Ok::<_, String>(())
    });
}

#[test]
fn compressed_rows() {
    let place = tempfile::tempdir().unwrap();
    run(place.path());
    let mut saved = super::Saved::load(&place.path().join("run"), Box::new(crate::cpu::Cpu::exact())).unwrap();
    let rows = Values::Floats((0..12).map(|i| (i % 2) as f32).collect());
    let data = Dataset::new("rows", rows, Shape { height: 2, width: 2, channels: 1 }).unwrap();
    let seeds = [false, true].map(|with_model| {
        let mut bytes = Vec::new();
        saved.compress(&data, with_model, &mut bytes).unwrap();
        bytes
    });
    attack("rows.elbo", OF_WORDS, &seeds, |bytes| {
        let mut reader = CompressedReader::begin(bytes)?;
        let features = reader.head.plain()?.shape.features();
        while reader.chunk(features)?.is_some() {}
        Ok::<_, crate::Error>(())
    });
}
