//! The options of the commands that use a trained model with files of one's own.

use std::path::PathBuf;

use clap::builder::ArgPredicate;
use clap::{Args, value_parser};
use strum::VariantNames;

use crate::apps::{End, MapKind, OnnxPart, ScoreKind, Way};
use crate::config::DeviceChoice;

/// What all of them are told.
#[derive(Debug, Clone, Args)]
pub struct UseArgs {
    /// The folder of the run, as `elbo train` left it, or a file that holds a model
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Decides what is drawn by chance
    #[arg(long, value_name = "N", default_value = "0")]
    pub seed: u64,
    /// Where to compute: auto, cpu, cpu-exact, gpu, or a number or part of a name from `elbo devices`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// Write over a file of the run or of the data that is read
    #[arg(long)]
    pub force: bool,
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
}

/// The options of `elbo encode`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  elbo encode runs/vae-mnist --out codes.csv
  elbo encode runs/vae-patients --data new.csv --draws 10 --out codes.npz")]
pub struct EncodeArgs {
    /// What every such command is told.
    #[command(flatten)]
    pub common: UseArgs,
    /// Other data to encode: a file or a folder [default: the test rows of the data it was trained on]
    #[arg(long, value_name = "PATH")]
    pub data: Option<String>,
    /// The file to write: .csv or .parquet, .npz with the arrays mean, sd and draws, or .npy with the means (or with the draws, if there are any)
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Codes to draw from the posterior of each row, besides its mean and standard deviation
    #[arg(long, value_name = "N", default_value = "0", value_parser = value_parser!(u64).range(0..=1000))]
    pub draws: u64,
}

/// The options of `elbo decode`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  elbo decode runs/vae-mnist --codes codes.csv --out again.png
  elbo decode runs/vae-patients --codes codes.npy --out rows.csv")]
pub struct DecodeArgs {
    /// What every such command is told.
    #[command(flatten)]
    pub common: UseArgs,
    /// Codes: a table with the columns mean_0, mean_1, … or nothing but numbers, or an array [rows, latent] in a .npy
    #[arg(long, value_name = "FILE")]
    pub codes: String,
    /// The file to write: .csv or .parquet, or of pictures and vectors also .npy or .png
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// The label that all rows are to have, of a model that is given labels
    #[arg(long, value_name = "NAME", conflicts_with = "condition")]
    pub label: Option<String>,
    /// What all rows are given: numbers, or values of the columns that the model is told, in their order
    #[arg(long, value_name = "X,X...", value_delimiter = ',', allow_hyphen_values = true)]
    pub condition: Option<Vec<String>>,
}

/// The options of `elbo augment`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  elbo augment runs/vae-mnist --per-class 500 --out more.npz
  elbo augment runs/cvae-photos --per-class 100 --out more/   pictures in class folders
  elbo augment runs/vae-patients --per-class 1000 --out more.csv
  elbo augment runs/vae-mnist --per-class 100 --measure --labels 100   does it help a classifier of 100 labelled rows?")]
pub struct AugmentArgs {
    /// What every such command is told.
    #[command(flatten)]
    pub common: UseArgs,
    /// New rows of each class
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(..=10_000_000))]
    pub per_class: u64,
    /// The file to write: .csv, .tsv or .parquet of a table; of others .npz with the arrays x and labels, or of pictures a folder with a / at
    /// its end, which gets a folder for each class
    #[arg(long, value_name = "FILE", required_unless_present = "measure")]
    pub out: Option<PathBuf>,
    /// Measure whether new rows help: the accuracy of a classifier of a few labelled rows, without and with them
    ///
    /// The classifier is multinomial logistic regression on the values of rows, and its accuracy is that on rows that the run held out. How the
    /// codes of a class are spread is told by the same labelled rows, so that no other label is used. What the model had seen is printed.
    #[arg(long)]
    pub measure: bool,
    /// How many labelled rows, as many of each class [default: 100, or those whose labels the model was told]
    #[arg(long, value_name = "N", requires = "measure", value_parser = value_parser!(u64).range(1..))]
    pub labels: Option<u64>,
    /// How often it is measured, each time with other labelled rows and other new ones
    #[arg(long, value_name = "N", requires = "measure", default_value = "10", value_parser = value_parser!(u64).range(2..=1000))]
    pub repeats: u64,
}

