//! `elbo latent`.

use super::args::LatentArgs;
use super::style::{Align, Table, count, printable, significant};
use super::uses::{check_out, open, print_json};
use crate::apps::{LatentOut, LatentReport, Mapped, Mapping, Related};
use crate::error::Result;

/// What is said of a dimension, at most so much.
const CORRELATIONS: usize = 3;

/// Says what codes mean.
pub fn run(args: &LatentArgs) -> Result<()> {
    let mut saved = open(&args.common)?;
    if let Some(out) = &args.out {
        check_out(&saved, (&args.common.run, args.common.force), out, args.data.as_deref())?;
    }
    let near = args.row.map(|row| (row, args.neighbours as usize));
    let out = args.out.as_deref().map(|out| match args.map {
        Some(kind) => LatentOut::Map(Mapping { kind, most: args.map_rows as usize, seed: args.common.seed }, out),
        None => LatentOut::Dimensions(out),
    });
    let found = saved.latent_report(args.data.as_deref(), near, out)?;
    if args.common.json {
        return print_json(&found, &args.out);
    }
    let (rows, of) = (count(found.rows as u64), found.dimensions.len());
    println!(
        "Codes of {rows} rows of {}: {} of {of} dimensions are in use\n",
        printable(&found.data),
        found.active_units
    );
    print!("{}", dimensions(&found));
    if let Some(row) = args.row.filter(|_| !found.neighbours.is_empty()) {
        print!("\n{}", neighbours(&found, row));
    }
    if let Some((kind, Mapped { rows, of })) = args.map.zip(found.map) {
        println!("\nOn the map, by {kind}: {} of {} rows", count(rows as u64), count(of as u64));
    }
    if let Some(out) = &args.out {
        println!("\nWritten: {}", out.display());
    }
    Ok(())
}

fn dimensions(found: &LatentReport) -> Table {
    let right = |name| (name, Align::Right);
    let mut heads = vec![right("dimension"), right("KL, nats"), right("mean"), right("spread")];
    let has_more = found.dimensions.iter().any(|dimension| !dimension.correlations.is_empty());
    heads.extend(has_more.then_some(("goes with", Align::Left)));
    let mut table = Table::new(&heads);
    for dimension in &found.dimensions {
        let of = &dimension.of;
        let mut cells = vec![of.dimension.to_string(), of.kl.map_or("-".to_string(), |kl| format!("{kl:.3}"))];
        cells.extend([of.mean, of.spread].map(|value| format!("{value:.3}")));
        cells.extend(has_more.then(|| strongest(dimension)));
        table.row(cells);
    }
    table
}

fn strongest(dimension: &Related) -> String {
    let mut all: Vec<(&String, f64)> = dimension.correlations.iter().map(|(name, value)| (name, *value)).collect();
    all.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    all.truncate(CORRELATIONS);
    all.into_iter().map(|(name, value)| format!("{name} {value:+.2}")).collect::<Vec<_>>().join(", ")
}

fn neighbours(found: &LatentReport, row: usize) -> Table {
    let first = format!("near row {row}");
    let has_labels = found.neighbours.iter().any(|neighbour| neighbour.label.is_some());
    let mut heads = vec![(first.as_str(), Align::Right), ("distance", Align::Right)];
    heads.extend(has_labels.then_some(("label", Align::Left)));
    let mut table = Table::new(&heads);
    for neighbour in &found.neighbours {
        let mut cells = vec![neighbour.row.to_string(), significant(neighbour.distance, 3)];
        cells.extend(has_labels.then(|| neighbour.label.clone().unwrap_or_default()));
        table.row(cells);
    }
    table
}
