//! `elbo train`.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::args::{TrainArgs, resolve};
use super::interrupt::on_interrupt;
use super::style;
use crate::apps::{Outcome, TrainRun, Watcher, folder_of, open_device, open_tuned};
use crate::config::{Architecture, Config, DataOptions, DeviceChoice, ModelConfig};
use crate::data::schema::{Role, some_of};
use crate::data::{Schema, Shape};
use crate::error::{Error, Result};
use crate::files::create_folder;
use crate::training::Progress;
use crate::training::metrics::EpochRecord;

/// Columns that sentences are filled into.
const WIDTH: usize = 120;

/// Trains a model; of one over the codes of a VAE, where there is none yet, that first.
pub fn run(args: &TrainArgs) -> Result<()> {
    let is_new = args.second_stage.is_none() && args.resume.is_none() && !args.print_config;
    if let Some(kind) = args.settings.model.kind.filter(|kind| kind.stands_on_vae && is_new) {
        let (first, second) = stages(args, kind)?;
        println!("First of two: a VAE, without labels");
        train(&or_resumed(first))?;
        println!("\nSecond of two: {kind} over its codes");
        return train(&or_resumed(second));
    }
    train(args)
}

/// The same run, gone on with where it has been begun.
fn or_resumed(args: TrainArgs) -> TrainArgs {
    match args.out {
        Some(folder) if TrainRun::is_in(&folder) => {
            TrainArgs { out: None, second_stage: None, resume: Some(folder), ..args }
        }
        _ => args,
    }
}

/// The two runs of a model over the codes of a VAE: the VAE in the folder `m1` of the run's, and the model. Settings are those
/// of both; how rows are likely is the VAE's to learn, labels the other's.
fn stages(args: &TrainArgs, kind: Architecture) -> Result<(TrainArgs, TrainArgs)> {
    let (mut first, mut second) = (args.clone(), args.clone());
    first.settings.model.kind = Some(Architecture::default());
    first.settings.model.alpha = None;
    first.settings.data.labels = None;
    let config = resolve(&first)?;
    let named = Config { model: ModelConfig { kind, ..config.model.clone() }, ..config };
    let folder = match &args.out {
        Some(folder) => folder.clone(),
        None => claim_folder(&named)?.keep(),
    };
    let run = folder.join("m1");
    first.out = Some(run.clone());
    second.second_stage = Some(run);
    second.out = Some(folder);
    second.settings.data = DataOptions { labels: args.settings.data.labels, ..DataOptions::default() };
    second.settings.model.likelihood = None;
    second.settings.model.sigma = None;
    second.settings.model.objective = None;
    Ok((first, second))
}

/// Trains a model.
fn train(args: &TrainArgs) -> Result<()> {
    let config = resolve(args)?;
    if args.print_config {
        print!("{}", config.to_toml()?);
        return Ok(());
    }
    let open = if config.device.deterministic { open_device } else { open_tuned };
    let executor = open(&config.device.device)?;
    let fallback = config.device.device == DeviceChoice::Auto && executor.is_cpu();
    println!("Device: {}{}", executor.describe(), if fallback { ", as no GPU was found" } else { "" });
    let (started, batch) = (std::time::Instant::now(), config.training.batch);
    let (mut run, folder) = match &args.resume {
        Some(place) => (TrainRun::resume_on(config, place, executor, args.changed_data)?, folder_of(place).to_owned()),
        None => {
            let claimed = match &args.out {
                Some(folder) => Claimed { folder: folder.clone(), made: vec![] },
                None => claim_folder(&config)?,
            };
            if TrainRun::is_in(&claimed.folder) {
                let folder = claimed.folder.display();
                return Err(Error::invalid(format!(
                    "{folder} holds a run already: give another --out, or go on with it: --resume {folder}"
                )));
            }
            (TrainRun::start(config, &claimed.folder, executor)?, claimed.keep())
        }
    };
    introduce(&run, batch)?;
    let mut watcher = Bar::new(run.kl_estimator().is_some())?;
    let outcome = run.train(&mut watcher);
    watcher.bar.finish_and_clear();
    if outcome? == Outcome::Stopped {
        return Err(Error::Interrupted(format!(
            "Stopped in epoch {}. Everything is saved; go on with: elbo train --resume {}",
            run.epochs_done() + 1,
            folder.display()
        )));
    }
    if let Some(best) = run.best() {
        let (done, all) = (run.epochs_done(), run.config.training.epochs as u64);
        let early = if done < all { format!(" Epochs {} to {all} were left out.", done + 1) } else { String::new() };
        println!(
            "\nThe weights are those of epoch {}, the best by the loss of the validation rows ({:.2}).{early}",
            best.epoch, best.loss
        );
    }
    let pictures = run.pictures()?;
    println!("\nDone in {}. Pictures:", style::duration(started.elapsed()));
    for picture in pictures {
        println!("  {}", picture.display());
    }
    let (can, shown) = (run.can(), folder.display());
    let next = match (can.generate.is_some(), can.decode.is_some()) {
        // Numbers must be said, and labels need not be.
        (true, _) if run.is_told_numbers() => format!("elbo sample {shown} --condition X,X,..."),
        (true, _) if run.data.train.schema.is_table() => format!("elbo sample {shown} --count 100 --out new.csv"),
        (true, _) => format!("elbo sample {shown} --count 100 --out new.png"),
        (false, true) => format!("elbo reconstruct {shown} --out pairs.png"),
        (false, false) => format!("elbo evaluate {shown}"),
    };
    println!("\nThe run is kept in {}. Next: {next}", folder.display());
    Ok(())
}

