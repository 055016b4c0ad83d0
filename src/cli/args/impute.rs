//! The options of `elbo impute`.

use std::path::PathBuf;

use clap::{Args, value_parser};

use super::uses::{UseArgs, share};
use crate::apps::Mask;

/// The options of `elbo impute`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  elbo impute runs/vae-patients --data patients.csv --out filled.csv
  elbo impute runs/vae-patients --data patients.csv --draws 20 --out filled.csv
  elbo impute runs/vae-patients --data patients.csv --interval 0.9 --out filled.csv
  elbo impute runs/vae-mnist --data mnist --mask 0,14,28,14 --draws 4 --out lower-halves.png")]
pub struct ImputeArgs {
    /// What every such command is told.
    #[command(flatten)]
    pub common: UseArgs,
    /// The table whose blanks are to be filled, or pictures: a file or a folder
    #[arg(long, value_name = "PATH")]
    pub data: String,
    /// The file to write: of a table .csv, .tsv or .parquet; of pictures a sheet (.png), an array (.npy), or without an ending a new
    /// folder of PNG pictures
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// What is missing of pictures: a box x,y,width,height in pixels, a picture in which missing pixels are black, or an array (.npy) in
    /// which they are 0, of one picture or of each
    #[arg(long, value_name = "MASK")]
    pub mask: Option<Mask>,
    /// How many pictures, from the first on [default: 10 on a sheet, else all]
    #[arg(long, value_name = "N", requires = "mask", value_parser = value_parser!(u64).range(1..=1_000_000_000))]
    pub count: Option<u64>,
    /// Fill each row so many times, with draws in place of means (multiple imputation)
    ///
    /// Of a table every row becomes so many lines behind each other, which a first column `draw` numbers from 1: in pandas,
    /// `filled.groupby("draw")` gives the tables, and mice calls this the long format. Of pictures, draws are of codes, each shown by its
    /// mean.
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=1_000))]
    pub draws: Option<u64>,
    /// Say between which numbers this share of what a blank may be lies, as in columns NAME.low and NAME.high
    #[arg(long, value_name = "SHARE", conflicts_with = "mask", value_parser = share)]
    pub interval: Option<f64>,
    /// Codes of each row that are weighed
    #[arg(long, value_name = "K", default_value = "200", value_parser = value_parser!(u64).range(1..=5_000))]
    pub samples: u64,
    /// How often codes are drawn anew with the blanks filled, before those that count [default: 0 of a table, 10 of pictures]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(0..=1_000))]
    pub rounds: Option<u64>,
}
