//! `elbo fetch`.

use indicatif::{ProgressBar, ProgressStyle};

use super::args::FetchArgs;
use super::print::is_watched;
use super::style::{Align, Table, bytes, typed, word};
use crate::apps::{Fetching, fetch};
use crate::data::known::{KNOWN, Known};
use crate::error::{Error, Result};

/// Downloads a data set, or lists those that can be downloaded.
pub fn run(args: &FetchArgs) -> Result<()> {
    let Some(name) = &args.name else {
        list();
        return Ok(());
    };
    let known = Known::find(name).ok_or_else(|| {
        let names: Vec<&str> = KNOWN.iter().map(|known| known.name).collect();
        Error::invalid(format!("no data set is known as `{name}`; there are {}", names.join(", ")))
    })?;
    let folder = args.out.clone().or_else(|| known.folder()).ok_or_else(|| {
        Error::invalid(
            "there is no cache folder to keep it in (ELBO_CACHE_DIR is empty, or there is no home): give --out DIR",
        )
    })?;
    if known.opened_at(&folder).exists() {
        println!("{name} is there already.");
    } else {
        println!("{}: {}\nby {}; {}", known.name, known.about, known.terms, bytes(known.bytes));
    }
    let bar = bar();
    let mut file = String::new();
    let mut look = |at: Fetching| {
        if at.from != file {
            at.from.clone_into(&mut file);
            bar.suspend(|| println!("from {file}"));
        }
        bar.set_length(at.of);
        bar.set_position(at.done);
    };
    let found = fetch(known, &folder, args.from.as_deref(), &mut look);
    bar.finish_and_clear();
    let found = found?;
    // By its name only where that is found again.
    let given = if args.out.is_none() { known.name.to_string() } else { word(&found) };
    println!("It lies in {}. Next: {} train --data {given}", folder.display(), typed());
    Ok(())
}

fn bar() -> ProgressBar {
    if !is_watched() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {bytes} of {total_bytes}, {eta} left");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "))
}

fn list() {
    let columns = [("name", Align::Left), ("what it is", Align::Left), ("download", Align::Right), ("", Align::Left)];
    let mut table = Table::new(&columns);
    for known in KNOWN {
        let here = if known.fetched().is_some() { "here" } else { "" };
        table.row([known.name, known.about, &bytes(known.bytes), here]);
    }
    println!("{table}\nTo download one: {} fetch NAME", typed());
}
