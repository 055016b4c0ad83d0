//! `elbo data`.

use super::args::{LookArgs, data_config};
use super::style::{Align, Table, bytes, count, printable};
use crate::apps::{DataSummary, PartSummary, save_contact_sheet};
use crate::data::schema::Role;
use crate::data::{self, ColumnGuess, Keep, Output, PICTURES, Source};
use crate::error::{Error, Result};

/// Columns that sentences are filled into.
const WIDTH: usize = 100;

/// Classes that are listed; of more, only the number is said.
const MOST_CLASSES: usize = 100;

/// Says what data is.
pub fn run(args: &LookArgs) -> Result<()> {
    let config = data_config(args)?;
    let source = config.data.parsed_source();
    let inputs = if let Source::Path(path) = &source { vec![path.clone()] } else { vec![] };
    let keep = Keep { run: None, inputs, force: args.force };
    let out = args.out.as_ref().map(|out| Output::new(out, PICTURES, &keep)).transpose()?;
    let options = config.data.options(args.seed);
    let memory = options.memory.or(Some(crate::memory::total() / 2));
    let splits = data::open(&source, &data::Options { memory, ..options })?;
    let summary = DataSummary::of(&splits);
    if args.json {
        println!("{}", serde_json::to_string(&summary).map_err(Error::invalid)?);
    } else {
        print(&summary, splits.train.shape());
    }
    if let Some(out) = &out {
        save_contact_sheet(out.path(), &splits.train)?;
        if !args.json {
            println!("\nRows of it: {}", out.path().display());
        }
    }
    Ok(())
}

fn print(summary: &DataSummary, shape: data::Shape) {
    println!("Data:   {}", printable(&summary.name));
    println!("        {}", printable(&summary.format));
    let each = if shape.is_picture() { shape.to_string() } else { format!("{shape} numbers each") };
    println!("Rows:   {each}, {}, {} in all", summary.storage, bytes(summary.bytes as u64));
    if !summary.factors.is_empty() {
        let factors: Vec<String> = summary.factors.iter().map(|f| format!("{} {}", f.name, f.values)).collect();
        println!("        made from the factors {}", factors.join(", "));
    }
    if summary.observed < 1.0 {
        println!("        {:.1} % of the values are missing", 100.0 * (1.0 - summary.observed));
    }
    print!("\n{}", table(summary));
    if summary.classes.len() > MOST_CLASSES {
        println!("{} classes", count(summary.classes.len() as u64));
    }
    if !summary.columns.is_empty() {
        print!("\n{}", columns(&summary.columns));
        println!(
            "\nTo take a column for something else: --column NAME=KIND, --label NAME, --condition-on NAME,\n--factors NAME, --split NAME, --weight NAME, --ignore NAME."
        );
    }
    let skipped: Vec<String> = summary.skipped.iter().map(ToString::to_string).collect();
    for (title, sentences) in
        [("Decided here", &summary.guesses), ("Left out", &skipped), ("Warnings", &summary.warnings)]
    {
        if !sentences.is_empty() {
            println!("\n{title}:");
        }
        for sentence in sentences {
            let filled = textwrap::Options::new(WIDTH).initial_indent("  - ").subsequent_indent("    ");
            println!("{}", textwrap::fill(&printable(sentence), filled));
        }
    }
}

/// What the columns of a table were taken for.
fn columns(guesses: &[ColumnGuess]) -> Table {
    let columns =
        [("column", Align::Left), ("taken for", Align::Left), ("missing", Align::Right), ("because", Align::Left)];
    let mut table = Table::new(&columns);
    for guess in guesses {
        let taken = match guess.role {
            Role::Input => guess.kind.as_str(),
            Role::Label => "label",
            Role::Condition => "told to the model",
            Role::Factor => "factor",
            Role::Split => "training, validation or test",
            Role::Weight => "weight of each row",
            Role::Identity => "identity, not learnt",
            Role::Ignored => "left out",
        };
        table.row([guess.name.clone(), taken.to_owned(), count(guess.missing as u64), guess.why.clone()]);
    }
    table
}

/// A row for all rows and one for each class, a column for each part.
fn table(summary: &DataSummary) -> Table {
    let parts: Vec<String> = summary.parts.iter().map(|part| part.part.to_string()).collect();
    let columns = parts.iter().map(|part| (part.as_str(), Align::Right));
    let mut table = Table::new(&[("", Align::Left)].into_iter().chain(columns).collect::<Vec<_>>());
    let rows = summary.parts.iter().map(|part| count(part.rows as u64));
    table.row(["rows".to_owned()].into_iter().chain(rows));
    if summary.classes.len() <= MOST_CLASSES {
        for (class, name) in summary.classes.iter().enumerate() {
            let of = |part: &PartSummary| part.of_class.as_ref().map_or("?".into(), |all| count(all[class] as u64));
            table.row([format!("  {name}")].into_iter().chain(summary.parts.iter().map(of)));
        }
    }
    table
}
