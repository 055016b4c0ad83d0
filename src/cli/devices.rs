//! `elbo devices`.

use super::style::printable;
use crate::error::Result;
use crate::gpu::{BACKENDS, adapters, unproven_adapters};

/// Lists what can be computed on.
pub fn run() -> Result<()> {
    let mut all = adapters();
    all.extend(unproven_adapters(&all));
    for adapter in &all {
        println!("{}: {} ({}, {})", adapter.index, adapter.name(), adapter.kind(), adapter.backend());
        for (name, value) in adapter.details() {
            println!("     {name:26} {value}");
        }
        if !adapter.is_conformant {
            println!(
                "     unproven: its driver does not say that it passes the tests of Vulkan, so that it is used only when"
            );
            println!("     asked for by number or name. Check it first: elbo doctor --device {}", adapter.index);
            if adapter.driver().contains("Dozen") {
                println!(
                    "     Dozen is the Vulkan of Linux on Windows (WSL 2), made of DX12; elbo.exe on Windows needs no Dozen."
                );
            }
        }
        for lack in adapter.missing() {
            println!("     cannot be used: it lacks {lack}");
        }
    }
    if all.is_empty() {
        match std::env::var(BACKENDS).unwrap_or_default() {
            chosen if !chosen.is_empty() => println!(
                "No Vulkan, Metal or DX12 adapter: {BACKENDS}={} leaves none. Unset it, or let it name some of vulkan, metal and dx12.",
                printable(&chosen)
            ),
            _ => println!("No Vulkan, Metal or DX12 adapter. A GPU needs its vendor's driver to show up here."),
        }
    }
    println!("cpu: the processor, {} threads; needs no driver", rayon::current_num_threads());
    println!("cpu-exact: the same, with the same bits on any processor and any number of threads");
    println!(
        "\n--device takes a number, a part of a name, gpu, cpu, cpu-exact, or auto: the first real GPU, else cpu."
    );
    Ok(())
}
