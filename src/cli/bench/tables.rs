//! What `elbo bench` prints for people.

use std::time::Duration;

use crate::apps::bench::{Change, PieceFigures, Report, StepFigures};
use crate::cli::style::{Align, Table, bytes, count, duration, with_prefix};

/// All tables of a report.
pub fn print(report: &Report) {
    kernels(report);
    if !report.steps.is_empty() {
        speed(&report.steps);
        costs(&report.steps);
        growth(&report.steps);
    }
    if !report.pieces.is_empty() {
        pieces(&report.pieces);
    }
    comparison(report);
}

/// A number, or a dash where it was not measured.
fn or_dash<T>(value: Option<T>, text: impl FnOnce(T) -> String) -> String {
    value.map_or("-".to_string(), text)
}

fn per_step(number: f64) -> String {
    if number == 0.0 || number >= 9.995 { format!("{number:.0}") } else { format!("{number:.2}") }
}

fn seconds(time: f64) -> String {
    duration(Duration::try_from_secs_f64(time).unwrap_or_default())
}

/// The columns of a table, all but the first being numbers.
pub(super) fn columns<'a>(names: &[&'a str]) -> Vec<(&'a str, Align)> {
    let side = |i: usize| if i == 0 { Align::Left } else { Align::Right };
    names.iter().enumerate().map(|(i, &name)| (name, side(i))).collect()
}

fn speed(steps: &[StepFigures]) {
    let names = ["step", "batch", "samples/s", "slowest", "fastest", "cold start", "warm start", "loss penalty"];
    let mut table = Table::new(&columns(&names));
    for f in steps {
        let [low, high] = f.spread.map(|rate| count(rate as u64));
        table.row([
            f.step.clone(),
            f.batch.to_string(),
            count(f.samples_per_second as u64),
            low,
            high,
            or_dash(f.start, |s| seconds(s.cold_seconds)),
            or_dash(f.start, |s| seconds(s.warm_seconds)),
            or_dash(f.loss_every_step_penalty, |penalty| format!("{penalty:.2}")),
        ]);
    }
    println!("\n{table}");
}

fn costs(steps: &[StepFigures]) {
    let names = ["step", "batch", "calls", "host", "a call", "heap", "made", "waits", "memory", "used"];
    let mut table = Table::new(&columns(&names));
    for f in steps {
        let made = |s: crate::apps::bench::SteadyFigures| {
            per_step(s.buffers_per_step + s.bind_groups_per_step + s.pipelines_per_step)
        };
        table.row([
            f.step.clone(),
            f.batch.to_string(),
            f.dispatches.to_string(),
            seconds(1e-6 * f.host_microseconds_per_step),
            seconds(1e-6 * f.host_microseconds_per_dispatch),
            or_dash(f.steady.and_then(|s| s.allocations_per_step), per_step),
            or_dash(f.steady, made),
            or_dash(f.steady, |s| per_step(s.waits_per_step)),
            or_dash(f.memory, |m| bytes(m.predicted)),
            or_dash(f.memory.and_then(|m| m.ratio()), |ratio| format!("{:.0} %", 100.0 * ratio)),
        ]);
    }
    println!("{table}");
    println!("`elbo help bench` says what each figure means.");
}

fn growth(steps: &[StepFigures]) {
    for f in steps {
        let Some(growth) = f.growth else { continue };
        let change = |[before, after]: [u64; 2]| format!("{} -> {}", bytes(before), bytes(after));
        println!(
            "\n{}, batch {}: {} steps in {}; process {}, device {}, {} objects made",
            f.step,
            f.batch,
            count(growth.steps),
            seconds(growth.seconds),
            or_dash(growth.process, change),
            or_dash(growth.device, change),
            growth.objects
        );
    }
}

fn pieces(all: &[PieceFigures]) {
    for same in all.chunk_by(|a, b| (&a.step, a.batch) == (&b.step, b.batch)) {
        println!("\n{}, batch {}, one part exchanged:\n", same[0].step, same[0].batch);
        let mut columns = columns(&["part", "piece", "calls", "samples/s", "cost", "least", "most", "waits"]);
        columns[1].1 = Align::Left;
        let mut table = Table::new(&columns);
        for f in same {
            let [cost, least, most] = [f.cost, f.cost_spread[0], f.cost_spread[1]].map(|ratio| format!("{ratio:.2}"));
            table.row([
                f.kind.clone(),
                f.piece.clone(),
                f.dispatches.to_string(),
                count(f.samples_per_second as u64),
                cost,
                least,
                most,
                per_step(f.waits_per_step),
            ]);
        }
        println!("{table}");
        for f in same.iter().filter(|f| !f.beside.is_empty()) {
            let beside: Vec<String> = f.beside.iter().map(|[kind, piece]| format!("the {kind} {piece}")).collect();
            println!("The {} {} stands beside {}.", f.kind, f.piece, beside.join(" and "));
        }
    }
    println!("`elbo help bench` says what each figure means.");
}

fn kernels(report: &Report) {
    let Some(ceilings) = &report.ceilings else { return };
    println!("Ceilings: {} in registers", with_prefix(ceilings.flops, "op/s"));
    if let Some(divisions) = ceilings.divisions {
        println!("          {} in registers", with_prefix(divisions, "divisions/s"));
    }
    for (size, rate) in &ceilings.memory {
        println!("          {} in buffers of {} KiB", with_prefix(*rate, "B/s"), count(size >> 10));
    }
    println!();
    let divides = ceilings.divisions.is_some();
    let mut heads = vec!["kernel", "case", "time", "arithmetic", "of peak"];
    heads.extend(divides.then_some("divisions"));
    heads.extend(["memory", "of peak", "of its bound"]);
    let mut columns = columns(&heads);
    columns[1].1 = Align::Left;
    let mut table = Table::new(&columns);
    let share = |of: f64| format!("{:.1} %", 100.0 * of);
    for k in &report.kernels {
        let mut cells = vec![k.kernel.clone(), k.case.clone(), seconds(k.seconds)];
        cells.extend([with_prefix(k.flops, "op/s"), share(k.flops_share)]);
        cells.extend(divides.then(|| share(k.divisions_share)));
        cells.extend([with_prefix(k.bytes, "B/s"), share(k.bytes_share), share(k.share())]);
        table.row(cells);
    }
    println!("{table}");
    if report.kernels.iter().any(|k| k.exceeds_its_ceiling()) {
        println!(
            "\nBeware: a kernel exceeds its ceiling: something else ran while that was measured, or the ceiling is wrong. Measure again."
        );
    }
}

fn comparison(report: &Report) {
    let Some(comparison) = &report.comparison else { return };
    println!("\nBeside the earlier run, times as fast:\n");
    let mut table = Table::new(&columns(&["what", "ratio", "worst", "best", ""]));
    for change in comparison.steps.iter().chain(&comparison.pieces).chain(&comparison.kernels) {
        let Change { what, ratio, range: [low, high] } = change;
        let doubt = if change.may_be_noise() { "may be noise" } else { "" };
        table.row([what.clone(), format!("{ratio:.2}"), format!("{low:.2}"), format!("{high:.2}"), doubt.to_string()]);
    }
    if !(comparison.steps.is_empty() && comparison.pieces.is_empty() && comparison.kernels.is_empty()) {
        println!("{table}");
    }
    for warning in &comparison.warnings {
        println!("Beware: {warning}");
    }
}
