//! Writes the figures of a run into its folder, and takes up where a stopped run left off.

use std::path::{Path, PathBuf};

use super::log::{Log, Record};
use super::record::{EpochRecord, RetryRecord, StepRecord};
use crate::error::Result;
use crate::files::create_folder;

impl Record for EpochRecord {
    const STEM: &'static str = "metrics";
    const COLUMNS: &'static [&'static str] = &[
        "epoch",
        "split",
        "loss",
        "elbo",
        "reconstruction",
        "kl",
        "bits_per_dimension",
        "active_units",
        "beta",
        "learning_rate",
        "gradient_norm",
        "samples_per_second",
        "seconds",
        "steps",
        "retries",
    ];
}

impl Record for RetryRecord {
    const STEM: &'static str = "retries";
    const COLUMNS: &'static [&'static str] = &["retry", "step", "epoch", "back_to", "slowed"];
}

impl Record for StepRecord {
    const STEM: &'static str = "steps";
    const COLUMNS: &'static [&'static str] = &[
        "step",
        "epoch",
        "loss",
        "reconstruction",
        "kl",
        "beta",
        "learning_rate",
        "gradient_norm",
        "samples_per_second",
    ];
}

/// Appends to `metrics.jsonl`, `metrics.csv`, `steps.jsonl` and `steps.csv` of one run folder; and to `retries.jsonl` and `retries.csv`,
/// which most runs do not have.
pub struct MetricsWriter {
    folder: PathBuf,
    epochs: Log<EpochRecord>,
    steps: Log<StepRecord>,
    retries: Option<Log<RetryRecord>>,
    /// What was found wrong with the files that were taken up, for people.
    pub warnings: Vec<String>,
}

impl MetricsWriter {
    /// Starts the four files in `folder`, which is created where it is missing.
    ///
    /// # Errors
    /// When the folder cannot be written, or already holds the figures of a run.
    pub fn create(folder: &Path) -> Result<MetricsWriter> {
        create_folder(folder)?;
        let (epochs, steps, folder) = (Log::create(folder)?, Log::create(folder)?, folder.to_owned());
        Ok(MetricsWriter { folder, epochs, steps, retries: None, warnings: Vec::new() })
    }

    /// Takes up the files of a run that continues after `epoch` finished epochs and `step` finished steps, having gone back `retries` times.
    ///
    /// Later lines are dropped, as is a last line that was torn when the run stopped: the run is about to write them again. Of other lines
    /// that cannot be read, `warnings` tells.
    ///
    /// # Errors
    /// When the folder cannot be written, or a file cannot be read.
    pub fn resume(folder: &Path, (epoch, step, retries): (u64, u64, u64)) -> Result<MetricsWriter> {
        create_folder(folder)?;
        let mut warnings = Vec::new();
        let epochs = Log::resume(folder, |record: &EpochRecord| record.epoch <= epoch, &mut warnings)?;
        let steps = Log::resume(folder, |record: &StepRecord| record.step <= step, &mut warnings)?;
        let known = Log::<RetryRecord>::is_in(folder);
        let retries = known.then(|| Log::resume(folder, |record: &RetryRecord| record.retry <= retries, &mut warnings));
        Ok(MetricsWriter { folder: folder.to_owned(), epochs, steps, retries: retries.transpose()?, warnings })
    }

    /// Waits until all figures are on the disk, so that a checkpoint that is written next is never ahead of them.
    ///
    /// # Errors
    /// When the disk is full or broken.
    pub fn sync(&self) -> Result<()> {
        self.epochs.sync()?;
        self.retries.as_ref().map_or(Ok(()), Log::sync)?;
        self.steps.sync()
    }

    /// Appends the figures of one epoch and split.
    ///
    /// # Errors
    /// When the disk is full or the file has become unwritable.
    pub fn epoch(&mut self, record: &EpochRecord) -> Result<()> {
        self.epochs.append(record)
    }

    /// Appends the figures of one step.
    ///
    /// # Errors
    /// When the disk is full or the file has become unwritable.
    pub fn step(&mut self, record: &StepRecord) -> Result<()> {
        self.steps.append(record)
    }

    /// Appends that the run went back, to files that are begun with the first.
    ///
    /// # Errors
    /// When the disk is full or the file has become unwritable.
    pub fn retry(&mut self, record: &RetryRecord) -> Result<()> {
        if self.retries.is_none() {
            self.retries = Some(Log::create(&self.folder)?);
        }
        self.retries.as_mut().map_or(Ok(()), |log| log.append(record))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{read_epochs, read_retries, read_steps};
    use super::*;
    use crate::data::Split;
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;

    fn epoch(epoch: u64, split: Split) -> EpochRecord {
        EpochRecord::new(epoch, split, 3.5, 2.5, 1.0 / epoch as f64)
    }

    fn step(step: u64) -> StepRecord {
        StepRecord {
            step,
            epoch: 1 + step / 10,
            loss: 0.1 + step as f64,
            reconstruction: f64::NAN,
            kl: 1.0,
            beta: Some(1.0),
            learning_rate: Some(1e-3),
            gradient_norm: None,
            samples_per_second: None,
            parts: BTreeMap::new(),
        }
    }

    /// The four files of a run of `epochs` epochs with five steps each.
    fn run(folder: &Path, epochs: u64) -> MetricsWriter {
        let mut writer = MetricsWriter::create(folder).unwrap();
        extend(&mut writer, 1, epochs);
        writer
    }

    fn extend(writer: &mut MetricsWriter, from: u64, to: u64) {
        for e in from..=to {
            (1..=5).for_each(|s| writer.step(&step((e - 1) * 5 + s)).unwrap());
            writer.epoch(&epoch(e, Split::Train)).unwrap();
            writer.epoch(&epoch(e, Split::Test)).unwrap();
        }
    }

    fn contents(folder: &Path) -> Vec<String> {
        ["metrics.jsonl", "metrics.csv", "steps.jsonl", "steps.csv"]
            .map(|name| fs::read_to_string(folder.join(name)).unwrap())
            .to_vec()
    }

    #[test]
    fn what_is_written_is_on_disk_at_once_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let _still_open = run(&folder.path().join("new/run"), 2);
        let records = read_epochs(&folder.path().join("new/run/metrics.jsonl")).unwrap();
        assert_eq!(records.len(), 4);
        assert_eq!(records[3], epoch(2, Split::Test));
        let steps = read_steps(&folder.path().join("new/run/steps.jsonl")).unwrap();
        assert_eq!((steps.len(), steps[9].step), (10, 10));
    }

