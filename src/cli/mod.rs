//! The command line: one file per command, and words for people.

#[macro_use]
mod print;

pub mod args;
mod bench;
mod devices;
mod doctor;
mod evaluate;
mod fit_prior;
mod interrupt;
mod models;
mod profile;
mod reconstruct;
mod reproduce;
mod sample;
mod style;
mod train;

use args::Command;

use crate::error::Result;

/// Runs a command.
///
/// # Errors
/// Whatever the command says.
pub fn run(command: Command) -> Result<()> {
    let done = match command {
        Command::Train(args) => train::run(&args),
        Command::Models(args) => models::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Sample(args) => sample::run(&args),
        Command::Reconstruct(args) => reconstruct::run(&args),
        Command::Reproduce(args) => reproduce::run(&args),
        Command::Devices => devices::run(),
        Command::Doctor(args) => doctor::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Profile(args) => profile::run(&args),
        Command::FitPrior(args) => fit_prior::run(&args),
    };
    done.and_then(|()| print::was_printed())
}
