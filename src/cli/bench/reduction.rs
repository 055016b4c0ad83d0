//! `elbo bench --reduction`: what it costs to share steps among ranks.

use std::time::Duration;

use serde_json::json;

use super::super::args::BenchArgs;
use super::super::print;
use super::super::profile::workload;
use super::super::style::{Table, bytes, count, significant};
use super::tables::columns;
use super::{cells, name};
use crate::apps::bench::{SharedStep, SharedStepFigures, SumFigures, Timing, measure_sums};
use crate::apps::open_in_turn;
use crate::error::{Error, Result};
use crate::training::Ranks;

/// Rounds of which the median is given.
const ROUNDS: usize = 9;

/// Measures sums over the ranks that were started together, and steps that they share; of one process, its steps.
pub(super) fn run(args: &BenchArgs) -> Result<()> {
    let ranks = Ranks::join()?;
    if ranks.as_ref().is_some_and(|ranks| ranks.rank > 0) {
        print::silence();
    }
    let cells = cells(args);
    let sums = match &ranks {
        None => vec![],
        Some(ranks) => {
            let lines = cells.iter().map(|&(step, batch)| format!("{} with {batch} rows", name(step)));
            let steps = lines.collect::<Vec<_>>().join("\n");
            ranks.agree(&[("version", env!("CARGO_PKG_VERSION").to_string()), ("steps", steps)])?;
            measure_sums(&mut *ranks.reduction(), ROUNDS)?
        }
    };
    let (mut device, mut steps) = (String::new(), vec![]);
    for &(step, batch) in &cells {
        let opened = open_in_turn(&args.device, ranks.as_ref().map_or(0, |ranks| ranks.local)).and_then(|executor| {
            device = executor.describe();
            SharedStep::new(&workload(step), batch as usize, executor, ranks.as_ref().map(Ranks::share))
        });
        let timing = Timing { rounds: ROUNDS, round: Duration::from_secs_f64(args.seconds), growth: 0 };
        match &ranks {
            None => steps.push(opened?.measure(timing)?),
            Some(ranks) => {
                let shared = ranks.begin(opened)?;
                match ranks.rank {
                    0 => steps.push(shared.measure(timing)?),
                    _ => shared.follow()?,
                }
            }
        }
    }
    let count = ranks.as_ref().map_or(1, |ranks| ranks.count);
    if args.json {
        let report = json!({ "device": device, "ranks": count, "sums": sums, "steps": steps });
        println!("{}", serde_json::to_string(&report).map_err(Error::invalid)?);
        return Ok(());
    }
    println!("Device: {device}\nRanks:  {count}");
    if !sums.is_empty() {
        println!("\n{}", of_sums(&sums));
    }
    println!("\n{}", of_steps(&steps));
    Ok(())
}

fn microseconds(seconds: f64) -> String {
    significant(1e6 * seconds, 3)
}

fn of_sums(sums: &[SumFigures]) -> Table {
    let mut table = Table::new(&columns(&["a sum of", "microseconds", "fastest", "slowest", "bytes/us"]));
    for sum in sums {
        let [fastest, slowest] = sum.spread.map(microseconds);
        let rate = significant(1e-6 * sum.bytes as f64 / sum.seconds, 3);
        table.row([bytes(sum.bytes as u64), microseconds(sum.seconds), fastest, slowest, rate]);
    }
    table
}

fn of_steps(steps: &[SharedStepFigures]) -> Table {
    let names = ["step", "batch", "samples/s", "slowest", "fastest", "us a step", "gradient", "in sums"];
    let mut table = Table::new(&columns(&names));
    for step in steps {
        let [slowest, fastest] = step.spread.map(|rate| count(rate as u64));
        table.row([
            step.step.clone(),
            step.batch.to_string(),
            count(step.samples_per_second as u64),
            slowest,
            fastest,
            microseconds(step.batch as f64 / step.samples_per_second),
            bytes(step.gradient_bytes as u64),
            format!("{:.1} %", 100.0 * step.share_in_sums),
        ]);
    }
    table
}
