//! `elbo profile`.

use super::args::{BenchStep, ProfileArgs};
use super::kernels::listing;
use super::style::{Align, Table, with_prefix};
use crate::apps::bench::{Workload, profile_step, step_calls};
use crate::apps::{open_tuned, shader_traits};
use crate::error::{Error, Result};

/// The workload of a name.
pub(super) fn workload(step: BenchStep) -> Workload {
    match step {
        BenchStep::Classic => Workload::CLASSIC,
        BenchStep::Wide => Workload::WIDE,
        BenchStep::Keras => Workload::KERAS,
        BenchStep::Burgess => Workload::BURGESS,
        BenchStep::Dcgan => Workload::DCGAN,
        BenchStep::Resnet => Workload::RESNET,
        BenchStep::Gan => Workload::GAN,
        BenchStep::VaeGan => Workload::VAE_GAN,
        BenchStep::VeryDeep => Workload::VERY_DEEP,
    }
}

/// Shows where the time of one step goes.
pub fn run(args: &ProfileArgs) -> Result<()> {
    if let Some(call) = args.wgsl {
        return show(args, call as usize);
    }
    let executor = open_tuned(&args.device)?;
    println!("Device: {}", executor.describe());
    let figures = profile_step(&workload(args.step), args.batch as usize, executor, 21)?;
    let total: f64 = figures.iter().map(|f| f.seconds).sum();
    let columns = [
        ("call", Align::Right),
        ("kernel", Align::Left),
        ("time", Align::Right),
        ("share", Align::Right),
        ("arithmetic", Align::Right),
        ("memory", Align::Right),
        ("computes", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for (i, f) in figures.iter().enumerate() {
        table.row([
            (i + 1).to_string(),
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

/// Prints the WGSL of one call of the step.
fn show(args: &ProfileArgs, call: usize) -> Result<()> {
    let (device, traits) = shader_traits(&args.device)?;
    let calls = step_calls(&workload(args.step), args.batch as usize)?;
    let chosen = calls.get(call - 1).ok_or_else(|| {
        Error::invalid(format!("there is no call {call}: this step has {}, and `elbo profile` lists them", calls.len()))
    })?;
    let what = format!("call {call} of {}: {} {}", calls.len(), chosen.kernel.name(), chosen.label);
    print!("{}", listing(&*chosen.kernel, &what, &device, &traits));
    Ok(())
}
