//! The `elbo` program.

use std::io::Write;
use std::process::ExitCode;

use elbo::Error;
use elbo::apps::bench::CountingAllocator;
use elbo::cli::args::Cli;

/// Counts for `elbo bench`, and passes on.
#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn main() -> ExitCode {
    match elbo::cli::run(Cli::from_environment()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ Error::Interrupted(_)) => {
            say(&error.to_string());
            ExitCode::from(130)
        }
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Lines for the person at the keyboard; where nobody listens, the exit status says it all. Names of files and classes may hold what a
/// terminal would obey.
fn say(text: &str) {
    for line in text.split('\n') {
        let _ = writeln!(std::io::stderr(), "{}", elbo::cli::style::printable(line));
    }
}
