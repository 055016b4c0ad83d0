//! `elbo devices`.

use crate::error::Result;
use crate::gpu::adapters;

/// Lists what can be computed on.
pub fn run() -> Result<()> {
    let all = adapters();
    for adapter in &all {
        println!("{}: {} ({}, {})", adapter.index, adapter.name(), adapter.kind(), adapter.backend());
        for (name, value) in adapter.details() {
            println!("     {name:26} {value}");
        }
        for lack in adapter.missing() {
            println!("     cannot be used: it lacks {lack}");
        }
    }
    if all.is_empty() {
        println!("No Vulkan, Metal or DX12 adapter. A GPU needs its vendor's driver to show up here.");
    }
    println!("cpu: the processor, {} threads; needs no driver", rayon::current_num_threads());
    println!("cpu-exact: the same, with the same bits on any processor and any number of threads");
    println!(
        "\n--device takes a number, a part of a name, gpu, cpu, cpu-exact, or auto: the first real GPU, else cpu."
    );
    Ok(())
}