/// The options of `elbo score`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  elbo score runs/vae-patients --data new.csv --out scores.csv
  elbo score runs/vae-mnist --scores complexity,elbo --against letters --top 20 --sheet strange.png
  elbo score runs/vae-mnist --background runs/vae-mnist-noisy --against letters
  elbo score runs/vae-mnist --scores ssim,squared_error --against letters
  elbo score runs/vae-mnist --scores combined,reconstruction,latent --against letters
  elbo score runs/vae-healthy --data all.csv --label diagnosis --normal benign --out scores.csv")]
pub struct ScoreArgs {
    /// What every such command is told.
    #[command(flatten)]
    pub common: UseArgs,
    /// Other data to score: a file or a folder [default: the test rows of the data it was trained on]
    #[arg(long, value_name = "PATH")]
    pub data: Option<String>,
    /// Normal rows that the model did not learn from, which p-values are told by [default: rows that the run held out]
    #[arg(long, value_name = "PATH")]
    pub fit: Option<String>,
    /// The share of normal rows that may be marked as anomalies
    #[arg(long, value_name = "P", default_value = "0.01", value_parser = share)]
    pub false_alarms: f64,
    /// The scores, of which the first marks rows: elbo, likelihood, likelihood_ratio, reconstruction, squared_error, ssim, latent, complexity, disagreement, waic, combined
    /// [default: elbo, or likelihood_ratio with --background]
    ///
    /// elbo is -ELBO; likelihood -ln p(x) by importance sampling, with its error; likelihood_ratio what the row costs beyond what the model of
    /// --background pays for it, in -ELBO, or in -ln p(x) where likelihood is among the scores; reconstruction the part of -ELBO that says how
    /// badly a row is rebuilt; squared_error the squared distance of the row from what the model makes of it; ssim, of pictures, 1 less
    /// the structural similarity of the two (SSIM); latent how far its code lies from those of normal rows; complexity -ELBO less the size of
    /// the picture without loss (the smaller of PNG and WebP), which simple pictures do not fool; disagreement the variance of -ELBO over draws of the
    /// weights, and waic its mean and variance added up, of a model that was trained with --network-weights bayes-by-backprop or --swag, or both over the
    /// members of an ensemble (--members); combined joins
    /// the p-values of the others (Fisher).
    #[arg(
        long,
        value_name = "NAME,NAME",
        value_delimiter = ',',
        default_value = "elbo",
        hide_default_value = true,
        default_value_if("background", ArgPredicate::IsPresent, "likelihood_ratio")
    )]
    pub scores: Vec<ScoreKind>,
    /// Another run, whose likelihood is taken off that of this one: of more general data, or of the same rows of which a share of the values was drawn anew (Ren et al. 2019)
    #[arg(long, value_name = "RUN")]
    pub background: Option<PathBuf>,
    /// Labels of normal rows; rows with others are known anomalies, and how well they are told is measured
    #[arg(long, value_name = "LABEL,LABEL", value_delimiter = ',')]
    pub normal: Vec<String>,
    /// The column of a table that holds labels [default: that which the model was trained with]
    #[arg(long, value_name = "COLUMN", requires = "normal")]
    pub label: Option<String>,
    /// Other data, all of whose rows are known anomalies
    #[arg(long, value_name = "PATH")]
    pub against: Option<String>,
    /// How many of the strangest rows to list
    #[arg(long, value_name = "N", default_value = "10", value_parser = value_parser!(u64).range(0..=1000))]
    pub top: u64,
    /// A picture of the strangest rows, what the model makes of them, and which pixels surprise it
    #[arg(long, value_name = "FILE.png")]
    pub sheet: Option<PathBuf>,
    /// Codes of each row that -ELBO and reconstruction are means over
    #[arg(long, value_name = "N", default_value = "4", value_parser = value_parser!(u64).range(1..=1000))]
    pub draws: u64,
    /// Draws of the weights that disagreement and waic are over; of an ensemble they are over its members
    #[arg(long, value_name = "N", default_value = "16", value_parser = value_parser!(u64).range(2..=1000))]
    pub weight_draws: u64,
    /// Codes of each row that -ln p(x) is estimated from
    #[arg(long, value_name = "K", default_value = "100", value_parser = value_parser!(u64).range(1..=5000))]
    pub samples: u64,
    /// The table to write, .csv or .parquet: row, score, p_value, anomaly
    #[arg(long, value_name = "FILE.csv")]
    pub out: Option<PathBuf>,
}

/// A share between 0 and 1.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| *number > 0.0 && *number < 1.0);
    number.ok_or_else(|| "give a share between 0 and 1, such as 0.01".to_owned())
}

/// The options of `elbo compress`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  elbo compress runs/vae-mnist --data mnist --out digits.elbo
  elbo compress runs/vq-vae-mnist-pixelcnn --data mnist --out digits.elbo --compare
  elbo compress runs/vae-mnist --data mnist --with-model --out - | ssh host elbo decompress - --out digits.npy")]
