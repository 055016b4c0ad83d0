//! `elbo train`.

mod estimate;
mod introduce;
mod ranks;
mod screen;

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;
use serde_json::{Value, json};

use super::args::{Resolved, TrainArgs, resolve};
use super::claim::Claimed;
use super::style;
use super::style::typed;
use crate::apps::{Board, Outcome, Prepared, Team, TrainRun, has_board, prepare_member};
use crate::config::{Architecture, Chosen, Config, DataOptions, DeviceChoice, FILE_NAME, ModelConfig};
use crate::error::{Error, Result};
use crate::training::Ranks;
use introduce::introduce;
use screen::Screen;

/// Trains a model, together with the processes that were started with this one. Gives the folder of the run.
pub fn run(args: &TrainArgs) -> Result<PathBuf> {
    match Ranks::join()? {
        Some(ranks) => ranks::run(args, &ranks),
        None => alone(args),
    }
}

/// Trains a model in this process; of one over the codes of a VAE, where there is none yet, that first. Gives the folder of the run.
pub(super) fn alone(args: &TrainArgs) -> Result<PathBuf> {
    if let Some(kind) = first_of_two(args) {
        let (first, second) = stages(args, kind)?;
        if !args.json {
            println!("First of two: a VAE, without labels");
        }
        train(&or_resumed(first))?;
        if !args.json {
            println!("\nSecond of two: {kind} over its codes");
        }
        return train(&or_resumed(second));
    }
    train(args)
}

