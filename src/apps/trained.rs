//! The library's front door: a model trained on rows in memory, kept in one file, without a run folder.
//!
//! Arrays are flat and row-major: `x` is `[rows, features]`, `z` is `[rows, latent]`. Every method that takes rows
//! takes any number of them, none included, and gives as many back.

use std::ops::ControlFlow;
use std::path::Path;

use super::devices::open_device;
use super::saved::{Saved, restored, shape};
use super::setup::{build_model, check_values};
use crate::config::{Binarise, Config, DeviceChoice};
use crate::data::{Dataset, Shape};
use crate::error::{Error, Result};
use crate::training::checkpoint::Checkpoint;
use crate::training::metrics::EpochRecord;
use crate::training::{Session, Trainer};

/// The metadata's entry that holds the configuration, so that one file says all.
const CONFIG: &str = "config";

/// A trained model on its device.
///
/// [`train`] makes one, [`Trained::save`] keeps it, [`Trained::load`] brings it back.
pub struct Trained {
    config: Config,
    shape: Shape,
    session: Session,
    epochs: u64,
    history: Vec<EpochRecord>,
}

/// Trains a model on a data set; prints nothing and writes no file.
///
/// All rows are trained on. Of `config`, the table `[data]` counts only for `binarise`, since the rows are given.
///
/// # Errors
/// If the configuration makes no sense or does not fit the data, if there is no such device or it has too little memory,
/// or if numbers stop being finite.
pub fn train(data: &Dataset, config: &Config) -> Result<Trained> {
    train_with(data, config, |_| ControlFlow::Continue(()))
}

/// Like [`train`], with a look at the record of each epoch; `Break` ends the training there.
///
/// # Errors
/// As for [`train`].
pub fn train_with(
    data: &Dataset,
    config: &Config,
    mut each: impl FnMut(&EpochRecord) -> ControlFlow<()>,
) -> Result<Trained> {
    config.validate()?;
    check_values(config, data)?;
    let model = build_model(&config.model, data.shape.features())?;
    let session = Session::new(model, open_device(&config.device.device)?, config.training.seed);
    let binarise = config.data.binarise == Binarise::Dynamic;
    let mut trainer = Trainer::new(session, data, &config.training, config.model.beta, binarise)?;
    let mut history = Vec::new();
    while history.len() < config.training.epochs {
        history.extend(trainer.epoch(&mut |_| ControlFlow::Continue(()))?);
        if history.last().is_some_and(|record| each(record).is_break()) {
            break;
        }
    }
    let (session, epochs) = (trainer.session, trainer.state.epoch);
    Ok(Trained { config: config.clone(), shape: data.shape, session, epochs, history })
}

impl Trained {
    /// Opens what [`Trained::save`] wrote, or a run folder that `elbo train` left.
    ///
    /// # Errors
    /// If the file or folder cannot be read, is damaged or of another kind; if there is no such device.
    pub fn load(path: impl AsRef<Path>, device: &DeviceChoice) -> Result<Trained> {
        let path = path.as_ref();
        let executor = open_device(device)?;
        if path.is_dir() {
            let Saved { config, shape, session, epoch: epochs, .. } = Saved::open(path, executor)?;
            return Ok(Trained { config, shape, session, epochs, history: vec![] });
        }
        let checkpoint = Checkpoint::load(path)?;
        let about = |checkpoint: &Checkpoint| -> Result<(Config, Shape, u64)> {
            let text = checkpoint.metadata.get(CONFIG).ok_or_else(|| {
                Error::invalid("it does not hold its settings; if it lies in a run folder, give the folder")
            })?;
            Ok((Config::from_toml(text)?, shape(checkpoint)?, checkpoint.metadata_u64("epoch")?))
        };
        let (config, shape, epochs) = about(&checkpoint).map_err(|e| Error::malformed(path, e))?;
        let session = restored(&config, shape, &checkpoint, executor).map_err(|e| Error::malformed(path, e))?;
        Ok(Trained { config, shape, session, epochs, history: vec![] })
    }

