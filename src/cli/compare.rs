//! `elbo compare`.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::args::{CompareArgs, train_config};
use super::interrupt::on_interrupt;
use super::style::{Align, Table, count, duration, printable, significant};
use crate::apps::compare::{Abilities, Choice, Comparison, Figures, Measured, Planned, check, choices, compare};
use crate::apps::open_device;
use crate::error::{Error, Result};
use crate::evaluation::Interval;

/// Options of training that say what is compared, or where it goes.
const OWN: [&str; 8] =
    ["--model", "--beta", "--kl-weight", "--out", "--resume", "--second-stage", "--print-config", "--json"];

/// Trains and measures models side by side.
pub fn run(args: &CompareArgs) -> Result<()> {
    let planned = plan(args)?;
    check(&planned, &args.out)?;
    let stopped = on_interrupt()?;
    let mut each = |run: &Planned, found: Option<&Measured>| {
        if args.json {
            return;
        }
        match found {
            None => println!("{}, seed {}: {}", ascii(&run.choice.name), run.seed, run.folder(&args.out).display()),
            Some(found) => println!("  trained in {}", duration(Duration::from_secs_f64(found.figures.seconds))),
        }
    };
    let samples = (args.samples > 0).then_some(args.samples as usize);
    let open = || open_device(&args.device);
    let found = compare(&planned, &args.out, samples, &open, &|| stopped.load(Ordering::SeqCst), &mut each)?;
    if args.json {
        println!("{}", serde_json::to_string(&found).map_err(Error::invalid)?);
        return Ok(());
    }
    say(&found, args);
    Ok(())
}

/// All runs, none of which is begun before all are known to be sound.
fn plan(args: &CompareArgs) -> Result<Vec<Planned>> {
    if let Some(own) = args.options.iter().find(|word| OWN.contains(&word.split('=').next().unwrap_or_default())) {
        return Err(Error::invalid(format!(
            "{own} is not the same for all that is compared: leave it out behind --, and say what is compared with --models and --beta"
        )));
    }
    let usual: &[&str] = if args.beta.is_empty() { &["ae", "vae"] } else { &["vae"] };
    let names =
        if args.models.is_empty() { usual.iter().map(ToString::to_string).collect() } else { args.models.clone() };
    let choices = choices(&names, &args.beta)?;
    let seeds = args.seed..args.seed.saturating_add(args.seeds);
    let all = choices.iter().flat_map(|choice| seeds.clone().map(move |seed| (choice, seed)));
    all.map(|(choice, seed)| planned(args, choice, seed)).collect()
}

fn planned(args: &CompareArgs, choice: &Choice, seed: u64) -> Result<Planned> {
    let mut words = vec!["--data".to_string(), args.data.clone(), "--seed".to_string(), seed.to_string()];
    words.extend(["--device".to_string(), args.device.to_string()]);
    for (option, value) in [("--epochs", args.epochs), ("--latent", args.latent)] {
        words.extend(value.into_iter().flat_map(|value| [option.to_string(), value.to_string()]));
    }
    words.extend(choice.words.iter().chain(&args.options).cloned());
    let mut config = train_config(&words)?;
    if config.training.models() > 1 {
        return Err(Error::invalid(format!(
            "--members {} is as many times the work of one model, and models are compared at equal work: leave it out behind --",
            config.training.members
        )));
    }
    if !args.options.iter().any(|word| word.starts_with("--patience")) {
        // Whoever ends early has done less work than the others.
        config.training.patience = None;
    }
    Ok(Planned { choice: choice.clone(), seed, config })
}

fn say(found: &Comparison, args: &CompareArgs) {
    let right = |name| (name, Align::Right);
    let yes = |is: bool| if is { "yes" } else { "no" }.to_string();
    let figure = |of: Option<Interval>, digits: usize| of.map_or("-".to_string(), |of| spelled(of, digits));
    let mut table = Table::new(&[
        ("", Align::Left),
        ("draws", Align::Left),
        ("unsure", Align::Left),
        ("gaps", Align::Left),
        right("rebuilt"),
        right("new rows"),
        right("between"),
        right("-ELBO"),
        right("-ln p(x)"),
        right("bits"),
        right("seconds"),
    ]);
    for model in &found.models {
        let Abilities { generates, tells_uncertainty, fills_gaps } = model.abilities;
        let of = |value: fn(&Figures) -> Option<f64>, digits| figure(model.over(value), digits);
        table.row([
            ascii(&model.name),
            yes(generates),
            yes(tells_uncertainty),
            yes(fills_gaps),
            of(|of| of.reconstruction_error, 3),
            of(|of| of.samples, 3),
            of(|of| of.between, 3),
            of(|of| of.elbo.map(|elbo| -elbo), 4),
            of(|of| of.nll, 4),
            of(|of| of.bits_per_dimension, 3),
            of(|of| Some(of.seconds), 3),
        ]);
    }
    let without = |name: &str, figures: [Option<Interval>; 2]| {
        let [new, between] = figures.map(|of| of.map_or(String::new(), |of| spelled(of, 3)));
        [name.to_string(), String::new(), String::new(), String::new(), String::new(), new, between]
    };
    table.row(without("real rows", [Some(found.baseline(|of| of.real_rows)), Some(found.baseline(|_| 1.0))]));
    table.row(without("shuffled columns", [Some(found.baseline(|of| of.shuffled_columns)), None]));
    table.row(without("the mean row", [Some(found.baseline(|of| of.mean_row)), None]));
    table.row(without(
        "averaged rows",
        [None, Some(found.baseline(|of| of.averaged_rows.unwrap_or(f64::NAN))).filter(|of| of.value.is_finite())],
    ));
    println!("\n{table}");
    let (rows, split) = (count(found.rows as u64), found.split.map_or(String::new(), |split| format!(" ({split})")));
    println!("Of {} rows that were held out{split}, after {} epochs each.", rows, found.epochs);
    println!("draws, unsure, gaps: whether it draws new rows, says how sure it is of a code, fills gaps");
    println!("rebuilt: mean squared error of a value, of rows decoded from their codes");
    println!(
        "new rows: squared Frechet distance from held-out rows, along {} principal axes of the training rows, which have {:.0} % of\n  their variance",
        found.axes,
        100.0 * found.explained
    );
    println!(
        "between: distance of rows decoded half-way between two codes from the nearest training row, over that of held-out rows"
    );
    let sampled =
        if args.samples > 0 { format!(", the latter from {} codes of each", args.samples) } else { String::new() };
    println!("-ELBO, -ln p(x): nats per row{sampled}; bits: per value, where values are discrete");
    if found.baselines.len() > 1 {
        println!("+-: half of the 95 % interval over {} seeds", found.baselines.len());
    }
    println!("\nWritten: compare.csv, compare.json and pictures in {}", args.out.display());
}

/// A mean and, of several, half of its interval.
fn spelled(of: Interval, digits: usize) -> String {
    let half = 0.5 * (of.high - of.low);
    let value = significant(of.value, digits);
    if half.is_nan() { value } else { format!("{value} +- {}", significant(half, 2)) }
}

/// Text as the screen has it.
fn ascii(name: &str) -> String {
    printable(&name.replace("β = ", "beta "))
}
