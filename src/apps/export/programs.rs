//! The programs of a model as a bundle: those that use it, and those that go on with its training.

use crate::apps::report::{Look, Subject};
use crate::apps::setup::build_trainer;
use crate::apps::{CHECKPOINT, Saved, Team};
use crate::config::FILE_NAME;
use crate::cpu::Cpu;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::gpu::bundle::Bundle;
use crate::kernels::SCALARS;
use crate::training::checkpoint::Checkpoint;
use crate::training::{Recording, Trainer};

/// Rows that programs which use a model work on at once.
pub const ROWS: usize = 16;
/// The most steps of training that are written down: 64 bytes each, before they are packed.
const MOST_STEPS: usize = 20_000;
/// The run that goes on with training.
const TRAIN: &str = "train";

/// Programs, and how much training they allow.
pub struct Bundled {
    /// The programs.
    pub bundle: Bundle,
    /// Steps of training.
    pub steps: usize,
    /// Rows that these are taken from.
    pub rows: usize,
}

/// A trainer that stands where a run stopped, and what it would do next.
pub struct Training {
    trainer: Trainer,
    recording: Recording,
    steps: usize,
    rows: usize,
}

/// Training that goes on from a run's checkpoint, over at most so many rows of its training data.
///
/// # Errors
/// If the model lies in no run, its data cannot be read, there would be too many steps, or the run takes weights for SWAG.
pub fn training(saved: &Saved, most: usize, epochs: u64) -> Result<Training> {
    let path = saved.folder.join(CHECKPOINT);
    if !(saved.folder.join(FILE_NAME).is_file() && path.is_file()) {
        return Err(Error::invalid(
            "training goes on only from a run folder, as a model in a file of its own holds nothing of its optimiser: give the folder, or \
             leave --with-data out",
        ));
    }
    if saved.config.training.swag > 0 {
        return Err(Error::invalid(
            "the run takes the weights behind its epochs for --swag, whose mean all else uses, and steps that are written down for another host \
             take none, so that nothing would change there: leave --with-data out",
        ));
    }
    let checkpoint = Checkpoint::load(&path)?;
    let train = saved.data()?.train;
    let rows = some_of(&train, most);
    let mut config = saved.config.clone();
    let per_epoch = train.rows.div_ceil(config.training.batch.min(train.rows));
    config.training.fit_batch(rows.rows);
    let steps = rows.rows.div_ceil(config.training.batch) * epochs as usize;
    if steps > MOST_STEPS {
        return Err(Error::invalid(format!(
            "{epochs} epochs over {} rows are {steps} steps, and at most {MOST_STEPS} are written down: give fewer --epochs, or fewer rows \
             with --with-data",
            rows.rows
        )));
    }
    config.training.epochs = (saved_epochs(&checkpoint)? + epochs) as usize;
    let mut trainer = build_trainer(&config, &rows, Team::of(Cpu::new()))?;
    let recording =
        trainer.write_down(&checkpoint, per_epoch as u64, epochs).map_err(|e| Error::malformed(&path, e))?;
    Ok(Training { trainer, recording, steps, rows: rows.rows })
}

/// Epochs that a checkpoint has done.
fn saved_epochs(checkpoint: &Checkpoint) -> Result<u64> {
    checkpoint.metadata_u64("epoch")
}

/// At most so many rows, from all over them.
fn some_of(data: &Dataset, most: usize) -> Dataset {
    if data.rows <= most && !data.is_stored() {
        return data.clone();
    }
    let count = most.min(data.rows);
    let chosen: Vec<usize> = (0..count).map(|i| i * data.rows / count).collect();
    data.subset(&chosen)
}

/// The programs of a model.
///
/// # Errors
/// If the device fails.
pub fn bundled(subject: &mut Subject, training: Option<Training>) -> Result<Bundled> {
    let mut bundle = Bundle::new();
    let draws = matches!(subject.look(), Look::Table);
    // Where running means of the weights are kept, programs that use a model read those, which training there moves.
    let session = training.as_ref().map_or(&*subject.session, |training| &training.trainer.session);
    for (program, scalars) in session.replayed(ROWS, draws)? {
        bundle.add(&program, scalars)?;
    }
    let sets = session.layout.read().into_iter().zip(subject.session.layout.read());
    let names: Vec<(String, String)> = sets.map(|(here, there)| (here.values(), there.values())).collect();
    bundle.begin_with(&names, &mut *subject.session.executor)?;
    let Some(Training { mut trainer, recording, steps, rows }) = training else {
        bundle.sort_modules();
        return Ok(Bundled { bundle, steps: 0, rows: 0 });
    };
    let mut places = vec![];
    for id in &recording.programs {
        places.push(bundle.add(trainer.session.executor.program(*id)?, [0.0; SCALARS])?);
    }
    let launches: Vec<_> = recording.launches.iter().map(|&(place, step)| (places[place], step)).collect();
    bundle.add_run(TRAIN, &launches, &mut *trainer.session.executor)?;
    bundle.sort_modules();
    Ok(Bundled { bundle, steps, rows })
}