pub struct CompressArgs {
    /// The folder of the run, as `elbo train` left it, or a file that holds a model
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// What to compress: a file or a folder
    #[arg(long, value_name = "PATH")]
    pub data: String,
    /// The file to write, or - for the standard output
    #[arg(long, value_name = "FILE.elbo")]
    pub out: PathBuf,
    /// Put the model into the file as well, so that nothing else is needed to decompress it
    #[arg(long)]
    pub with_model: bool,
    /// Draw greys as black or white first, as --binarise of training measures them; what is compressed is what was drawn
    #[arg(long)]
    pub binarise: bool,
    /// Say what gzip, PNG and WebP make of the same rows
    #[arg(long)]
    pub compare: bool,
    /// Write over a file of the run or of the data that is read
    #[arg(long)]
    pub force: bool,
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
}

/// The options of `elbo decompress`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  elbo decompress digits.elbo --run runs/vae-mnist --out digits.npy
  elbo decompress digits.elbo --run runs/vae-mnist --out pictures")]
pub struct DecompressArgs {
    /// The file, or - for the standard input
    #[arg(value_name = "FILE.elbo")]
    pub file: PathBuf,
    /// The run or the file with the model that the rows were compressed with [default: the model in the file]
    #[arg(long, value_name = "RUN")]
    pub run: Option<PathBuf>,
    /// The .npy file to write, or - for the standard output; without an ending, a new folder of PNG pictures
    #[arg(long, value_name = "FILE.npy")]
    pub out: PathBuf,
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
}

/// The options of `elbo interpolate`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  elbo interpolate runs/vae-mnist --from 3 --to 17 --out between.png
  elbo interpolate runs/vae-mnist --from 3 --to 17 --way spherical --steps 30 --out between.gif")]
