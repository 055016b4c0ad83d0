//! `elbo augment`.

use serde_json::json;

use super::args::AugmentArgs;
use super::style::{Align, Table, count, printable};
use super::uses::{open, print_json};
use crate::apps::{Few, MeasuredGain};
use crate::data::Output;
use crate::error::Result;

/// Columns that sentences are filled into.
const WIDTH: usize = 100;

/// Makes new rows of each class, or measures whether they help.
pub fn run(args: &AugmentArgs) -> Result<()> {
    let mut saved = open(&args.common)?;
    let (per_class, seed) = (args.per_class as usize, args.common.seed);
    let mut keep = saved.keep(None, args.common.force);
    keep.inputs.extend(args.common.run.is_file().then(|| args.common.run.clone()));
    let out = args.out.as_deref().map(|out| Output::new(out, saved.augment_formats(), &keep)).transpose()?;
    let few =
        Few { per_class, labels: args.labels.map(|labels| labels as usize), repeats: args.repeats as usize, seed };
    let measured = args.measure.then(|| saved.measure_gain(few)).transpose()?;
    let written = out.as_ref().map(|out| saved.augment_to(per_class, out, seed)).transpose()?;
    if args.common.json {
        let (written, measured) = (json!(written), json!(measured));
        return print_json(&json!({ "written": written, "measured": measured }), &args.out);
    }
    if let Some(found) = &measured {
        say(found);
    }
    if let (Some(found), Some(out)) = (written, out) {
        println!(
            "{} new rows, {} of each of {} classes, in {}",
            count(found.rows as u64),
            count(found.per_class as u64),
            found.classes.len(),
            out.path().display()
        );
        println!("Codes: from {}", found.codes);
    }
    Ok(())
}

fn say(found: &MeasuredGain) {
    let labels = count(found.labels as u64);
    println!("Classifier: logistic regression on the values of rows, fitted {} times", found.repeats.len());
    println!("{}", textwrap::fill(&printable(&format!("The model has seen {}", found.seen)), WIDTH));
    println!("Codes of new rows: from {}\n", found.codes);
    let rows = format!("accuracy on {} rows ({})", count(found.rows as u64), found.split);
    let mut table = Table::new(&[(&rows, Align::Left), ("%", Align::Right), ("95 % interval", Align::Right)]);
    let percent = |share: f64| format!("{:.2}", 100.0 * share);
    for (name, of) in [
        (format!("{labels} labelled rows"), found.without),
        (format!("and {} new ones", count(found.new_rows as u64)), found.with),
        ("gain".to_owned(), found.gain),
    ] {
        table.row([name, percent(of.value), format!("{} to {}", percent(of.low), percent(of.high))]);
    }
    println!("{table}");
}
