//! The library's front door: a model trained on rows in memory, kept in one file, without a run folder.
//!
//! Arrays are flat and row-major: `x` is `[rows, features]`, `z` is `[rows, latent]`. Every method that takes rows
//! takes any number of them, none included, and gives as many back.

use std::fmt;
use std::path::Path;

use super::devices::open_device;
use super::form::Form;
use super::history::History;
use super::saved::{Saved, whole};
use crate::config::{Config, DeviceChoice};
use crate::data::Shape;
use crate::error::{Error, Result};
use crate::training::checkpoint::NamedTensor;
use crate::training::{CodeMoments, Given, LogLikelihood, Session};

/// A trained model on its device.
///
/// [`train`](crate::train) makes one, [`Trained::save`] keeps it, [`Trained::load`] brings it back.
pub struct Trained {
    config: Config,
    form: Form,
    session: Session,
    epochs: u64,
    history: History,
}

impl fmt::Debug for Trained {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Trained")
            .field("model", &self.config.model.kind)
            .field("features", &self.features())
            .field("latent", &self.latent())
            .field("epochs", &self.epochs)
            .field("device", &self.device())
            .finish_non_exhaustive()
    }
}

impl Trained {
    pub(super) fn new(config: Config, form: Form, session: Session, epochs: u64, history: History) -> Trained {
        Trained { config, form, session, epochs, history }
    }

    /// Opens what [`Trained::save`] wrote, or a run folder that `elbo train` left.
    ///
    /// # Errors
    /// If the file or folder cannot be read, is damaged or of another kind; if there is no such device.
    pub fn load(path: impl AsRef<Path>, device: &DeviceChoice) -> Result<Trained> {
        Ok(Trained::of(Saved::load(path.as_ref(), open_device(device)?)?))
    }

    /// Opens the bytes that [`Trained::to_bytes`] gave, or those of a file that [`Trained::save`] wrote.
    ///
    /// # Errors
    /// If they are damaged, or there is no such device.
    pub fn from_bytes(bytes: &[u8], device: &DeviceChoice) -> Result<Trained> {
        Ok(Trained::of(Saved::from_bytes(bytes, open_device(device)?)?))
    }

    fn of(Saved { config, form, session, epoch, .. }: Saved) -> Trained {
        Trained::new(config, form, session, epoch, History::default())
    }

    /// Writes the weights and the settings to one file, or replaces it, all at once.
    ///
    /// The file is in the safetensors format, which other tools read too. It does not hold the optimiser's state: a
    /// training that is to be continued later belongs in a run folder, see [`super::TrainRun`].
    ///
    /// # Errors
    /// If the file cannot be written, or the device fails.
    pub fn save(&mut self, path: impl AsRef<Path>) -> Result<()> {
        whole(&self.config, &self.form, &mut self.session, self.epochs)?.save(path.as_ref())
    }

    /// The weights and the settings as the bytes of such a file.
    ///
    /// # Errors
    /// If the device fails.
    pub fn to_bytes(&mut self) -> Result<Vec<u8>> {
        whole(&self.config, &self.form, &mut self.session, self.epochs)?.to_bytes()
    }

    /// How it was trained.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What its rows look like, and what it is told of them besides: with [`Schema::seen`](crate::data::Schema::seen) and
    /// [`Schema::in_units`](crate::data::Schema::in_units) from the units of its data to what it is given, and back.
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// Whether a NaN in rows stands for a value that was not observed; else it is refused.
    pub fn takes_gaps(&self) -> bool {
        self.session.takes_gaps()
    }

    /// Its parameters by name, with their shapes and values in row-major order.
    ///
    /// # Errors
    /// If the device fails.
    pub fn weights(&mut self) -> Result<Vec<NamedTensor>> {
        self.session.values()
    }

    /// The shape of one row.
    pub fn shape(&self) -> Shape {
        self.form.shape()
    }