pub struct InterpolateArgs {
    /// What every such command is told.
    #[command(flatten)]
    pub common: UseArgs,
    /// The row to begin with: its number, from 0, or a file or folder whose first row it is
    #[arg(long, value_name = "ROW")]
    pub from: End,
    /// The row to end with
    #[arg(long, value_name = "ROW")]
    pub to: End,
    /// Other data that numbers of rows are of [default: the test rows of the data it was trained on]
    #[arg(long, value_name = "PATH")]
    pub data: Option<String>,
    /// How the way between the two codes leads: linear, or spherical, which keeps the distance from 0
    #[arg(long, value_name = "HOW", default_value = "linear", value_parser = way)]
    pub way: Way,
    /// How many rows to draw, both ends included
    #[arg(long, value_name = "N", default_value = "10", value_parser = value_parser!(u64).range(2..=1000))]
    pub steps: u64,
    /// The file to write: .png, or a film as .gif or .apng, of pictures; .npy, .csv, .parquet
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// How a way leads, by its name.
fn way(text: &str) -> Result<Way, String> {
    text.parse().map_err(|_| format!("give {}", Way::VARIANTS.join(" or ")))
}

/// The options of `elbo traverse`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  elbo traverse runs/vae-sprites --out dimensions.png
  elbo traverse runs/vae-sprites --dimensions 5 --row 12 --out dimensions.gif")]
pub struct TraverseArgs {
    /// What every such command is told.
    #[command(flatten)]
    pub common: UseArgs,
    /// Other data that values of dimensions are taken from [default: the test rows of the data it was trained on]
    #[arg(long, value_name = "PATH")]
    pub data: Option<String>,
    /// How many dimensions to draw, those that say most first
    #[arg(long, value_name = "N", default_value = "10", value_parser = value_parser!(u64).range(1..=1000))]
    pub dimensions: u64,
    /// How many values of each
    #[arg(long, value_name = "N", default_value = "9", value_parser = value_parser!(u64).range(2..=1000))]
    pub steps: u64,
    /// The row whose code the other dimensions are taken from, from 0 [default: the mean of all codes]
    #[arg(long, value_name = "ROW")]
    pub row: Option<usize>,
    /// The label that all rows are to have, of a model that is given labels
    #[arg(long, value_name = "NAME", conflicts_with = "condition")]
    pub label: Option<String>,
    /// What all rows are given: numbers, or values of the columns that the model is told, in their order
    #[arg(long, value_name = "X,X...", value_delimiter = ',', allow_hyphen_values = true)]
    pub condition: Option<Vec<String>>,
    /// The file to write: .png, or a film as .gif or .apng, of pictures; .npy, .csv, .parquet
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// The options of `elbo report`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  elbo report runs/vae-mnist
  elbo report runs/vae-mnist --out mnist.html
  elbo report runs/vae-patients --data new.csv --out new.html")]
pub struct ReportArgs {
    /// What every such command is told.
    #[command(flatten)]
    pub common: UseArgs,
    /// Other data to show the model with: a file or a folder [default: the test rows of the data it was trained on]
    #[arg(long, value_name = "PATH")]
    pub data: Option<String>,
    /// The page to write [default: report.html in the folder of the run]
    #[arg(long, value_name = "FILE.html")]
    pub out: Option<PathBuf>,
}

/// The options of `elbo export`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  elbo export runs/vae-digits --to digits.html
  elbo export runs/vae-digits --to digits.html --with-data
  elbo export runs/vae-mnist --to mnist.html --with-data 2000 --epochs 50
  elbo export runs/vae-mnist --to mnist.json
  elbo export runs/vae-mnist --to decoder.onnx --part decoder
  elbo export runs/vae-mnist --to weights.safetensors")]
pub struct ExportArgs {
    /// What every such command is told.
    #[command(flatten)]
    pub common: UseArgs,
    /// The file to write: .html, a page that runs the model in a browser; .json, its programs (docs/program.md); .onnx, a part of it for what runs ONNX; or .safetensors, its weights for PyTorch (docs/other-tools.md)
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
    /// Let training go on there, over at most so many rows of the training data, which the file then carries
    #[arg(long, value_name = "ROWS", num_args = 0..=1, default_missing_value = "1000", value_parser = value_parser!(u64).range(1..))]
    pub with_data: Option<u64>,
    /// Epochs over those rows that can be trained
    #[arg(long, value_name = "N", default_value = "20", value_parser = value_parser!(u64).range(1..=10_000), requires = "with_data")]
    pub epochs: u64,
    /// Other data to show the model with: a file or a folder [default: the test rows of the data it was trained on]
    #[arg(long, value_name = "PATH")]
    pub data: Option<String>,
    /// Of .onnx: encoder, rows to codes; decoder, codes to rows; autoencoder, rows to codes and rows again; or classifier, rows to how likely labels are [default: autoencoder]
    #[arg(long, value_name = "PART", value_parser = onnx_part)]
    pub part: Option<OnnxPart>,
    /// Of .onnx: take so many rows at once [default: any number]
    #[arg(long, value_name = "ROWS", value_parser = value_parser!(u64).range(1..=1_000_000))]
    pub batch: Option<u64>,
}

/// A part of a model, by its name.
fn onnx_part(text: &str) -> Result<OnnxPart, String> {
    text.parse().map_err(|_| format!("give {}", OnnxPart::VARIANTS.join(" or ")))
}

/// The options of `elbo latent`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  elbo latent runs/vae-sprites
  elbo latent runs/vae-mnist --row 12 --neighbours 5
  elbo latent runs/vae-patients --data new.csv --out dimensions.csv
  elbo latent runs/vae-mnist --map tsne --out map.png")]
pub struct LatentArgs {
    /// What every such command is told.
    #[command(flatten)]
    pub common: UseArgs,
    /// Other data whose codes are looked at [default: the test rows of the data it was trained on]
    #[arg(long, value_name = "PATH")]
    pub data: Option<String>,
    /// The row whose neighbours are wanted, from 0
    #[arg(long, value_name = "ROW")]
    pub row: Option<usize>,
    /// How many neighbours
    #[arg(long, value_name = "N", default_value = "10", value_parser = value_parser!(u64).range(1..=1000))]
    pub neighbours: u64,
    /// How the map shows codes: pca, the two directions along which they spread most, or tsne, where near ones stay near
    ///
    /// t-SNE (van der Maaten & Hinton 2008) shows which rows are neighbours; how far groups are apart, and how wide one is, mean nothing in it.
    #[arg(long, value_name = "HOW", value_parser = map_kind, requires = "out")]
    pub map: Option<MapKind>,
    /// The most rows on a map of --map; of more, as many are taken evenly spaced
    #[arg(long, value_name = "N", requires = "map", default_value = "2000", value_parser = value_parser!(u64).range(10..=50_000))]
    pub map_rows: u64,
    /// The file to write: .png, a map of the codes by label, or .csv or .parquet, the dimensions, or with --map where each row is
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// How a map is made, by its name.
fn map_kind(text: &str) -> Result<MapKind, String> {
    text.parse().map_err(|_| format!("give {}", MapKind::VARIANTS.join(" or ")))
}
