//! The options of `elbo train`: the settings of [`Config`](crate::config::Config), all optional, and where to keep the run.

use std::path::PathBuf;

use clap::Args;

use crate::config::Layer;

/// The options of `elbo train`. What is not given stays `None`.
#[derive(Debug, Clone, Default, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "\
Examples:
  elbo train --epochs 5
  elbo train --data mnist --preset classic --out runs/mnist
  elbo train --hidden 400,200 --latent 2 --beta 4
  elbo train --resume runs/mnist --epochs 20
  elbo train --data mnist --tensorboard"
)]
pub struct TrainArgs {
    /// A TOML file with settings; --print-config shows how one looks
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder to keep the run in [default: a new one in runs, named after the model and the data]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Go on with the run in this folder, with its settings
    ///
    /// The outcome is that of a run that was never interrupted. --epochs can be raised (which stretches a cosine schedule),
    /// and the device and how often things are written can be changed; the model and the way it learns cannot.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "config", "preset"])]
    pub resume: Option<PathBuf>,
    /// Go on though the data has changed since the run was begun
    #[arg(long, requires = "resume")]
    pub changed_data: bool,
    /// Train a second model on the codes of the run in this folder, whose prior it replaces
    ///
    /// The run's model is frozen. Data and its settings are the run's; the second model has as many latent dimensions unless
    /// --latent says otherwise, and the likelihood gaussian-shared. Its measurements are bounds on ln p(x) of the two
    /// together (Dai & Wipf 2019).
    #[arg(long, value_name = "RUN", conflicts_with = "resume")]
    pub second_stage: Option<PathBuf>,
    /// Write the figures of the run, and its pictures, for TensorBoard as well
    ///
    /// Event files in the folder `tensorboard` of the run; --resume goes on with them by itself. To look at them:
    /// tensorboard --logdir runs
    #[arg(long)]
    pub tensorboard: bool,
    /// Print all settings as TOML instead of training
    #[arg(long)]
    pub print_config: bool,
    /// Print JSON, for programs: an object a line, for the start, each epoch and part of the data, and the end
    #[arg(long)]
    pub json: bool,
    /// The settings that are given.
    #[command(flatten)]
    pub settings: Layer,
}
