//! The `elbo` program.

use std::process::ExitCode;

use elbo::Error;
use elbo::cli::args::Cli;

fn main() -> ExitCode {
    match elbo::cli::run(Cli::from_environment().into_command()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ Error::Interrupted(_)) => {
            eprintln!("{error}");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
