//! `elbo profile`.

use super::args::{BenchStep, ProfileArgs};
use super::style::{Align, Table, with_prefix};
use crate::apps::bench::{Workload, profile_step};
use crate::apps::open_tuned;
use crate::error::Result;

/// The workload of a name.
pub(super) fn workload(step: BenchStep) -> Workload {
    match step {
        BenchStep::Classic => Workload::CLASSIC,
        BenchStep::Wide => Workload::WIDE,
    }
}

/// Shows where the time of one step goes.
pub fn run(args: &ProfileArgs) -> Result<()> {
    let executor = open_tuned(&args.device)?;
    println!("Device: {}", executor.describe());
    let figures = profile_step(&workload(args.step), args.batch as usize, executor, 21)?;
    let total: f64 = figures.iter().map(|f| f.seconds).sum();
    let columns = [
        ("kernel", Align::Left),
        ("time", Align::Right),
        ("share", Align::Right),
        ("arithmetic", Align::Right),
        ("memory", Align::Right),
        ("computes", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for f in &figures {
        table.row([
            f.kernel.clone(),
            format!("{:.1} us", 1e6 * f.seconds),
            format!("{:.1} %", 100.0 * f.seconds / total),
            with_prefix(f.cost.flops / f.seconds, "FLOP/s"),
            with_prefix((f.cost.bytes_read + f.cost.bytes_written) / f.seconds, "B/s"),
            f.label.clone(),
        ]);
    }
    println!("\n{table}");
    println!("{} calls, {:.2} ms when kept apart. Each time is the median of 21 steps.", figures.len(), 1e3 * total);
    Ok(())
}