/// A folder for a run that has yet to start, and what was made for it, which goes again if the run does not start.
struct Claimed {
    folder: PathBuf,
    made: Vec<PathBuf>,
}

impl Claimed {
    fn keep(mut self) -> PathBuf {
        self.made.clear();
        std::mem::take(&mut self.folder)
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        for folder in self.made.iter().rev() {
            // Does nothing to a folder that holds something by now.
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// The first of runs/NAME, runs/NAME-2, … that nothing has yet, as a new folder: of processes that start together, each gets another.
fn claim_folder(config: &Config) -> Result<Claimed> {
    let (name, runs) = (config.run_name(), Path::new("runs"));
    let mut made = Vec::new();
    if !runs.exists() {
        create_folder(runs)?;
        made.push(runs.to_owned());
    }
    let mut n = 1;
    loop {
        let folder = runs.join(if n == 1 { name.clone() } else { format!("{name}-{n}") });
        match std::fs::create_dir(&folder) {
            Ok(()) => {
                made.push(folder.clone());
                return Ok(Claimed { folder, made });
            }

            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => n += 1,
            Err(error) => return Err(Error::io("create the folder", &folder)(error)),
        }
    }
}

/// Says what is trained on what, where batches of so many rows were asked for.
fn introduce(run: &TrainRun, batch: usize) -> Result<()> {
    println!("Data:   {}", run.data.train.describe());
    let origin = &run.data.origin;
    let skipped = origin.skipped.iter().map(|skipped| format!("left out: {skipped}"));
    let warnings = origin.warnings.iter().map(|warning| format!("warning: {warning}"));
    let said = [origin.format.clone()].into_iter().chain(origin.guesses.iter().cloned()).chain(skipped).chain(warnings);
    for sentence in said {
        let filled = textwrap::Options::new(WIDTH).initial_indent("        ").subsequent_indent("          ");
        println!("{}", textwrap::fill(&style::printable(&sentence), filled));
    }
    for (name, data) in [("validation", &run.data.validation), ("test", &run.data.test)] {
        if let Some(data) = data {
            println!("        {} rows held out for {name}", style::count(data.rows as u64));
        }
    }
    for line in columns(&run.data.train.schema) {
        println!("        {line}");
    }
    if run.config.training.batch < batch {
        println!("        in batches of {} rows, which are all there are", run.config.training.batch);
    }
    let model = &run.config.model;
    let (shape, what) = match &run.config.first_stage {
        None => (run.data.train.shape(), "features"),
        Some(first) => (Shape::vector(first.model.latent), "values of a code"),
    };
    let (features, hidden) = (shape.features(), model.encoder_network(shape, model.latent)?.summary());
    let upper: String = model.upper_widths().iter().map(|width| format!(" - {width}")).collect();
    let end = match run.can().decode {
        Some(_) => format!("{} latent{upper}", model.latent),
        None => format!("{} classes", run.classes()),
    };
    println!(
        "Model:  {}, {features} {what} - {hidden} - {end}, {} parameters",
        model.kind,
        style::count(run.parameters() as u64)
    );
    match run.kl_estimator() {
        Some(estimator) => println!("        reconstruction: {}; KL: {estimator}", run.measure()),
        None => println!("        loss: {}", run.measure()),
    }
    if let Some(first) = &run.config.first_stage {
        println!("        on codes of {}, frozen, {} parameters", first.run, style::count(run.frozen() as u64));
    }
    println!("Folder: {}", run.folder.display());
    for warning in run.warnings() {
        println!("        warning: {}", style::printable(warning));
    }
    if run.epochs_done() > 0 {
        println!("Going on after epoch {}.", run.epochs_done());
    }
    println!();
    Ok(())
}

/// What the columns of a table are taken for, by kind.
fn columns(schema: &Schema) -> Vec<String> {
    if !schema.is_table() {
        return vec![];
    }
    let mut kinds: Vec<(&str, Vec<&str>)> = vec![];
    for field in &schema.fields {
        let kind = match field.role {
            Role::Input => field.kind.name(),
            Role::Label => "label",
            Role::Condition => "told to the model",
            Role::Factor => "factor",
            Role::Split => "training, validation or test",
            Role::Identity => "identity, not learnt",
            Role::Ignored => "left out",
        };
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, names)) => names.push(&field.name),
            None => kinds.push((kind, vec![&field.name])),
        }
    }
    let line = |(kind, names): (&str, Vec<&str>)| format!("{kind} ({}): {}", names.len(), some_of(&names));
    kinds.into_iter().map(line).collect()
}