    /// Writes the weights and the settings to one file, or replaces it, all at once.
    ///
    /// The file is in the safetensors format, which other tools read too. It does not hold the optimiser's state: a
    /// training that is to be continued later belongs in a run folder, see [`super::TrainRun`].
    ///
    /// # Errors
    /// If the file cannot be written, or the device fails.
    pub fn save(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let values = self.session.set.values();
        let mut checkpoint = Checkpoint { tensors: self.session.tensors(&values, "")?, ..Checkpoint::default() };
        checkpoint.set_metadata("format", "elbo 1");
        checkpoint.set_metadata(CONFIG, self.config.to_toml()?);
        checkpoint.set_metadata("epoch", self.epochs);
        let Shape { height, width, channels } = self.shape;
        for (key, size) in [("height", height), ("width", width), ("channels", channels)] {
            checkpoint.set_metadata(key, size);
        }
        checkpoint.save(path.as_ref())
    }

    /// How it was trained.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The shape of one row.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Values of one row.
    pub fn features(&self) -> usize {
        self.shape.features()
    }

    /// Dimensions of a code.
    pub fn latent(&self) -> usize {
        self.config.model.latent
    }

    /// Numbers that were trained.
    pub fn parameters(&self) -> usize {
        self.session.set.count()
    }

    /// The device it is on, for people.
    pub fn device(&self) -> String {
        self.session.executor.describe()
    }

    /// Means over the training rows, in nats per example, for each epoch; empty for a model that was loaded.
    pub fn history(&self) -> &[EpochRecord] {
        &self.history
    }

    /// New rows `[count, features]`: E\[x | z\] for codes drawn from the prior. The seed decides which.
    ///
    /// # Errors
    /// If the model is a plain autoencoder, which has no prior; if there are more values than an array can hold; if the
    /// device fails.
    pub fn sample(&mut self, count: usize, seed: u64) -> Result<Vec<f32>> {
        if !self.session.model.is_generative() {
            return Err(Error::invalid(
                "a plain autoencoder has no distribution to draw from: train a vae, or decode codes of your own",
            ));
        }
        let most = isize::MAX as usize / 4 / self.features().max(self.latent());
        if count > most {
            return Err(Error::invalid(format!("{count} samples do not fit in memory: ask for at most {most}")));
        }
        self.session.sample(count, seed)
    }

    /// Posterior means `[rows, latent]` of rows `[rows, features]`.
    ///
    /// # Errors
    /// If the values are not whole rows, or the device fails.
    pub fn encode(&mut self, x: &[f32]) -> Result<Vec<f32>> {
        self.session.encode(x)
    }

    /// E\[x | z\] `[rows, features]` of codes `[rows, latent]`.
    ///
    /// # Errors
    /// If the values are not whole codes, or the device fails.
    pub fn decode(&mut self, z: &[f32]) -> Result<Vec<f32>> {
        self.session.decode(z)
    }

    /// E\[x | z\] at the posterior means: rows `[rows, features]` as the model understands them.
    ///
    /// # Errors
    /// If the values are not whole rows, or the device fails.
    pub fn reconstruct(&mut self, x: &[f32]) -> Result<Vec<f32>> {
        self.session.reconstruct(x)
    }

    /// How strange each row is: its negative ELBO in nats, `[rows]`, from one sample of its posterior that the seed
    /// decides; for a plain autoencoder, its loss. High scores mark anomalies (An and Cho 2015). Over a test set, the
    /// mean is −ELBO.
    ///
    /// # Errors
    /// If the values are not whole rows, or the device fails.
    pub fn score(&mut self, x: &[f32], seed: u64) -> Result<Vec<f32>> {
        self.session.score(x, seed)
    }
}

#[cfg(test)]
mod tests;
