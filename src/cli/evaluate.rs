//! `elbo evaluate`.

use std::path::{Path, PathBuf};

use super::args::EvaluateArgs;
use super::style::{Align, Table, count, printable, significant};
use super::weights::say_weights;
use crate::apps::{EVALUATION, Evaluation, Saved, Shown, Wanted, open_device};
use crate::distributions::Measure;
use crate::error::{Error, Result};

/// Columns that notes are filled into.
const NOTE_WIDTH: usize = 100;

/// Measures a trained model on its test set.
pub fn run(args: &EvaluateArgs) -> Result<()> {
    let executor = open_device(&args.device)?;
    if !args.json {
        println!("Device: {}", executor.describe());
    }
    let mut saved = Saved::load(&args.run, executor)?;
    if !args.json {
        say_weights(&saved);
    }
    let Shown { split, data, origin } = saved.shown_with_origin(args.data.as_deref())?;
    let wanted = Wanted {
        samples: (!args.quick).then_some(args.samples as usize),
        codes: !args.quick,
        factors: args.factors,
        seed: args.seed,
    };
    let is_own = args.data.is_none();
    let found = saved.evaluate(split, &data, wanted)?;
    if args.json {
        println!("{}", found.to_json()?);
        return if is_own { keep(&found, &saved.folder).map(|_| ()) } else { Ok(()) };
    }
    let drawn = match found.binarisation_seed {
        Some(seed) => format!(", greys drawn black and white once, by seed {seed}"),
        None => String::new(),
    };
    let which = if is_own { format!("{split} set, ") } else { String::new() };
    println!("Data:   {} ({which}{} rows{drawn})", data.name, count(data.rows as u64));
    let skipped = origin.skipped.iter().map(|skipped| format!("left out: {skipped}"));
    let warnings = origin.warnings.iter().map(|warning| format!("warning: {warning}"));
    for said in skipped.chain(warnings).filter(|_| !is_own) {
        let indented = textwrap::Options::new(NOTE_WIDTH).initial_indent("        ").subsequent_indent("          ");
        println!("{}", textwrap::fill(&printable(&said), indented));
    }
    println!();
    print!("{}", table(&found));
    if !found.aggregate_posterior.is_empty() {
        print!("\n{}", distances(&found));
    }
    if !found.disentanglement.is_empty() {
        print!("\n{}", scores(&found));
    }
    if !found.columns.is_empty() {
        print!("\n{}", columns(&found));
    }
    for factor in &found.excluded_factors {
        println!("{factor}");
    }
    for note in &found.notes {
        println!("\n{}", textwrap::fill(&format!("Note: {note}"), NOTE_WIDTH));
    }
    // The report in the folder is of the run's own rows.
    if is_own {
        println!("\nReport: {}", keep(&found, &saved.folder)?.display());
    }
    Ok(())
}

fn columns(found: &Evaluation) -> Table {
    let left = |name| (name, Align::Left);
    let right = |name| (name, Align::Right);
    let mut table = Table::new(&[
        left("column"),
        left("kind"),
        right("cells"),
        right("error"),
        right("of a constant"),
        left("unit"),
    ]);
    for column in &found.columns {
        let share = |value: f64| format!("{:.1} %", 100.0 * value);
        let (unit, shown): (&str, &dyn Fn(f64) -> String) = match column.kind {
            "category" | "ordinal" => ("wrong", &share),
            _ => ("root mean square", &|value| significant(value, 3)),
        };
        let (error, constant) = (shown(column.error), shown(column.error_of_constant));
        table.row([&column.name, column.kind, &count(column.cells as u64), &error, &constant, unit]);
    }
    table
}

/// Writes the report that has been printed into the run folder.
fn keep(found: &Evaluation, folder: &Path) -> Result<PathBuf> {
    found.save(folder).map_err(|error| {
        Error::invalid(format!("the figures above are whole, but {EVALUATION} was not written: {error}"))
    })
}