/// A progress bar, and a line per epoch.
struct Bar {
    bar: ProgressBar,
    has_elbo: bool,
    stop: Arc<AtomicBool>,
}

impl Bar {
    fn new(has_elbo: bool) -> Result<Bar> {
        let stop = on_interrupt()?;
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
        let template = "{prefix} [{bar:30}] {msg}, {eta} left";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("=> "));
        Ok(Bar { bar, has_elbo, stop })
    }
}

impl Watcher for Bar {
    fn progress(&mut self, epoch: u64, epochs: u64, progress: &Progress) -> ControlFlow<()> {
        if self.bar.length() != Some(epochs * progress.batches as u64) {
            self.bar.set_length(epochs * progress.batches as u64);
            self.bar.set_position((epoch - 1) * progress.batches as u64 + progress.batch as u64);
            self.bar.reset_eta();
            self.bar.enable_steady_tick(Duration::from_millis(500));
        }
        self.bar.set_prefix(format!("epoch {epoch}/{epochs}"));
        self.bar.set_position((epoch - 1) * progress.batches as u64 + progress.batch as u64);
        if let Some(step) = progress.steps.last() {
            let rate = style::count(step.samples_per_second.unwrap_or(0.0) as u64);
            let mean = |name: &str| progress.means.get(name).unwrap_or(0.0);
            let (reconstruction, kl) = (mean("reconstruction"), mean("kl"));
            self.bar.set_message(match self.has_elbo {
                true => format!(
                    "ELBO {:.2}, reconstruction {reconstruction:.2}, KL {kl:.2}, {rate} samples/s",
                    -(reconstruction + kl)
                ),
                false => format!("loss {reconstruction:.2}, {rate} samples/s"),
            });
        }
        if self.stop.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn epoch(&mut self, records: &[EpochRecord]) {
        let mut line = String::new();
        for record in records {
            if line.is_empty() {
                line += &format!("epoch {:3}", record.epoch);
            }
            line += &match self.has_elbo {
                true => format!(
                    "  {}: ELBO {:.2} (reconstruction {:.2}, KL {:.2})",
                    record.split, record.elbo, record.reconstruction, record.kl
                ),
                false => format!("  {}: loss {:.2}", record.split, record.loss),
            };
        }
        if let Some(rate) = records.first().and_then(|r| r.samples_per_second) {
            line += &format!("  {} samples/s", style::count(rate as u64));
        }
        self.bar.suspend(|| println!("{line}"));
    }
}
