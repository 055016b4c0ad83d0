//! A run on the screen: a bar while it goes on, and a row of figures per epoch.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::super::advice::explained;
use super::super::args::options_of;
use super::super::interrupt::on_interrupt;
use super::super::print::is_watched;
use super::super::style::{self, printable};
use super::estimate::estimate;
use crate::apps::{TrainRun, Watcher};
use crate::data::Split;
use crate::error::Result;
use crate::training::Progress;
use crate::training::metrics::{EpochRecord, RetryRecord};

/// Rows of figures of a run, about; of more epochs, some are left out.
const ROWS: u64 = 60;
/// Where epochs are long, none is left out.
const LONG: Duration = Duration::from_secs(10);
/// How long a run is watched before it is said how long it takes.
const WATCHED: Duration = Duration::from_secs(2);

/// What is shown of a run.
pub(super) struct Screen {
    pub bar: ProgressBar,
    json: bool,
    has_elbo: bool,
    warms_up: bool,
    /// The weight of the KL term when it has grown.
    full_weight: f64,
    /// What is held out, in the order in which it is measured.
    held_out: Vec<Split>,
    epochs: u64,
    /// How often it may go back.
    retries: usize,
    stop: Arc<AtomicBool>,
    /// When the first steps were done.
    began: Option<Instant>,
    /// When the first batches were done, how many, and whether the rest of the time has been told.
    started: Option<(Instant, u64)>,
    told: bool,
    last_row: Option<Instant>,
}

