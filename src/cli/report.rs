//! `elbo report`.

use super::args::ReportArgs;
use super::style::bytes;
use super::uses::open;
use crate::error::Result;

/// Writes the page that says all of a run.
pub fn run(args: &ReportArgs) -> Result<()> {
    let common = &args.common;
    let mut saved = open(common)?;
    let found = saved.report_to(args.data.as_deref(), args.out.as_deref(), common.force, common.seed)?;
    if common.json {
        println!("{}", serde_json::json!(found));
        return Ok(());
    }
    println!("A report of {} in {}: open it in any browser", bytes(found.bytes as u64), found.out.display());
    for note in &found.notes {
        println!("{note}");
    }
    Ok(())
}
