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
    quieten_drivers();
    match elbo::cli::run(Cli::from_environment()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ Error::Interrupted(_)) => {
            say(&error.to_string());
            ExitCode::from(130)
        }
        // It is said there, and its status is that of all: a launcher ends all where one fails, perhaps before that is said.
        Err(Error::Elsewhere(_)) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Keeps Mesa from complaining, on machines without a desktop, that there is none: it looks for one's socket in this folder, and says
/// so when none is named. In a folder that has none it finds nothing, and goes on.
fn quieten_drivers() {
    const FOLDER: &str = "XDG_RUNTIME_DIR";
    if cfg!(target_os = "linux") && std::env::var_os(FOLDER).is_none_or(|folder| folder.is_empty()) {
        // SAFETY: this is the first thing that the program does, and there is no other thread to read the environment meanwhile.
        unsafe { std::env::set_var(FOLDER, std::env::temp_dir()) };
    }
}

/// Lines for the person at the keyboard; where nobody listens, the exit status says it all. Names of files and classes may hold what a
/// terminal would obey.
fn say(text: &str) {
    for line in text.split('\n') {
        let _ = writeln!(std::io::stderr(), "{}", elbo::cli::style::printable(line));
    }
}
