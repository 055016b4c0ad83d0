//! `elbo bench`.

use std::time::{Duration, Instant};

use super::args::BenchArgs;
use super::profile::workload;
use super::style::count;
use crate::apps::bench::measure_step;
use crate::apps::open_device;
use crate::error::{Error, Result};

/// Measures how fast training is.
pub fn run(args: &BenchArgs) -> Result<()> {
    let started = Instant::now();
    let executor = open_device(&args.device)?;
    let device = executor.describe();
    let figures = measure_step(&workload(args.step), args.batch as usize, executor, (5, Duration::from_secs(1)), started)?;
    if args.json {
        let report = serde_json::json!({ "device": device, "steps": [figures], "kernels": [] });
        println!("{}", serde_json::to_string(&report).map_err(Error::invalid)?);
        return Ok(());
    }
    println!("Device: {device}");
    println!(
        "{}, batch {}: {} samples/s ({} to {}), {} calls a step, {:.1} us of the host a step, first step after {:.2} s",
        figures.step,
        figures.batch,
        count(figures.samples_per_second as u64),
        count(figures.spread[0] as u64),
        count(figures.spread[1] as u64),
        figures.dispatches,
        figures.host_microseconds_per_step,
        figures.first_step_seconds
    );
    Ok(())
}