    #[test]
    fn csv_has_every_scalar_and_only_those() {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), 1);
        let csv = fs::read_to_string(folder.path().join("steps.csv")).unwrap();
        let lines: Vec<_> = csv.lines().collect();
        assert_eq!(lines[0], StepRecord::COLUMNS.join(","));
        assert_eq!(lines[1], "1,1,1.1,NaN,1.0,1.0,0.001,,");

        let full = EpochRecord {
            bits_per_dimension: Some(1.0),
            active_units: Some(1),
            kl_per_dimension: vec![1.0],
            beta: Some(1.0),
            learning_rate: Some(1.0),
            gradient_norm: Some(1.0),
            samples_per_second: Some(1.0),
            seconds: Some(1.0),
            steps: Some(1),
            retries: Some(1),
            ..epoch(1, Split::Train)
        };
        let value = serde_json::to_value(full).unwrap();
        let scalars: BTreeSet<&str> = value
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, value)| !value.is_array() && !value.is_object())
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(scalars, EpochRecord::COLUMNS.iter().copied().collect());
    }

    #[test]
    fn a_resumed_run_leaves_the_files_of_an_unbroken_one() {
        let (unbroken, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        run(unbroken.path(), 4);
        run(broken.path(), 3);
        // Killed in epoch 4 after the checkpoint of epoch 2: later lines, and a torn one in each file.
        for name in ["metrics.jsonl", "metrics.csv", "steps.jsonl", "steps.csv"] {
            let path = broken.path().join(name);
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, format!("{text}{{\"epoch\":4,\"sp")).unwrap();
        }
        let mut writer = MetricsWriter::resume(broken.path(), (2, 10, 0)).unwrap();
        assert_ne!(contents(broken.path()), contents(unbroken.path()));
        extend(&mut writer, 3, 4);
        assert_eq!(contents(broken.path()), contents(unbroken.path()));
    }

    #[test]
    fn resuming_leaves_out_what_cannot_be_read_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), 2);
        let path = folder.path().join("metrics.jsonl");
        let text = fs::read_to_string(&path).unwrap().replacen("elbo", "oble", 1);
        fs::write(&path, &text).unwrap();
        assert!(read_epochs(&path).unwrap_err().to_string().contains("metrics.jsonl: line 1"));
        let writer = MetricsWriter::resume(folder.path(), (2, 10, 0)).unwrap();
        let [warning] = &writer.warnings[..] else { panic!("{:?}", writer.warnings) };
        assert!(warning.contains("1 of its lines cannot be read") && warning.contains("line 1"), "{warning}");
        let rest: Vec<_> = read_epochs(&path).unwrap().iter().map(|record| (record.epoch, record.split)).collect();
        assert_eq!(rest, [(1, Split::Test), (2, Split::Train), (2, Split::Test)]);
        assert_eq!(fs::read_to_string(folder.path().join("metrics.damaged.jsonl")).unwrap(), text);
        // What is whole is left where it is.
        assert!(MetricsWriter::resume(folder.path(), (2, 10, 0)).unwrap().warnings.is_empty());
    }

    #[test]
    fn retries_have_files_of_their_own_once_there_are_some() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = run(folder.path(), 2);
        let path = folder.path().join("retries.jsonl");
        assert!(!path.exists() && read_retries(&path).unwrap().is_empty());
        let record = |retry| RetryRecord { retry, step: 7, epoch: 2, back_to: 5, slowed: 0.25, why: "so".into() };
        (1..=3).for_each(|retry| writer.retry(&record(retry)).unwrap());
        writer.sync().unwrap();
        assert_eq!(read_retries(&path).unwrap(), [1, 2, 3].map(record));
        // A checkpoint that knows of one: the others are about to be written again.
        let mut writer = MetricsWriter::resume(folder.path(), (1, 5, 1)).unwrap();
        writer.retry(&record(2)).unwrap();
        assert_eq!(read_retries(&path).unwrap(), [1, 2].map(record));
        let csv = fs::read_to_string(folder.path().join("retries.csv")).unwrap();
        assert_eq!(csv, "retry,step,epoch,back_to,slowed\n1,7,2,5,0.25\n2,7,2,5,0.25\n");
    }

    #[test]
    fn an_empty_folder_resumes_and_a_used_one_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        drop(MetricsWriter::resume(folder.path(), (3, 15, 0)).unwrap());
        run(folder.path(), 1);
        let before = contents(folder.path());
        let error = MetricsWriter::create(folder.path()).err().unwrap().to_string();
        assert!(error.contains("resume"), "{error}");
        assert_eq!(contents(folder.path()), before);
    }
}