impl Screen {
    pub fn new(run: &TrainRun, json: bool) -> Result<Screen> {
        let bar = if is_watched() && !json { ProgressBar::new(0) } else { ProgressBar::hidden() };
        // The message is cut where the terminal ends, however wide that is by now.
        let style = ProgressStyle::with_template("{prefix} [{bar:20}] {elapsed} gone, {eta} left  {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
        let held_out = [(Split::Validation, &run.data.validation), (Split::Test, &run.data.test)];
        Ok(Screen {
            bar,
            json,
            has_elbo: run.kl_estimator().is_some(),
            warms_up: run.kl_estimator().is_some() && run.config.training.kl_warmup_epochs > 0,
            full_weight: run.config.model.beta,
            held_out: held_out.into_iter().filter(|(_, data)| data.is_some()).map(|(split, _)| split).collect(),
            epochs: run.config.training.epochs as u64,
            retries: run.config.training.retries,
            stop: on_interrupt()?,
            began: None,
            started: None,
            told: false,
            last_row: None,
        })
    }

    /// The names of the columns.
    pub fn header(&self) -> String {
        let mut line = format!("{:>9}", "epoch");
        let training = if self.has_elbo { "ELBO: train" } else { "loss: train" };
        let held_out = self.held_out.iter().map(|split| split.to_string());
        for name in [training.to_string()].into_iter().chain(held_out) {
            line += &format!("{name:>12}");
        }
        if self.has_elbo {
            line += &format!("{:>11}{:>8}", "rebuilding", "KL");
        }
        if self.warms_up {
            line += &format!("{:>7}", "weight");
        }
        line + &format!("{:>9}", "time")
    }

    /// The figures of an epoch.
    fn row(&self, records: &[EpochRecord], elapsed: Duration) -> String {
        let Some((train, last)) = records.first().zip(records.last()) else { return String::new() };
        let mut line = format!("{:>9}", format!("{}/{}", train.epoch, self.epochs));
        for record in records {
            line += &format!("{:>12}", number(if self.has_elbo { record.elbo } else { record.loss }));
        }
        if self.has_elbo {
            line += &format!("{:>11}{:>8}", number(last.reconstruction), number(last.kl));
        }
        if self.warms_up {
            line += &format!("{:>7.2}", train.beta.unwrap_or(f64::NAN));
        }
        line + &format!("{:>9}", clock(elapsed))
    }

    fn tell_time(&mut self, epoch: u64, progress: &Progress) {
        let all = progress.batches as u64;
        let done = (epoch - 1) * all + progress.batch as u64;
        let (since, before) = *self.started.get_or_insert((Instant::now(), done));
        let (elapsed, done_since) = (since.elapsed(), done - before);
        if self.told || elapsed < WATCHED || done_since == 0 {
            return;
        }
        self.told = true;
        let left = elapsed.mul_f64((self.epochs * all - done) as f64 / done_since as f64);
        if let Some(sentence) = estimate(left) {
            self.bar.suspend(|| println!("{sentence}"));
        }
    }
}

impl Watcher for Screen {
    fn progress(&mut self, epoch: u64, epochs: u64, progress: &Progress) -> ControlFlow<()> {
        let (all, done) =
            (epochs * progress.batches as u64, (epoch - 1) * progress.batches as u64 + progress.batch as u64);
        if self.bar.length() != Some(all) {
            self.bar.set_length(all);
            self.bar.set_position(done);
            self.bar.reset_eta();
            // That takes a thread: where there can be none, the bar moves with the steps alone.
            if !self.bar.is_hidden() && std::thread::Builder::new().spawn(|| ()).is_ok() {
                self.bar.enable_steady_tick(Duration::from_millis(500));
            }
        }
        self.bar.set_position(done);
        self.began.get_or_insert_with(Instant::now);
        if !self.json {
            self.tell_time(epoch, progress);
        }
        if let Some(step) = progress.steps.last() {
            let mean = |name: &str| progress.means.get(name).unwrap_or(0.0);
            let growing = self.warms_up && step.beta.is_some_and(|beta| beta < self.full_weight);
            self.bar.set_prefix(format!("{} {epoch}/{epochs}", if growing { "warming up" } else { "learning" }));
            let loss = match self.has_elbo {
                true => format!("ELBO {}", number(-(mean("reconstruction") + mean("kl")))),
                false => format!("loss {}", number(mean("loss"))),
            };
            let rate = style::count(step.samples_per_second.unwrap_or(0.0) as u64);
            self.bar.set_message(format!("{loss}, {rate} rows/s"));
        }
        if self.stop.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn retried(&mut self, record: &RetryRecord) {
        // What is left is told anew from where it went back to.
        (self.started, self.last_row) = (None, None);
        if self.json {
            super::event("retry", record);
            return;
        }
        self.bar.reset_eta();
        let RetryRecord { retry, back_to, slowed, why, .. } = record;
        let (why, retries) = (printable(why), self.retries);
        self.bar.suspend(|| {
            println!("{why}.");
            println!("  Back to the checkpoint of step {back_to}, with {slowed} times the learning rate (retry {retry} of {retries})");
        });
    }

    fn noticed(&mut self, sentence: &str) {
        if self.json {
            super::event("notice", &json!({ "text": sentence }));
            return;
        }
        let sentence = explained(sentence, &options_of("train"));
        self.bar.suspend(|| sentence.lines().for_each(|line| println!("{}", printable(line))));
        // A device that was opened anew has its own pace.
        self.started = None;
    }

    fn epoch(&mut self, records: &[EpochRecord]) {
        if self.json {
            records.iter().for_each(|record| super::event("epoch", record));
            return;
        }
        let epoch = records.first().map_or(0, |record| record.epoch);
        let is_long = self.last_row.is_some_and(|row| row.elapsed() >= LONG);
        if epoch == 1 || epoch == self.epochs || epoch.is_multiple_of(self.epochs.div_ceil(ROWS)) || is_long {
            let since = self.began.map_or(Duration::ZERO, |began| began.elapsed());
            let row = self.row(records, since);
            self.bar.suspend(|| println!("{row}"));
            self.last_row = Some(Instant::now());
        }
    }
}

/// A number of at most ten characters.
fn number(value: f64) -> String {
    match value.abs() {
        0.0..1e4 => format!("{value:.2}"),
        1e4..1e7 => format!("{value:.0}"),
        _ if value.is_finite() => format!("{value:.2e}"),
        _ => value.to_string(),
    }
}

/// A time in at most eight characters.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{}:{:02} min", seconds / 60, seconds % 60),
        _ => format!("{}:{:02} h", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(held_out: &[Split], has_elbo: bool, warms_up: bool) -> Screen {
        Screen {
            bar: ProgressBar::hidden(),
            json: false,
            has_elbo,
            warms_up,
            full_weight: 1.0,
            held_out: held_out.to_vec(),
            epochs: 300,
            retries: 3,
            stop: Arc::default(),
            began: None,
            started: None,
            told: false,
            last_row: None,
        }
    }

    #[test]
    fn rows_stand_below_their_names_within_80_columns() {
        let both = [Split::Validation, Split::Test];
        let record = |split, kl| EpochRecord { beta: Some(0.25), ..EpochRecord::new(7, split, 101.0, 3.5, kl) };
        let small = screen(&both, true, true);
        let rows = [Split::Train, Split::Validation, Split::Test].map(|split| record(split, 1.25));
        let row = small.row(&rows, Duration::from_secs(125));
        assert_eq!(
            format!("{}\n{row}", small.header()),
            "    epoch ELBO: train  validation        test rebuilding      KL weight     time\n    \
             7/300       -4.75       -4.75       -4.75       3.50    1.25   0.25 2:05 min"
        );
        // The longest numbers that there are.
        let huge = [Split::Train, Split::Validation, Split::Test]
            .map(|split| EpochRecord { beta: Some(1.0), ..EpochRecord::new(1_000, split, 1.0, -1.23e300, 9_999.999) });
        for line in [small.header(), small.row(&huge, Duration::from_secs(359_999))] {
            assert!(line.len() <= 80 && line.is_ascii(), "{}: {line}", line.len());
        }
        let plain = screen(&[Split::Test], false, false);
        assert_eq!(plain.row(&rows[1..], Duration::ZERO), "    7/300      101.00      101.00      0 s");
        assert_eq!(plain.header(), "    epoch loss: train        test     time");
    }

    #[test]
    fn times_are_short() {
        let seconds = [(0, "0 s"), (59, "59 s"), (60, "1:00 min"), (3_599, "59:59 min"), (3_725, "1:02 h")];
        for (seconds, expected) in seconds {
            assert_eq!(clock(Duration::from_secs(seconds)), expected);
        }
    }
}
