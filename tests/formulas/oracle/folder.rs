//! The same run as people do it: `elbo train` on files, and what it leaves in its folder.

use std::ops::ControlFlow;
use std::path::Path;

use elbo::apps::{CHECKPOINT, Outcome, TrainRun, Watcher};
use elbo::data::Split;
use elbo::engine::program::Executor;
use elbo::engine::training::Progress;
use elbo::engine::training::checkpoint::{Checkpoint, NamedTensor};
use elbo::engine::training::metrics::{EpochRecord, read_epochs, read_steps};

use super::engine;
use super::figures::Figures;
use super::rows::{Numbers, Rows};
use super::settings::Settings;

/// Nobody looks on.
struct Nobody;

impl Watcher for Nobody {
    fn progress(&mut self, _: u64, _: u64, _: &Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn epoch(&mut self, _: &[EpochRecord]) {}
}

/// Rows as pictures of one line, in the files of MNIST (LeCun, Cortes and Burges 1998): a magic number, three sizes, bytes.
fn write(path: &Path, rows: &Rows) {
    let Numbers::Bytes(bytes) = &rows.numbers else { panic!("pictures are made of bytes") };
    let header = [0x0803, rows.count(), 1, rows.features].map(|number| (number as u32).to_be_bytes());
    std::fs::write(path, [header.as_flattened(), bytes].concat()).expect("a file");
}

fn tensors(folder: &Path) -> Vec<NamedTensor> {
    Checkpoint::load(&folder.join(CHECKPOINT)).expect("a checkpoint").tensors
}

/// Trains on a device in a folder of its own, evaluating after every epoch; gives what the files hold, which the codes are
/// not part of.
pub fn run(settings: &Settings, train: &Rows, held_out: &Rows, executor: Box<dyn Executor>) -> Figures {
    let place = tempfile::tempdir().expect("a temporary folder");
    write(&place.path().join("train-images-idx3-ubyte"), train);
    write(&place.path().join("t10k-images-idx3-ubyte"), held_out);
    let (mut config, folder) = (engine::config(settings), place.path().join("run"));
    (config.data.source, config.data.validation) = (place.path().to_string_lossy().into_owned(), 0);
    let mut run = TrainRun::start(config, &folder, executor).expect("it starts");
    let mut figures = Figures::default();
    engine::add_start(&mut figures, &tensors(&folder));
    assert_eq!(run.train(&mut Nobody).expect("nothing fails"), Outcome::Finished);
    let steps = read_steps(&folder.join("steps.jsonl")).expect("records");
    let epochs = read_epochs(&folder.join("metrics.jsonl")).expect("records");
    for epoch in epochs.iter().filter(|record| record.split == Split::Train) {
        steps.iter().filter(|step| step.epoch == epoch.epoch).for_each(|step| engine::add_step(&mut figures, step));
        engine::add_epoch(&mut figures, epoch);
    }
    engine::add_end(&mut figures, &tensors(&folder));
    let last = epochs.iter().rfind(|record| record.split == Split::Test).expect("an evaluation");
    engine::add_held_out(&mut figures, last);
    figures
}
