//! `elbo doctor`.

use std::time::Instant;

use super::args::DoctorArgs;
use super::style::{Align, Paint, Table};
use crate::apps::doctor::examine;
use crate::apps::{DeviceReport, open_gpu};
use crate::cpu::Cpu;
use crate::error::{Error, Result};
use crate::gpu::{Gpu, adapters};
use crate::kernels::table::TABLE;
use crate::program::Executor;

/// Runs every kernel on a device against its CPU reference.
pub fn run(args: &DoctorArgs) -> Result<()> {
    if let Some(path) = &args.report {
        DeviceReport::check(path)?;
    }
    let mut gpu = open_gpu(&args.device)?;
    let mut report = args.report.is_some().then(|| DeviceReport::new(gpu.as_ref()));
    let examined = match &mut gpu {
        Some(gpu) => examine_all(gpu, report.as_mut()),
        None => {
            println!("Device: {}", Cpu::new().describe());
            println!("\nTraining works here without a GPU; there is nothing to hold the CPU executor against.");
            advise()
        }
    };
    if let (Some(path), Some(mut report)) = (&args.report, report) {
        let is_whole = gpu.is_none() || report.kernels.len() == TABLE.len();
        report.stopped = examined.as_ref().err().filter(|_| !is_whole).map(Error::to_string);
        report.write(path)?;
        println!("\nA report is in {}: it can be attached to a bug report as it is.", path.display());
    }
    examined
}

/// Examines a device kernel by kernel, and adds each to the report.
fn examine_all(gpu: &mut Gpu, mut report: Option<&mut DeviceReport>) -> Result<()> {
    println!("Device: {}", gpu.describe());
    println!("Given to kernels: {}\n", gpu.passing());
    let paint = Paint::stdout();
    let columns =
        [("kernel", Align::Left), ("cases", Align::Right), ("error / bound", Align::Right), ("", Align::Left)];
    let mut table = Table::new(&columns);
    let mut failures = Vec::new();
    let traits = gpu.traits();
    for row in TABLE {
        let started = Instant::now();
        let outcome = examine(row, gpu, &traits, false)?;
        if let Some(report) = &mut report {
            report.add(row.name, &outcome, started.elapsed());
        }
        let verdict = if outcome.is_sound() { paint.good("ok") } else { paint.bad("wrong") };
        table.row([row.name.to_string(), outcome.runs.to_string(), format!("{:.3}", outcome.worst), verdict]);
        failures.extend(outcome.complaints().iter().map(|complaint| format!("{}: {complaint}", row.name)));
    }
    print!("{table}");
    if failures.is_empty() {
        println!("\nEvery kernel agrees with its reference, and wrote nothing where it should not.");
        return Ok(());
    }
    Err(Error::Device(format!(
        "{} of the device's results are wrong:\n  {}\nUpdate the driver first. If that does not help, train with --device cpu, \
         and report this with the file that `elbo doctor --report gpu.txt` writes",
        failures.len(),
        failures.join("\n  ")
    )))
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
