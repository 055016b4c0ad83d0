//! `elbo doctor`.

use super::args::DoctorArgs;
use super::style::{Align, Paint, Table};
use crate::apps::doctor::examine;
use crate::apps::open_gpu;
use crate::cpu::Cpu;
use crate::error::{Error, Result};
use crate::gpu::adapters;
use crate::kernels::table::TABLE;
use crate::program::Executor;

/// Runs every kernel on a device against its CPU reference.
pub fn run(args: &DoctorArgs) -> Result<()> {
    let Some(mut gpu) = open_gpu(&args.device)? else {
        println!("Device: {}", Cpu::new().describe());
        println!("\nTraining works here without a GPU; there is nothing to hold the CPU executor against.");
        return advise();
    };
    println!("Device: {}", gpu.describe());
    println!("Given to kernels: {}\n", gpu.passing());
    let paint = Paint::stdout();
    let columns =
        [("kernel", Align::Left), ("cases", Align::Right), ("error / bound", Align::Right), ("", Align::Left)];
    let mut table = Table::new(&columns);
    let mut failures = Vec::new();
    let traits = gpu.traits();
    for row in TABLE {
        let outcome = examine(row, &mut gpu, &traits, false)?;
        let verdict = if outcome.is_sound() { paint.good("ok") } else { paint.bad("wrong") };
        table.row([row.name.to_string(), outcome.runs.to_string(), format!("{:.3}", outcome.worst), verdict]);
        failures.extend(outcome.failures.iter().map(|failure| format!("{}: {failure}", row.name)));
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
