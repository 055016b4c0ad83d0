//! `elbo` alone: what one can do, and what to do next.

use std::path::{Path, PathBuf};

use super::args::command;
use super::style::{typed, word};
use crate::config::FILE_NAME;

/// What people come for, with the commands that do it, in the order in which they are needed. A command that is named in none stands
/// under the last.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Begin", &["demo", "fetch", "data"]),
    ("Learn", &["train", "models", "compare", "fit-prior", "import"]),
    (
        "Use what was learnt",
        &[
            "sample",
            "augment",
            "reconstruct",
            "impute",
            "score",
            "encode",
            "decode",
            "interpolate",
            "traverse",
            "latent",
            "compress",
            "decompress",
            "report",
            "export",
            "evaluate",
        ],
    ),
    ("This machine, and how it works", &[]),
];

/// Prints the menu.
pub fn run() {
    println!("elbo learns from pictures or tables, and makes new ones like them.\n");
    let all = command();
    let known = |name: &str| GROUPS.iter().any(|(_, names)| names.contains(&name));
    for (title, names) in GROUPS {
        println!("{title}");
        let own = names.iter().filter_map(|name| all.find_subcommand(name));
        let rest = all.get_subcommands().filter(|sub| names.is_empty() && !known(sub.get_name()));
        for sub in own.chain(rest).filter(|sub| !sub.is_hide_set()) {
            let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
            // What comes behind is for the help of the command.
            let short = about.split([':', ',']).next().unwrap_or_default();
            println!("  {:<12}  {short}", sub.get_name());
        }
        println!();
    }
    let program = typed();
    match last_run() {
        None => println!("Next: {program} demo   (learns to draw digits, in about a minute)"),
        Some(run) => println!("Your last run is {}. Next: {program} sample {}", run.display(), word(&run)),
    }
    println!("More about a command: {program} help train");
}

/// The run in `runs` that was written last.
fn last_run() -> Option<PathBuf> {
    let runs = std::fs::read_dir(Path::new("runs")).ok()?.flatten().map(|entry| entry.path());
    let written = |run: PathBuf| Some((run.join(FILE_NAME).metadata().ok()?.modified().ok()?, run));
    runs.filter_map(written).max().map(|(_, run)| run)
}
