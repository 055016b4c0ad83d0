//! `elbo impute`.

use super::args::ImputeArgs;
use super::style::{count, counted};
use super::uses::{check_out, open, print_json};
use crate::apps::{Filling, Mask, PictureFilling, Saved, TableFilling, Tally};
use crate::data::{FileKind, Output};
use crate::error::{Error, Result};
use crate::training::RELIABLE_FROM;

/// Rounds of a model that has not seen holes.
const ROUNDS_OF_PICTURES: u64 = 10;

/// Fills the blanks of a table, or holes of pictures.
pub fn run(args: &ImputeArgs) -> Result<()> {
    let mut saved = open(&args.common)?;
    match &args.mask {
        Some(mask) => pictures(args, mask, &mut saved),
        None => table(args, &mut saved),
    }
}

/// Pictures on a sheet at most.
const MOST_SHOWN: u64 = 1000;

fn pictures(args: &ImputeArgs, mask: &Mask, saved: &mut Saved) -> Result<()> {
    let is_sheet = args.out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png"));
    if let Some(count) = args.count.filter(|&count| is_sheet && count > MOST_SHOWN) {
        return Err(Error::invalid(format!(
            "--count is {count}, and a sheet shows at most {MOST_SHOWN} pictures: give fewer, or a .npy or a folder as --out"
        )));
    }
    let mask_file = if let Mask::File(path) = mask { path.to_str() } else { None };
    let read = [Some(args.data.as_str()), mask_file].into_iter().flatten();
    check_out(saved, (&args.common.run, args.common.force), &args.out, read)?;
    let how = PictureFilling {
        filling: filling(args, ROUNDS_OF_PICTURES),
        draws: args.draws.unwrap_or(0) as usize,
        count: args.count.map(|count| usize::try_from(count).unwrap_or(usize::MAX)),
    };
    let filled = saved.inpaint(&args.data, mask, &args.out, how)?;
    if args.common.json {
        return print_json(&filled, &args.out);
    }
    let (values, pictures) = (counted(filled.values, "value"), counted(filled.rows, "picture"));
    println!("{values} of {pictures} filled in{}, in {}", times(args), args.out.display());
    say(&filled.tally);
    Ok(())
}

fn table(args: &ImputeArgs, saved: &mut Saved) -> Result<()> {
    let takes = &[FileKind::Csv, FileKind::Tsv, FileKind::Parquet];
    let out = Output::new(&args.out, takes, &saved.keep(Some(&args.data), args.common.force))?;
    let how =
        TableFilling { filling: filling(args, 0), draws: args.draws.unwrap_or(0) as usize, interval: args.interval };
    let filled = saved.impute(&args.data, &out, how)?;
    if args.common.json {
        return print_json(&filled, &args.out);
    }
    let (cells, rows) = (counted(filled.cells, "cell"), counted(filled.rows, "row"));
    println!("{cells} of {rows} filled in{}, in {}", times(args), args.out.display());
    for column in &filled.columns {
        println!("  {:>8}  {}", count(column.cells as u64), column.name);
    }
    say(&filled.tally);
    Ok(())
}

fn filling(args: &ImputeArgs, rounds: u64) -> Filling {
    Filling { samples: args.samples as usize, rounds: args.rounds.unwrap_or(rounds) as usize, seed: args.common.seed }
}

fn times(args: &ImputeArgs) -> String {
    args.draws.map_or_else(String::new, |draws| format!(", {} each", counted(draws as usize, "time")))
}

/// How well the codes did.
fn say(tally: &Tally) {
    let some = tally.rows_with_gaps - tally.empty_rows;
    if some > 0 {
        println!(
            "Of the codes of a row {:.1} count (effective samples, a mean over rows with gaps)",
            tally.effective_samples
        );
    }
    if tally.empty_rows > 0 {
        println!("Nothing is known of {}: filled from the prior", counted(tally.empty_rows, "row"));
    }
    if tally.unreliable_rows > 0 {
        eprintln!(
            "Warning: of {} fewer than {RELIABLE_FROM} codes count, so that what is filled in hangs on few: more --samples help, or more \
             --rounds",
            counted(tally.unreliable_rows, "row")
        );
    }
}