fn table(found: &Evaluation) -> Table {
    let mut table = Table::new(&[("measure", Align::Left), ("value", Align::Right), ("unit", Align::Left)]);
    let unit = found.measure.unit();
    let number = |value: f64| format!("{value:.3}");
    let record = &found.record;
    let mut row = |name: &str, value: String, unit: &str| table.row([name, &value, unit]);
    match found.kl_estimator.is_some() {
        true => {
            row("ELBO", number(record.elbo), unit);
            row(&format!("reconstruction, {}", found.measure), number(record.reconstruction), unit);
            let estimator = found.kl_estimator.map_or(String::new(), |estimator| format!(", {estimator}"));
            row("KL(q(z|x) || p(z))", number(record.kl), &format!("{unit}{estimator}"));
            row("loss: the objective", number(record.loss), unit);
            record.parts.iter().for_each(|part| row_of_part(&mut row, part));
            if let Some(bits) = record.bits_per_dimension {
                row("-ELBO", format!("{bits:.4}"), "bits per dimension");
            }
            if let Some(estimate) = &found.importance {
                let k = format!("nats per example, K = {}", count(estimate.samples as u64));
                let grey = if found.measure == Measure::CrossEntropy { ", bound for grey values" } else { "" };
                row(&format!("-ln p(x){grey}"), format!("{:.3}", estimate.nll), &k);
                if let Some(error) = estimate.monte_carlo_error {
                    row("  error from sampling codes", format!("{error:.3}"), unit);
                }
                if let Some(bias) = estimate.bias {
                    row("  bias, K being finite", format!("{bias:.3}"), unit);
                }
                row("  error from the choice of rows", format!("{:.3}", estimate.standard_error), unit);
                let of = if estimate.reliable { "mean over rows" } else { "mean over rows: not reliable" };
                row("  effective samples", format!("{:.1}", estimate.effective_samples), of);
            }
            if let Some(bits) = found.nll_bits_per_dimension {
                row("-ln p(x)", format!("{bits:.4}"), "bits per dimension");
            }
            if let Some(units) = record.active_units {
                let of = found.latent.map(|latent| format!("of {latent} latent dimensions"));
                row("active units", units.to_string(), of.as_deref().unwrap_or_default());
            }
        }
        false => {
            row(&format!("loss, {}", found.measure), number(record.loss), unit);
            record.parts.iter().for_each(|part| row_of_part(&mut row, part));
        }
    }
    if let Some(error) = found.reconstruction_error {
        row("reconstruction error", significant(error, 4), "mean squared, per value");
    }
    table
}

/// A part of the objective, or how many labels are right.
fn row_of_part(row: &mut impl FnMut(&str, String, &str), (name, value): (&String, &f64)) {
    match name.as_str() {
        "accuracy" => row("accuracy", format!("{:.2} %", 100.0 * value), "of labels right"),
        name => row(&format!("  {}", name.replace('_', " ")), significant(*value, 4), "nats per example"),
    }
}

fn distances(found: &Evaluation) -> Table {
    let columns = [
        ("codes against the prior", Align::Left),
        ("distance", Align::Right),
        ("standard error", Align::Right),
        ("prior and itself", Align::Right),
    ];
    let mut table = Table::new(&columns);
    for distance in found.aggregate_posterior.values() {
        let error = distance.standard_error.map_or(String::new(), |e| significant(e, 2));
        let [value, of_prior] = [distance.value, distance.of_prior].map(|v| significant(v, 3));
        table.row([distance.name.to_string(), value, error, of_prior]);
    }
    table
}

fn scores(found: &Evaluation) -> Table {
    let columns = [
        ("codes against known factors", Align::Left),
        ("score", Align::Right),
        ("by chance", Align::Right),
        ("perfect", Align::Right),
    ];
    let mut table = Table::new(&columns);
    for score in found.disentanglement.values() {
        let [value, chance, perfect] = [score.value, score.chance, score.perfect].map(|v| format!("{v:.3}"));
        table.row([score.name.to_string(), value, chance, perfect]);
    }
    table
}