/// The kind of model that is asked for, where a VAE is to be trained first that it stands on.
fn first_of_two(args: &TrainArgs) -> Option<&Architecture> {
    let is_new = args.second_stage.is_none() && args.resume.is_none() && !args.print_config;
    args.settings.model.kind.as_ref().filter(|kind| kind.stands_on_vae && is_new)
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
fn stages(args: &TrainArgs, kind: &Architecture) -> Result<(TrainArgs, TrainArgs)> {
    let (mut first, mut second) = (args.clone(), args.clone());
    first.settings.model.kind = Some(Architecture::default());
    first.settings.model.alpha = None;
    first.settings.data.labels = None;
    // All members stand on one VAE.
    (first.settings.training.members, first.settings.training.member) = (None, None);
    let config = resolve(&first)?.config;
    let named = Config { model: ModelConfig { kind: kind.clone(), ..config.model.clone() }, ..config };
    let folder = match &args.out {
        Some(folder) => folder.clone(),
        None => Claimed::next_free(&usual_folder(&named))?.keep(),
    };
    let run = folder.join("m1");
    first.out = Some(run.clone());
    second.second_stage = Some(run);
    second.out = Some(folder);
    second.settings.data = DataOptions { labels: args.settings.data.labels, ..DataOptions::default() };
    second.settings.model.likelihood = None;
    second.settings.model.sigma = None;
    second.settings.model.objective = None;
    second.settings.training.corrupt = None;
    Ok((first, second))
}

/// Trains a model.
fn train(args: &TrainArgs) -> Result<PathBuf> {
    let resolved = resolve(args)?;
    if args.print_config {
        print!("{}", resolved.config.to_toml()?);
        return Ok(PathBuf::new());
    }
    let devices = resolved.config.device.clone();
    let models = resolved.config.training.models();
    let mut begun = open(args, resolved, Team::open(&devices)?)?.begin()?;
    if models == 1 {
        begun.run.reopening(move || Team::open(&devices));
        return go_on(args, begun, None);
    }
    let folder = begun.run.folder.clone();
    go_on_as_member(args, begun, &folder, (1, models))?;
    for number in 2..=models {
        let begun = member(args, &folder, number)?.begin()?;
        go_on_as_member(args, begun, &folder, (number, models))?;
    }
    match args.json {
        true => event("ensemble", &json!({ "folder": folder, "members": models })),
        false => println!(
            "\nAll {models} models of the ensemble are in {}. Next: {} evaluate {}",
            folder.display(),
            typed(),
            style::word(&folder)
        ),
    }
    Ok(folder)
}

/// Opens a further member of the ensemble in a folder.
fn member(args: &TrainArgs, folder: &Path, number: usize) -> Result<Opened<Prepared>> {
    let config = Config::load(&folder.join(FILE_NAME))?;
    let (started, batch) = (Instant::now(), config.training.batch);
    let run = prepare_member(folder, number, Team::open(&config.device)?, args.changed_data)?;
    Ok(Opened { run, claimed: None, chosen: None, batch, started })
}

/// Trains a member of an ensemble, which is one of so many, to the end, unless it was.
fn go_on_as_member(
    args: &TrainArgs,
    mut begun: Opened<TrainRun>,
    folder: &Path,
    (number, models): (usize, usize),
) -> Result<()> {
    let is_done = begun.run.is_done();
    if !args.json {
        let stands = if is_done { " is trained" } else { "" };
        println!("{}Member {number} of {models}{stands}", if number > 1 { "\n" } else { "" });
    }
    if is_done {
        return Ok(());
    }
    let devices = begun.run.config.device.clone();
    begun.run.reopening(move || Team::open(&devices));
    go_on(args, begun, Some(folder)).map(drop)
}

/// A run, as it is about to begin or has begun, or is gone on with.
struct Opened<R> {
    run: R,
    /// The folder of a new one, until it has begun.
    claimed: Option<Claimed>,
    chosen: Option<Chosen>,
    /// Rows of a batch, as they were asked for.
    batch: usize,
    started: Instant,
}

impl Opened<Prepared> {
    /// Keeps it in its folder.
    fn begin(self) -> Result<Opened<TrainRun>> {
        let Opened { run, claimed, chosen, batch, started } = self;
        let run = run.kept()?;
        if let Some(claimed) = claimed {
            claimed.keep();
        }
        Ok(Opened { run, claimed: None, chosen, batch, started })
    }
}

/// Opens a new run, or one that is gone on with.
fn open(args: &TrainArgs, Resolved { config, chosen }: Resolved, team: Team) -> Result<Opened<Prepared>> {
    let device = &config.device;
    let fallback = device.devices.is_none() && device.device == DeviceChoice::Auto && team.is_cpu();
    if !args.json {
        println!("Device: {}", team.described(fallback.then_some("as no GPU was found")));
    }
    let (started, batch) = (Instant::now(), config.training.batch);
    let (chosen, data) = chosen.unzip();
    let (run, claimed) = match &args.resume {
        Some(place) => (Prepared::again(config, place, team, args.changed_data)?, None),
        None => {
            let claimed = match &args.out {
                Some(folder) => Claimed::given(folder),
                None => Claimed::next_free(&usual_folder(&config))?,
            };
            if TrainRun::is_in(&claimed.folder) {
                let folder = claimed.folder.display();
                return Err(Error::invalid(format!(
                    "{folder} holds a run already: give another --out, or go on with it: --resume {folder}"
                )));
            }
            (Prepared::new(data, config, &claimed.folder, team)?, Some(claimed))
        }
    };
    Ok(Opened { run, claimed, chosen, batch, started })
}

/// Trains to the end, and says how it goes; of a member, `whole` is the folder of its ensemble.
fn go_on(
    args: &TrainArgs,
    Opened { mut run, chosen, batch, started, .. }: Opened<TrainRun>,
    whole: Option<&Path>,
) -> Result<PathBuf> {
    let folder = run.folder.clone();
    let mut screen = Screen::new(&run, args.json)?;
    if args.json {
        event("start", &about(&run));
    } else {
        introduce(&run, batch, chosen.as_ref())?;
        println!("{}", screen.header());
    }
    let wants_board = args.tensorboard || has_board(&run.folder);
    let mut board = wants_board.then(|| Board::begin(&folder, run.steps_done())).transpose()?;
    let outcome = match &mut board {
        Some(board) => run.train(&mut board.beside(&mut screen)),
        None => run.train(&mut screen),
    };
    screen.bar.finish_and_clear();
    board.as_mut().map_or(Ok(()), Board::check)?;
    if outcome? == Outcome::Stopped {
        return Err(Error::Interrupted(format!(
            "Stopped in epoch {}. Everything is saved; go on with: elbo train --resume {}",
            run.epochs_done() + 1,
            whole.unwrap_or(&folder).display()
        )));
    }
    let best = run.best();
    if let Some(best) = best.filter(|_| !args.json) {
        let (done, all) = (run.epochs_done(), run.config.training.epochs as u64);
        let early = if done < all { format!(" Epochs {} to {all} were left out.", done + 1) } else { String::new() };
        println!(
            "\nThe weights are those of epoch {}, the best by the loss of the validation rows ({:.2}).{early}",
            best.epoch, best.loss
        );
    }
    let pictures = run.pictures()?;
    let report = run.report()?;
    board.map_or(Ok(()), |board| board.finish(&pictures))?;
    if args.json {
        let done = json!({
            "folder": folder,
            "pictures": pictures,
            "report": report,
            "seconds": started.elapsed().as_secs_f64(),
            "best_epoch": best.map(|best| best.epoch),
        });
        event("done", &done);
    } else {
        println!("\nDone in {}. Pictures:", style::duration(started.elapsed()));
        for picture in pictures {
            println!("  {}", picture.display());
        }
        println!("\nAll of it in one page, for any browser: {}", report.display());
        match whole {
            Some(_) => println!("The run is kept in {}.", folder.display()),
            None => println!("The run is kept in {}. Next: {} {}", folder.display(), typed(), next(&run, &folder)),
        }
    }
    Ok(folder)
}

/// What to do with a run, as it is typed behind the program's name.
fn next(run: &TrainRun, folder: &Path) -> String {
    let (can, shown) = (run.can(), style::word(folder));
    // Where nothing brings codes to a prior that stays as it is, what is drawn from that is like none of the data.
    let model = &run.config.model;
    let waits = can.fit_prior.is_some() && !model.kind.has_elbo() && model.codes_are_standard_normal();
    match (can.generate.is_some() && !waits, can.reconstruct.is_some()) {
        // Numbers must be said, and labels need not be.
        (true, _) if run.is_told_numbers() => format!("sample {shown} --condition X,X,..."),
        (true, _) if run.data.train.schema.is_table() => format!("sample {shown} --count 100 --out new.csv"),
        (true, _) => format!("sample {shown} --count 100 --out new.png"),
        (false, true) if can.fit_prior.is_some() => format!("fit-prior {shown}"),
        (false, true) => format!("reconstruct {shown} --out pairs.png"),
        (false, false) => format!("evaluate {shown}"),
    }
}

/// A run as programs are told of it.
fn about(run: &TrainRun) -> Value {
    json!({
        "folder": run.folder,
        "device": run.device(),
        "data": run.data.train.name,
        "preset": run.config.preset,
        "model": run.config.model.kind.to_string(),
        "parameters": run.parameters(),
        "epochs": run.config.training.epochs,
        "epochs_done": run.epochs_done(),
        "member": run.config.training.member,
        "train": run.data.train.rows,
        "validation": run.data.validation.as_ref().map(|data| data.rows),
        "test": run.data.test.as_ref().map(|data| data.rows),
        "warnings": run.data.origin.warnings,
    })
}

/// A line of JSON: what happened, and what belongs to it.
fn event(what: &str, fields: &impl Serialize) {
    let mut object = serde_json::Map::from_iter([("event".to_string(), Value::from(what))]);
    if let Ok(Value::Object(fields)) = serde_json::to_value(fields) {
        object.extend(fields);
    }
    println!("{}", Value::Object(object));
}

/// Where a run of these settings is kept if nobody says where.
pub(super) fn usual_folder(config: &Config) -> PathBuf {
    Path::new("runs").join(config.run_name())
}
