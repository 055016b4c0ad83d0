//! `elbo score`.

use super::args::ScoreArgs;
use super::style::{Align, Table, count, printable, significant};
use super::uses::{check_out, open_all, print_json};
use crate::apps::{Saved, ScoreKind, Scored, Scoring, open_device};
use crate::error::{Error, Result};

/// Columns that warnings are filled into.
const WIDTH: usize = 100;

/// Scores rows.
pub fn run(args: &ScoreArgs) -> Result<()> {
    let mut saved = open_all(&args.common)?;
    let background = args.background.as_ref().and_then(|run| run.to_str());
    let read =
        || [&args.data, &args.fit, &args.against].into_iter().filter_map(|source| source.as_deref()).chain(background);
    for file in [&args.out, &args.sheet].into_iter().flatten() {
        check_out(&saved, (&args.common.run, args.common.force), file, read())?;
    }
    let scoring = Scoring {
        kinds: args.scores.clone(),
        fit: args.fit.clone(),
        false_alarms: args.false_alarms,
        draws: args.draws as usize,
        weight_draws: args.weight_draws as usize,
        samples: args.samples as usize,
        normal: args.normal.clone(),
        label: args.label.clone(),
        against: args.against.clone(),
        top: args.top as usize,
        sheet: args.sheet.clone(),
        seed: args.common.seed,
    };
    let background = args.background.as_ref().map(|run| {
        let mut background = Saved::load(run, open_device(&args.common.device)?)?;
        background.join_members()?;
        Ok::<_, Error>(background)
    });
    let mut background = background.transpose()?;
    let found = saved.score_to(args.data.as_deref(), &scoring, background.as_mut(), args.out.as_deref())?;
    if args.common.json {
        return print_json(&found, &args.out);
    }
    say(&found, &args.scores);
    for file in [&args.out, &args.sheet].into_iter().flatten() {
        println!("\nWritten: {}", file.display());
    }
    Ok(())
}

fn say(found: &Scored, kinds: &[ScoreKind]) {
    println!(
        "{} of {} rows of {} are marked",
        count(found.marked as u64),
        count(found.rows as u64),
        printable(&found.data)
    );
    println!("Score:  {}", kinds[0].meaning());
    println!(
        "Normal: {}; at most {} of new normal rows are marked",
        printable(&found.calibrated_on),
        found.false_alarms
    );
    if !found.detection.is_empty() {
        print!("\n{}", detection(found));
    }
    if !found.top.is_empty() {
        print!("\n{}", top(found));
    }
    for warning in &found.warnings {
        println!("\n{}", textwrap::fill(&printable(&format!("Note: {warning}")), WIDTH));
    }
}

fn detection(found: &Scored) -> Table {
    let right = |name| (name, Align::Right);
    let columns = [
        ("known anomalies", Align::Left),
        right("AUROC"),
        right("95 %"),
        right("precision"),
        right("95 %"),
        right("by chance"),
    ];
    let mut table = Table::new(&columns);
    for (name, of) in &found.detection {
        let range = |low: f64, high: f64| format!("{low:.3} to {high:.3}");
        let chance = of.anomalies as f64 / (of.anomalies + of.normal) as f64;
        table.row([
            (*name).to_string(),
            format!("{:.3}", of.auroc.value),
            range(of.auroc.low, of.auroc.high),
            format!("{:.3}", of.average_precision.value),
            range(of.average_precision.low, of.average_precision.high),
            format!("{chance:.3}"),
        ]);
    }
    table
}

fn top(found: &Scored) -> Table {
    let named: Vec<&String> = found.top[0].ids.keys().collect();
    let has_labels = found.top.iter().any(|row| row.label.is_some());
    let has_columns = found.top.iter().any(|row| !row.columns.is_empty());
    let mut heads = vec![("strangest row", Align::Right)];
    heads.extend(named.iter().map(|name| (name.as_str(), Align::Left)));
    heads.extend(has_labels.then_some(("label", Align::Left)));
    heads.extend([("score", Align::Right), ("p-value", Align::Right)]);
    heads.extend(has_columns.then_some(("odd columns, nats beyond the usual", Align::Left)));
    let mut table = Table::new(&heads);
    for row in &found.top {
        let mut cells = vec![row.row.to_string()];
        cells.extend(row.ids.values().cloned());
        cells.extend(has_labels.then(|| row.label.clone().unwrap_or_default()));
        cells.push(significant(row.score, 5));
        cells.push(row.p_value.map_or("-".to_string(), |p| format!("{p:.4}")));
        let of_column = |(name, nats): &(String, f64)| format!("{name} {nats:.1}");
        cells.extend(has_columns.then(|| row.columns.iter().map(of_column).collect::<Vec<_>>().join(", ")));
        table.row(cells);
    }
    table
}
