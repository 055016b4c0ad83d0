//! `elbo models`.

use super::args::ModelsArgs;
use super::style::{Align, Table};
use crate::apps::all_pieces;
use crate::catalogue::{About, Kind};
use crate::data::Shape;
use crate::error::{Error, Result};
use crate::models::{ARCHITECTURES, Capability, ModelConfig, RowForm};

/// Lists what models can be made of, or explains one piece.
pub fn run(args: &ModelsArgs) -> Result<()> {
    let chosen = match &args.name {
        None => all_pieces(),
        Some(name) => named(name)?,
    };
    if args.json {
        println!("{}", serde_json::to_string(&chosen).map_err(Error::invalid)?);
        return Ok(());
    }
    match args.name {
        Some(_) => chosen.iter().for_each(|about| explain(about)),
        None => {
            list(&chosen);
            println!("\nWhat each model can do, as it is usually put together:\n\n{}", abilities()?);
            println!("One by itself, with its formula, source and settings: elbo models NAME");
        }
    }
    Ok(())
}

/// The pieces of a name: rarely, one name means pieces of two kinds.
fn named(name: &str) -> Result<Vec<&'static About>> {
    let all = all_pieces();
    let id = name.split(':').next().unwrap_or(name);
    let found: Vec<_> = all.iter().copied().filter(|a| a.id == id || a.aliases.contains(&id)).collect();
    if found.is_empty() {
        return Err(Error::invalid(format!("nothing is named `{name}`: `elbo models` lists what there is")));
    }
    Ok(found)
}

fn list(pieces: &[&About]) {
    for kind in Kind::ALL {
        let mut table = Table::new(&[(&format!("--{}", kind.key()), Align::Left), ("what it is", Align::Left)]);
        for about in pieces.iter().filter(|about| about.kind == kind) {
            table.row([about.id, about.name]);
        }
        println!("{table}");
    }
}

/// The models and what they can do.
fn abilities() -> Result<Table> {
    let mut columns = vec![("", Align::Left)];
    columns.extend(Capability::ALL.map(|capability| (capability.name(), Align::Left)));
    let mut table = Table::new(&columns);
    for &kind in ARCHITECTURES {
        let config = ModelConfig { kind: kind.into(), ..ModelConfig::default() };
        // What it can do does not hang on the sizes of rows. Pictures, since some models are of nothing else.
        let rows = Shape { height: 32, width: 32, channels: 1 };
        let model = (kind.build)(&config, RowForm { schema: &rows.into(), condition: 2 })?;
        let mut row = vec![kind.to_string()];
        row.extend(Capability::ALL.map(|c| if model.can().has(c) { "yes" } else { "-" }.to_string()));
        table.row(row);
    }
    Ok(table)
}

fn explain(about: &About) {
    println!("{} (--{})\n", about.id, about.kind.key());
    println!("  {}", about.name);
    println!("  formula  {}", about.formula);
    println!("  source   {}", about.source);
    if !about.aliases.is_empty() {
        println!("  also     {}", about.aliases.join(", "));
    }
    println!("  example  {}\n", about.example);
    if about.settings.is_empty() {
        return;
    }
    let columns =
        [("setting", Align::Left), ("usual", Align::Right), ("may be", Align::Left), ("meaning", Align::Left)];
    let mut table = Table::new(&columns);
    for s in about.settings {
        table.row([s.name.to_string(), s.default.to_string(), s.bounds.to_string(), s.meaning.to_string()]);
    }
    println!("{table}");
}
