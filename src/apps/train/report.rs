//! The report of a finished run.

use std::path::PathBuf;

use super::TrainRun;
use crate::apps::Form;
use crate::apps::report::{Held, REPORT, Subject};
use crate::error::Result;

impl TrainRun {
    /// Writes the report of a finished run into its folder; gives the file.
    ///
    /// # Errors
    /// If it cannot be written, or the device fails.
    pub fn report(&mut self) -> Result<PathBuf> {
        let form = Form::of(&self.config.model.kind, &self.data.train);
        let (device, epoch, best) = (self.device(), self.epochs_done(), self.best());
        let (split, rows) = self.data.evaluation_split();
        let subject = Subject {
            folder: &self.folder,
            is_run: true,
            config: &self.config,
            form: &form,
            session: &mut self.trainer.session,
            epoch,
            best,
            splits: Some(&self.data),
            held: Held::Rows(split, rows),
            device: Some(device),
            seed: self.config.training.seed,
        };
        subject.write(&self.folder.join(REPORT)).map(|reported| reported.out)
    }
}
