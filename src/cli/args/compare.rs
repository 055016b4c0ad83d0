//! The options of `elbo compare`.

use std::path::PathBuf;

use clap::{Args, value_parser};

use crate::config::DeviceChoice;

/// The options of `elbo compare`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  elbo compare --data mnist --models ae,vae,iwae --epochs 10 --out compared
  elbo compare --data mnist --beta 0.5,1,4 --seeds 3 --out weights
  elbo compare --data patients.csv --models vae,mixture,realnvp --out tables -- --label diagnosis --hidden 64")]
pub struct CompareArgs {
    /// The data: a file, a folder, or what is built in
    #[arg(long, value_name = "PATH")]
    pub data: String,
    /// What is compared, by the names that `elbo models` lists: models, or a vae with another objective, network, likelihood, posterior or
    /// prior [default: ae,vae; with --beta vae]
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    pub models: Vec<String>,
    /// Weights of the KL term to compare, each with each model that has one
    #[arg(long, value_name = "X,X", value_delimiter = ',', value_parser = weight)]
    pub beta: Vec<f64>,
    /// How many runs of each, with seeds that follow each other; figures are then means, with intervals of 95 %
    #[arg(long, value_name = "N", default_value = "1", value_parser = value_parser!(u64).range(1..=100))]
    pub seeds: u64,
    /// The first seed
    #[arg(long, value_name = "N", default_value = "0")]
    pub seed: u64,
    /// Passes over the training rows, the same for all [default: by the data, as for `elbo train`]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    pub epochs: Option<u64>,
    /// Numbers of a code, the same for all [default: by the data]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    pub latent: Option<u64>,
    /// Codes of each row that -ln p(x) is estimated from; 0 leaves that out
    #[arg(long, value_name = "K", default_value = "50", value_parser = value_parser!(u64).range(0..=5000))]
    pub samples: u64,
    /// The folder for the runs, compare.csv, compare.json and compare.png; runs that are there are not trained again
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Where to compute: auto, cpu, cpu-exact, gpu, or a number or part of a name from `elbo devices`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
    /// More options of `elbo train`, the same for all, behind --
    #[arg(last = true, value_name = "OPTIONS")]
    pub options: Vec<String>,
}

/// A weight of the KL term.
fn weight(text: &str) -> Result<f64, String> {
    let number = text.trim().parse().ok().filter(|number: &f64| *number >= 0.0 && number.is_finite());
    number.ok_or_else(|| "give 0 or a positive number, such as 4".to_owned())
}
