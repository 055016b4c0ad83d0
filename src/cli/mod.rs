//! The command line: one file per command, and words for people.

#[macro_use]
mod print;

mod advice;
pub mod args;
mod augment;
mod bench;
mod claim;
mod compare;
mod compress;
mod data;
mod decode;
mod demo;
mod devices;
mod doctor;
mod encode;
mod evaluate;
mod export;
mod fetch;
mod fit_prior;
mod import;
mod impute;
mod interpolate;
mod interrupt;
mod kernels;
mod latent;
mod menu;
mod models;
mod profile;
mod reading;
mod reconstruct;
mod report;
mod reproduce;
mod sample;
mod score;
mod shell;
pub mod style;
mod train;
mod traverse;
mod uses;
mod weights;

use args::{Cli, Command};

use crate::error::{Error, Result};

/// Runs a command.
///
/// # Errors
/// Whatever the command says; if there cannot be as many threads as are asked for.
pub fn run(cli: Cli) -> Result<()> {
    crate::memory::spare_address_space();
    // None given is one for each core. Started here, where it can be said if they cannot be.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(cli.threads.unwrap_or(0).into());
    pool.build_global()
        .map_err(|e| Error::Device(format!("the threads to compute with do not start: {e}. Give fewer --threads")))?;
    if cli.quiet {
        print::silence();
    }
    reading::show();
    reading::quieten_readers();
    let named = cli.named.clone();
    let Some(command) = cli.command else {
        menu::run();
        return print::was_printed();
    };
    let done = match command {
        Command::Demo(args) => demo::run(&args),
        Command::Fetch(args) => fetch::run(&args),
        Command::Train(args) => train::run(&args).map(|_| ()),
        Command::Data(args) => data::run(&args),
        Command::Models(args) => models::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Sample(args) => sample::run(&args),
        Command::Augment(args) => augment::run(&args),
        Command::Encode(args) => encode::run(&args),
        Command::Decode(args) => decode::run(&args),
        Command::Score(args) => score::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Compress(args) => compress::compress(&args),
        Command::Decompress(args) => compress::decompress(&args),
        Command::Interpolate(args) => interpolate::run(&args),
        Command::Traverse(args) => traverse::run(&args),
        Command::Latent(args) => latent::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Impute(args) => impute::run(&args),
        Command::Reconstruct(args) => reconstruct::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Reproduce(args) => reproduce::run(&args),
        Command::Devices => devices::run(),
        Command::Doctor(args) => doctor::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Kernels(args) => kernels::run(&args),
        Command::Profile(args) => profile::run(&args),
        Command::FitPrior(args) => fit_prior::run(&args),
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(&args),
    };
    done.and_then(|()| print::was_printed()).map_err(|error| advice::with_options(error, &args::options_of(&named)))
}
