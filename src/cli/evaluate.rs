//! `elbo evaluate`.

use std::path::{Path, PathBuf};

use super::args::EvaluateArgs;
use super::style::{Align, Table, count, printable, significant};
use super::weights::{join, say_weights};
use crate::apps::{Comparison, EVALUATION, Evaluation, MemberFigures, Saved, Shown, Wanted, open_device};
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
    join(&mut saved, args.weight_draws, args.seed)?;
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
    if !found.members.is_empty() {
        print!("\n{}", members(&found));
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
        let [error, constant, unit] = column.spoken();
        table.row([&column.name, &column.kind, &count(column.cells as u64), &error, &constant, &unit]);
    }
    table
}

/// The members of an ensemble by themselves.
fn members(found: &Evaluation) -> Table {
    let right = |name| (name, Align::Right);
    let has = |of: fn(&MemberFigures) -> Option<f64>| found.members.iter().all(|member| of(member).is_some());
    let (has_bound, has_nll, has_accuracy) =
        (found.kl_estimator.is_some(), has(|member| member.nll), has(|member| member.accuracy));
    let mut heads = vec![right("member"), right("loss")];
    heads.extend(has_bound.then_some(right("ELBO")));
    heads.extend(has_nll.then_some(right("-ln p(x)")));
    heads.extend(has_accuracy.then_some(right("accuracy")));
    let mut table = Table::new(&heads);
    for MemberFigures { member, loss, elbo, nll, accuracy } in &found.members {
        let mut cells = vec![member.to_string(), significant(*loss, 6)];
        cells.extend(has_bound.then(|| format!("{elbo:.3}")));
        cells.extend(nll.map(|nll| format!("{nll:.3}")));
        cells.extend(accuracy.filter(|_| has_accuracy).map(|share| format!("{:.2} %", 100.0 * share)));
        table.row(cells);
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
    for figure in found.figures() {
        table.row([figure.name, figure.value, figure.unit]);
    }
    table
}

fn distances(found: &Evaluation) -> Table {
    beside(["codes against the prior", "distance", "standard error", "prior and itself"], found.distances())
}

fn scores(found: &Evaluation) -> Table {
    beside(["codes against known factors", "score", "by chance", "perfect"], found.scores())
}

/// Figures beside what they are compared with.
fn beside([what, others @ ..]: [&str; 4], found: Vec<Comparison>) -> Table {
    let mut columns = vec![(what, Align::Left)];
    columns.extend(others.map(|name| (name, Align::Right)));
    let mut table = Table::new(&columns);
    for Comparison { name, values: [value, first, second], .. } in found {
        table.row([name, value, first, second]);
    }
    table
}
