//! `elbo bench`.

use std::io::IsTerminal;
use std::process::Command;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use super::args::{BenchArgs, BenchStep};
use super::profile::workload;
use crate::apps::bench::{
    Comparison, PieceTiming, Report, StepFigures, Timing, measure_ceilings, measure_kernels, measure_pieces,
    measure_start, measure_step, run_start,
};
use crate::apps::open_tuned;
use crate::error::{Error, Result};

mod reduction;
mod tables;

/// What is measured without `--step` and `--batch`: overheads show in the first, arithmetic in the last.
const GRID: [(BenchStep, u64); 4] =
    [(BenchStep::Classic, 128), (BenchStep::Classic, 1024), (BenchStep::Wide, 128), (BenchStep::Wide, 1000)];

/// Measures how fast training is.
pub fn run(args: &BenchArgs) -> Result<()> {
    if args.reduction {
        return reduction::run(args);
    }
    let cells = cells(args);
    if args.first_step {
        let (step, batch) = cells[0];
        let open = || open_tuned(&args.device);
        return run_start(&workload(step), batch as usize, open, &mut std::io::stdout().lock());
    }
    let earlier = args.compare.as_deref().map(Report::load).transpose()?;
    let mut report = None;
    let progress = |what: &str| {
        if !args.json && std::io::stderr().is_terminal() {
            eprintln!("Measuring {what}");
        }
    };
    if args.kernels {
        let mut executor = open_tuned(&args.device)?;
        let report = report.get_or_insert_with(|| started(args, executor.describe()));
        progress("kernels");
        let ceilings = measure_ceilings(&mut *executor)?;
        report.kernels = measure_kernels(&mut *executor, &ceilings)?;
        report.ceilings = Some(ceilings);
    }
    let round = Duration::from_secs_f64(args.seconds);
    if args.pieces {
        for &(step, batch) in &cells {
            let mut open = || open_tuned(&args.device);
            if report.is_none() {
                report = Some(started(args, open()?.describe()));
            }
            let timing = PieceTiming { rounds: 5, round };
            let mut told = |what: &str| progress(&format!("{}, batch {batch}: {what}", workload(step).name));
            let found = measure_pieces(&workload(step), batch as usize, &mut open, timing, &mut told)?;
            report.iter_mut().for_each(|report| report.pieces.extend(found.iter().cloned()));
        }
    }
    for (i, &(step, batch)) in cells.iter().enumerate().filter(|_| !args.pieces) {
        let asked = Instant::now();
        let executor = open_tuned(&args.device)?;
        let report = report.get_or_insert_with(|| started(args, executor.describe()));
        progress(&format!("{}, batch {batch} ({} of {})", workload(step).name, i + 1, cells.len()));
        let timing = Timing { rounds: 5, round, growth: args.growth.unwrap_or(0) };
        let mut figures = measure_step(&workload(step), batch as usize, executor, timing, asked)?;
        add_starts(&mut figures, args, step)?;
        report.steps.push(figures);
    }
    let Some(mut report) = report else { return Ok(()) };
    report.comparison = earlier.map(|earlier| Comparison::new(&report, &earlier));
    if args.json {
        println!("{}", serde_json::to_string(&report).map_err(Error::invalid)?);
    } else {
        tables::print(&report);
    }
    Ok(())
}

/// An empty report; its first words go to people at once.
fn started(args: &BenchArgs, device: String) -> Report {
    if !args.json {
        println!("Device: {device}");
    }
    Report::new(device)
}

/// The steps and batches to measure: those asked for, in all combinations; the whole grid where nothing was.
fn cells(args: &BenchArgs) -> Vec<(BenchStep, u64)> {
    if args.step.is_empty() && args.batch.is_empty() && args.growth.is_none() && !args.pieces {
        return if args.kernels { vec![] } else { GRID.to_vec() };
    }
    let steps = if args.step.is_empty() { &[BenchStep::Classic][..] } else { &args.step };
    let batches = if args.batch.is_empty() { &[128][..] } else { &args.batch };
    let mut cells: Vec<(BenchStep, u64)> = Vec::new();
    for cell in steps.iter().flat_map(|&step| batches.iter().map(move |&batch| (step, batch))) {
        if !cells.contains(&cell) {
            cells.push(cell);
        }
    }
    cells
}

/// A step as it is typed.
fn name(step: BenchStep) -> String {
    step.to_possible_value().map_or(String::new(), |value| value.get_name().to_string())
}

/// Adds what processes of their own measure.
fn add_starts(figures: &mut StepFigures, args: &BenchArgs, step: BenchStep) -> Result<()> {
    let command = || -> Result<Command> {
        let program = std::env::current_exe().map_err(|e| Error::invalid(format!("cannot find this program: {e}")))?;
        let mut command = Command::new(program);
        let name = name(step);
        let (device, batch) = (args.device.to_string(), figures.batch.to_string());
        command.args(["bench", "--first-step", "--device", &device, "--step", &name, "--batch", &batch]);
        Ok(command)
    };
    let (start, memory) = measure_start(command)?;
    (figures.start, figures.memory) = (Some(start), Some(memory));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::args::{Command, command as definition};
    use super::*;
    use clap::FromArgMatches;

    fn of(line: &str) -> Vec<(BenchStep, u64)> {
        let words = ["elbo", "bench"].into_iter().chain(line.split_whitespace());
        let matches = definition().try_get_matches_from(words).unwrap();
        let cli = super::super::args::Cli::from_arg_matches(&matches).unwrap();
        let Some(Command::Bench(args)) = cli.command else { panic!("not bench") };
        cells(&args)
    }

    #[test]
    fn the_grid_and_its_parts() {
        use BenchStep::{Classic, Wide};
        assert_eq!(of(""), GRID);
        assert_eq!(of("--json"), GRID);
        assert_eq!(of("--kernels"), []);
        assert_eq!(of("--step wide"), [(Wide, 128)]);
        assert_eq!(of("--batch 7 --kernels"), [(Classic, 7)]);
        assert_eq!(of("--growth 10"), [(Classic, 128)]);
        assert_eq!(of("--pieces"), [(Classic, 128)]);
        assert_eq!(of("--pieces --batch 7"), [(Classic, 7)]);
        assert_eq!(of("--batch 1,2,1 --step wide,classic"), [(Wide, 1), (Wide, 2), (Classic, 1), (Classic, 2)]);
        assert_eq!(of("--batch 1 --batch 2"), [(Classic, 1), (Classic, 2)]);
    }
}
