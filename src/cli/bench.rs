//! `elbo bench`.

use std::time::{Duration, Instant};

use super::args::BenchArgs;
use super::profile::workload;
use super::style::{Align, Table, bytes, count, with_prefix};
use crate::apps::bench::{Report, StepFigures, measure_ceilings, measure_kernels, measure_step};
use crate::apps::open_device;
use crate::error::{Error, Result};

/// Measures how fast training is.
pub fn run(args: &BenchArgs) -> Result<()> {
    let earlier = args.compare.as_deref().map(Report::load).transpose()?;
    let started = Instant::now();
    let mut executor = open_device(&args.device)?;
    let mut report = Report {
        version: env!("CARGO_PKG_VERSION").to_string(),
        device: executor.describe(),
        steps: vec![],
        ceilings: None,
        kernels: vec![],
    };
    if !args.json {
        println!("Device: {}", report.device);
    }
    if args.kernels {
        let ceilings = measure_ceilings(&mut *executor)?;
        report.ceilings = Some(ceilings);
        report.kernels = measure_kernels(&mut *executor, ceilings)?;
    } else {
        let rounds = (5, Duration::from_secs(1));
        report.steps.push(measure_step(&workload(args.step), args.batch as usize, executor, rounds, started)?);
    }
    if args.json {
        println!("{}", serde_json::to_string(&report).map_err(Error::invalid)?);
        return Ok(());
    }
    print_kernels(&report);
    report.steps.iter().for_each(print_step);
    for change in earlier.iter().flat_map(|earlier| report.changes_since(earlier)) {
        let [then, now] = change.rates;
        let doubt = if change.overlap { "; the spreads overlap, so this may be noise" } else { "" };
        println!(
            "\n{}: {:.2} times the earlier run's {} samples/s{doubt}",
            change.step,
            now / then,
            count(then as u64)
        );
    }
    Ok(())
}

fn print_step(figures: &StepFigures) {
    let mut table = Table::new(&[("", Align::Left), ("", Align::Right)]);
    let [low, high] = figures.spread.map(|rate| count(rate as u64));
    table.row(["samples per second".to_string(), count(figures.samples_per_second as u64)]);
    table.row(["slowest and fastest of five rounds".to_string(), format!("{low} to {high}")]);
    table.row(["kernel calls per step".to_string(), figures.dispatches.to_string()]);
    table.row(["host time per step".to_string(), format!("{:.1} us", figures.host_microseconds_per_step)]);
    table.row(["start to end of the first step".to_string(), format!("{:.2} s", figures.first_step_seconds)]);
    table.row(["memory of all buffers".to_string(), bytes(figures.bytes)]);
    println!("\n{}, batch {}\n{table}", figures.step, figures.batch);
}

fn print_kernels(report: &Report) {
    let Some(ceilings) = report.ceilings else { return };
    println!(
        "Ceilings: {} in registers, {} in a copy of 64 MiB\n",
        with_prefix(ceilings.flops, "FLOP/s"),
        with_prefix(ceilings.bytes, "B/s")
    );
    let columns = [
        ("kernel", Align::Left),
        ("case", Align::Left),
        ("time", Align::Right),
        ("arithmetic", Align::Right),
        ("share", Align::Right),
        ("memory", Align::Right),
        ("share", Align::Right),
    ];
    let mut table = Table::new(&columns);
    for k in &report.kernels {
        table.row([
            k.kernel.clone(),
            k.case.clone(),
            format!("{:.1} us", 1e6 * k.seconds),
            with_prefix(k.flops, "FLOP/s"),
            format!("{:.1} %", 100.0 * k.flops_share),
            with_prefix(k.bytes, "B/s"),
            format!("{:.1} %", 100.0 * k.bytes_share),
        ]);
    }
    println!("{table}");
}
