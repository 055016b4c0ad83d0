//! The options of `elbo reconstruct`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, value_parser};

use super::uses::UseArgs;
use crate::catalogue::Spec;

/// The options of `elbo reconstruct`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  elbo reconstruct runs/vae-sprites --count 20 --out pairs.png
  elbo reconstruct runs/vae-mnist --uncertainty --out sure.png
  elbo reconstruct runs/vae-patients --uncertainty 256 --out sure.csv
  elbo reconstruct runs/vae-mnist --data noisy --out clean.npy
  elbo reconstruct runs/vae-mnist --corrupt gaussian:sigma=0.3 --out cleaned.png")]
pub struct ReconstructArgs {
    /// What every such command is told.
    #[command(flatten)]
    pub common: UseArgs,
    /// Other data to take rows from: a file or a folder [default: the test rows of the data it was trained on]
    #[arg(long, value_name = "PATH")]
    pub data: Option<String>,
    /// How many rows, from the first on [default: 16 in a picture; in a file of rows all of them]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=1_000_000_000))]
    pub count: Option<u64>,
    /// Corrupt the rows first, and say how far what the model makes of them is from the rows as they were
    ///
    /// Cleans what a model was trained to clean: `elbo train --corrupt`. `elbo models` lists the ways; --seed decides what is drawn.
    #[arg(long, value_name = "NAME[:SETTING=X,...]", value_parser = Spec::from_str, conflicts_with = "uncertainty")]
    pub corrupt: Option<Spec>,
    /// Say how sure the model is of each value, from so many codes of each row
    ///
    /// By the law of total variance Var[x] = Var_z E[x|z] + E_z Var[x|z], the two apart: in a .png the rows, what is expected of them and
    /// both standard deviations; in a .npz the arrays mean, sd_codes, sd_likelihood and sd; of a table, in a .csv, .tsv or .parquet, such
    /// columns beside each, in its unit. Where weights have a distribution (--network-weights
    /// bayes-by-backprop, or --swag), theirs is a third part, Var_w E[x|w], sd_weights; so is that of the members of an ensemble (--members).
    #[arg(long, value_name = "DRAWS", num_args = 0..=1, default_missing_value = "64", value_parser = value_parser!(u64).range(2..=10_000))]
    pub uncertainty: Option<u64>,
    /// Draws of the weights for --uncertainty, of a model whose weights have a distribution
    #[arg(long, value_name = "N", default_value = "16", requires = "uncertainty", value_parser = value_parser!(u64).range(2..=1000))]
    pub weight_draws: u64,
    /// The file to write, a picture (.png, .jpg, .webp) or rows (.csv, .tsv, .npy, .parquet) [default: reconstructions.png, or reconstructions.csv
    /// of a table, in the folder of the run]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
