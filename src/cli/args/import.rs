//! The options of `elbo import`.

use std::path::PathBuf;

use clap::Args;

use super::TrainArgs;
use crate::config::Layer;

/// The options of `elbo import`.
#[derive(Debug, Clone, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "\
Examples:
  elbo import torch.safetensors --data mnist --hidden 400 --activation relu --latent 20                  # lists both sides, and suggests a map
  elbo import torch.safetensors --data mnist --hidden 400 --activation relu --latent 20 --map map.toml --out runs/torch
  elbo evaluate runs/torch"
)]
pub struct ImportArgs {
    /// The weights: a safetensors file, as safetensors.torch.save_file writes it
    #[arg(value_name = "WEIGHTS")]
    pub weights: PathBuf,
    /// A TOML file that names for each tensor of the model the one of the file [default: lists both, suggests such a file, and imports nothing]
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// Folder to keep the run in [default: a new one in runs, named after the model and the data]
    #[arg(long, value_name = "DIR", requires = "map")]
    pub out: Option<PathBuf>,
    /// A TOML file with settings; elbo train --print-config shows how one looks
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
    /// The settings of the model, and of further training.
    #[command(flatten)]
    pub settings: Layer,
}

impl ImportArgs {
    /// The options of a training with these settings.
    pub fn training(&self) -> TrainArgs {
        TrainArgs { config: self.config.clone(), settings: self.settings.clone(), ..TrainArgs::default() }
    }
}
