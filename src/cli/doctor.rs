//! `elbo doctor`.

use super::args::DoctorArgs;
use super::style::{Align, Paint, Table};
use crate::apps::doctor::Trial;
use crate::apps::open_gpu;
use crate::config::DeviceChoice;
use crate::cpu::Cpu;
use crate::error::{Error, Result};
use crate::gpu::{Gpu, adapters};
use crate::kernels::table::{Row, TABLE, variants};
use crate::program::Executor;

/// Runs every kernel on a device against its CPU reference.
pub fn run(args: &DoctorArgs) -> Result<()> {
    let Some(mut gpu) = open_gpu(args.device.as_ref().unwrap_or(&DeviceChoice::Auto))? else {
        println!("Device: {}", Cpu::new().describe());
        println!("\nTraining works here without a GPU; there is nothing to hold the CPU executor against.");
        return advise();
    };
    println!("Device: {}\n", gpu.describe());
    let paint = Paint::stdout();
    let columns =
        [("kernel", Align::Left), ("cases", Align::Right), ("largest error", Align::Right), ("", Align::Left)];
    let mut table = Table::new(&columns);
    let mut failures = Vec::new();
    for row in TABLE {
        let (cases, worst, wrong) = examine(row, &mut gpu)?;
        let verdict = if wrong.is_empty() { paint.good("ok") } else { paint.bad("wrong") };
        table.row([row.name.to_string(), cases.to_string(), format!("{worst:.1e}"), verdict]);
        failures.extend(wrong);
    }
    print!("{table}");
    if failures.is_empty() {
        println!("\nEvery kernel agrees with its reference, and wrote nothing where it should not.");
        return Ok(());
    }
    Err(Error::Device(format!(
        "{} of the device's results are wrong:\n  {}\nUpdate the driver first. If that does not help, train with --device cpu, \
         and report this output with that of `elbo devices`",
        failures.len(),
        failures.join("\n  ")
    )))
}

/// Cases tried, the largest scaled error, and what is wrong.
fn examine(row: &Row, gpu: &mut Gpu) -> Result<(usize, f64, Vec<String>)> {
    let cases = (row.cases)();
    let (mut worst, mut wrong) = (0.0_f64, Vec::new());
    for (seed, case) in cases.iter().enumerate() {
        let trial = Trial::new(case, seed as u64, &mut Cpu::new())?;
        let chosen = &variants(&case.kernel, &gpu.traits())[0];
        let report = trial.run(chosen, gpu)?;
        worst = worst.max(report.worst);
        wrong.extend(report.failure.map(|failure| format!("{} {}: {failure}", row.name, case.label)));
    }
    Ok((cases.len(), worst, wrong))
}

/// What to do where there is no GPU to examine.
fn advise() -> Result<()> {
    match adapters().first() {
        Some(adapter) => println!(
            "Found, but used only when asked for: {} ({}). Examine it with: elbo doctor --device {}",
            adapter.name(),
            adapter.kind(),
            adapter.index
        ),
        None => println!("If this machine has a GPU, install its driver (Vulkan on Linux, Metal comes with macOS)."),
    }
    Ok(())
}
