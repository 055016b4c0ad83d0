//! `elbo impute`.

use super::args::ImputeArgs;
use super::style::count;
use super::weights::say_weights;
use crate::apps::{Saved, open_device};
use crate::data::{FileKind, Output};
use crate::error::Result;

/// Fills the blanks of a table.
pub fn run(args: &ImputeArgs) -> Result<()> {
    let mut saved = Saved::load(&args.run, open_device(&args.device)?)?;
    if !args.json {
        say_weights(&saved);
    }
    let out = Output::new(
        &args.out,
        &[FileKind::Csv, FileKind::Tsv, FileKind::Parquet],
        &saved.keep(Some(&args.data), args.force),
    )?;
    let filled = saved.impute(&args.data, &out, args.samples as usize, args.seed)?;
    if args.json {
        println!("{}", serde_json::json!({ "rows": filled.rows, "cells": filled.cells, "out": args.out }));
        return Ok(());
    }
    println!(
        "{} cells of {} rows filled in, in {}",
        count(filled.cells as u64),
        count(filled.rows as u64),
        args.out.display()
    );
    Ok(())
}