    /// Values of one row.
    pub fn features(&self) -> usize {
        self.form.shape().features()
    }

    /// Numbers of a code: dimensions of the latent space; of a classifier the width of its last hidden layer.
    pub fn latent(&self) -> usize {
        self.session.latent().unwrap_or(0)
    }

    /// Numbers that were trained.
    pub fn parameters(&self) -> usize {
        self.session.layout.count()
    }

    /// The device it is on, for people.
    pub fn device(&self) -> String {
        self.session.executor.describe()
    }

    /// What its training measured, in nats per example, for each epoch; empty for a model that was loaded.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// New rows `[count, features]`: E\[x | z\] for codes drawn from the prior. The seed decides which.
    ///
    /// # Errors
    /// If the model has no prior; if there are more values than an array can hold; if the
    /// device fails.
    pub fn sample(&mut self, count: usize, seed: u64) -> Result<Vec<f32>> {
        self.session.model.can().generate()?;
        let most = isize::MAX as usize / 4 / self.features().max(self.latent());
        if count > most {
            return Err(Error::invalid(format!("{count} samples do not fit in memory: ask for at most {most}")));
        }
        let condition = self.form.condition;
        if condition > 0 {
            return Err(Error::invalid(format!(
                "the model is given {condition} values of condition with every row: say with sample_given which rows are wanted"
            )));
        }
        self.session.sample(count, &[], seed)
    }

    /// New rows of a model that is given conditions, one for each condition of `y` `[rows, condition]`:
    /// E\[x | z, y\] for codes drawn from the prior. `[rows, features]`
    ///
    /// # Errors
    /// As for [`Trained::sample`], and if `y` does not hold whole conditions.
    pub fn sample_given(&mut self, y: &[f32], seed: u64) -> Result<Vec<f32>> {
        let condition = self.form.condition;
        if condition == 0 || !y.len().is_multiple_of(condition) {
            return Err(Error::invalid(format!(
                "the model is given {condition} values of condition with every row, and {} are no whole rows of that",
                y.len()
            )));
        }
        self.session.sample(y.len() / condition, y, seed)
    }

    /// The condition that stands for a label, by its name `[condition]`.
    ///
    /// # Errors
    /// If there is none of that name, or the model is not given labels.
    pub fn label(&self, name: &str) -> Result<Vec<f32>> {
        self.form.label(name)
    }

