//! `elbo export`.

use super::args::ExportArgs;
use super::style::bytes;
use super::uses::{check_out, open};
use crate::apps::Exporting;
use crate::error::Result;
use crate::spoken::count;

/// Writes a model for other hosts.
pub fn run(args: &ExportArgs) -> Result<()> {
    let common = &args.common;
    let mut saved = open(common)?;
    check_out(&saved, (&common.run, common.force), &args.to, args.data.as_deref())?;
    let wanted = Exporting {
        data: args.data.clone(),
        training: args.with_data.map(|rows| usize::try_from(rows).unwrap_or(usize::MAX)),
        epochs: args.epochs,
        seed: common.seed,
    };
    let found = saved.export_to(&args.to, &wanted, common.force)?;
    if common.json {
        println!("{}", serde_json::json!(found));
        return Ok(());
    }
    let is_page = found.out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("html"));
    let what = if is_page { "open it in a browser with WebGPU" } else { "programs as docs/program.md describes them" };
    println!(
        "{} in {}, of which {} are weights and rows: {what}",
        bytes(found.bytes as u64),
        found.out.display(),
        bytes(found.bytes_of_numbers as u64)
    );
    if found.steps > 0 {
        println!("Training can go on for {} steps over {} rows", count(found.steps as u64), count(found.rows as u64));
    }
    for note in &found.notes {
        println!("{note}");
    }
    Ok(())
}