    /// Posterior means `[rows, latent]` of rows `[rows, features]`, with their conditions where the model is given them.
    ///
    /// # Errors
    /// If the values are not whole rows or no numbers, conditions are missing, or the device fails.
    pub fn encode<'a>(&mut self, rows: impl Into<Given<'a>>) -> Result<Vec<f32>> {
        self.session.encode(rows)
    }

    /// Codes drawn from the posterior q(z | x) of each row `[rows, latent]`, as the seed decides; the codes themselves where they are
    /// deterministic. [`Trained::encode`] gives their means.
    ///
    /// # Errors
    /// As for [`Trained::encode`].
    pub fn draw_codes<'a>(&mut self, rows: impl Into<Given<'a>>, seed: u64) -> Result<Vec<f32>> {
        self.session.draw_codes(rows, seed)
    }

    /// Mean and variance of the posterior q(z | x) of each row, dimension by dimension: how sure the model is of a code.
    ///
    /// Both are computed where the posterior has them in closed form, as Gaussians (of any covariance), Laplace, logistic and Student's t
    /// distributions have; else (flows, the relaxed categorical, a second stage, a ladder) they are estimated from
    /// [`MOMENT_DRAWS`](crate::training::MOMENT_DRAWS) codes of each row that the seed decides, and [`CodeMoments::draws`] says so.
    /// Variances are 0 where codes are deterministic.
    ///
    /// # Errors
    /// As for [`Trained::encode`].
    pub fn code_moments<'a>(&mut self, rows: impl Into<Given<'a>>, seed: u64) -> Result<CodeMoments> {
        self.session.code_moments(rows, seed)
    }

    /// E\[x | z\] `[rows, features]` of codes `[rows, latent]`, with conditions where the model is given them.
    ///
    /// # Errors
    /// If the values are not whole codes or no numbers, conditions are missing, or the device fails.
    pub fn decode<'a>(&mut self, codes: impl Into<Given<'a>>) -> Result<Vec<f32>> {
        self.session.decode(codes)
    }

    /// E\[x | z\] at the posterior means: rows `[rows, features]` as the model understands them.
    ///
    /// # Errors
    /// If the values are not whole rows or no numbers, conditions are missing, or the device fails.
    pub fn reconstruct<'a>(&mut self, rows: impl Into<Given<'a>>) -> Result<Vec<f32>> {
        self.session.reconstruct(rows)
    }

    /// q(y | x): how likely each label is for each row of `x` `[rows, features]`, of an M2 or a classifier.
    /// `[rows, classes]`
    ///
    /// # Errors
    /// If the model infers no labels, the values are not whole rows or no numbers, or the device fails.
    pub fn classify(&mut self, x: &[f32]) -> Result<Vec<f32>> {
        self.session.classify(x)
    }

    /// Rows whose blanks, which are NaN, are filled in with what is expected of them: E\[x_j | what is known of the row\], by
    /// self-normalised importance sampling (Mattei and Frellsen 2019, equation 12) with at least `samples` codes of each row, 1 to
    /// [`MAX_SAMPLES`](crate::training::MAX_SAMPLES), which the seed decides. What is known stays as it is. `[rows, features]`
    ///
    /// # Errors
    /// If the model gives rows no likelihood, or was trained on rows without blanks; if `samples` is out of range; otherwise as for
    /// [`Trained::encode`].
    pub fn impute<'a>(&mut self, rows: impl Into<Given<'a>>, samples: usize, seed: u64) -> Result<Vec<f32>> {
        self.session.impute(rows, samples, seed)
    }

    /// How strange each row is: its negative ELBO in nats, `[rows]`, from one sample of its posterior that the seed
    /// decides; for a plain autoencoder, its loss. High scores mark anomalies (An and Cho 2015). Over a test set, the
    /// mean is −ELBO.
    ///
    /// # Errors
    /// If the values are not whole rows or no numbers, conditions are missing, or the device fails.
    pub fn score<'a>(&mut self, rows: impl Into<Given<'a>>, seed: u64) -> Result<Vec<f32>> {
        self.session.score(rows, seed)
    }

    /// What is strange about each row: −ln p(x_j | z) of each of its values in nats `[rows, features]`, at one code drawn from its
    /// posterior, which the seed decides; for a plain autoencoder, the parts of its loss. Their sum over a row is the reconstruction
    /// term of [`Trained::score`] for the same seed.
    ///
    /// # Errors
    /// If the model has no decoder; otherwise as for [`Trained::score`].
    pub fn score_features<'a>(&mut self, rows: impl Into<Given<'a>>, seed: u64) -> Result<Vec<f32>> {
        self.session.score_features(rows, seed)
    }

    /// ln p(x) of each row in nats, estimated by importance sampling (Burda, Grosse and Salakhutdinov 2016) from `samples` codes of each,
    /// 1 to [`MAX_SAMPLES`](crate::training::MAX_SAMPLES), which the seed decides; with its standard error, its bias and how many of the
    /// samples count. It is tighter than −[`Trained::score`], and takes as many times longer.
    ///
    /// # Errors
    /// If the model gives rows no likelihood, or `samples` is out of range; otherwise as for [`Trained::encode`].
    pub fn log_likelihood<'a>(
        &mut self,
        rows: impl Into<Given<'a>>,
        samples: usize,
        seed: u64,
    ) -> Result<Vec<LogLikelihood>> {
        self.session.log_likelihood(rows, samples, seed)
    }
}

#[cfg(test)]
mod tests;
