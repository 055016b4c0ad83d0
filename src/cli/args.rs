//! The command line: which commands there are, what they take, and what each option means.
//!
//! Options of `elbo train` are all optional: one that is not given leaves the setting to the configuration file or the
//! preset ([`resolve`]). Their defaults are therefore not written here; [`command`] reads them out of the presets and adds
//! them to the help.

mod bench_help;
mod commands;
mod compare;
mod demo;
mod fetch;
mod import;
mod impute;
mod reconstruct;
mod resolve;
mod shell;
#[cfg(test)]
mod tests;
mod train;
mod uses;

use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use commands::{
    BenchArgs, BenchStep, DoctorArgs, EvaluateArgs, FitPriorArgs, KernelsArgs, KernelsCommand, LookArgs, ModelsArgs,
    ProfileArgs, ReproduceArgs, SampleArgs, ShowKernelArgs,
};
pub use compare::CompareArgs;
pub use demo::DemoArgs;
pub use fetch::FetchArgs;
pub use import::ImportArgs;
pub use impute::ImputeArgs;
pub use reconstruct::ReconstructArgs;
pub use resolve::{Resolved, data_config, resolve, train_config};
pub use shell::{CompletionsArgs, ManArgs};
pub use train::TrainArgs;
pub use uses::{
    AugmentArgs, CompressArgs, DecodeArgs, DecompressArgs, EncodeArgs, ExportArgs, InterpolateArgs, LatentArgs,
    ReportArgs, ScoreArgs, TraverseArgs, UseArgs,
};

use crate::config::Preset;

/// Trains variational autoencoders on any GPU, or on the processor.
///
/// A variational autoencoder (VAE) learns to squeeze each row of data, a picture say, into a few numbers (the code), to
/// rebuild the row from them, and to make up new rows that look like the old ones. It learns by maximising the ELBO, the
/// evidence lower bound: how well rows are rebuilt, less how much their codes say (the KL term).
///
/// Without a command, `elbo` says what it can do, and what to do next.
#[derive(Debug, Parser)]
#[command(
    name = "elbo",
    version,
    after_help = "\
Examples:
  elbo demo                               learn to draw digits, in about a minute
  elbo train --data mnist --preset classic
  elbo sample runs/vae-mnist --count 100 --out new.png

Options belong behind a command: elbo train --epochs 5. More about one: elbo help train."
)]
pub struct Cli {
    /// Threads to compute with [default: one for each core]
    ///
    /// Of the CPU executor and of what is measured on the processor; a GPU computes as it does.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Print nothing but errors; with --json, nothing but that
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// The command's name, as it is typed.
    #[arg(skip)]
    pub named: String,
    /// What to do; without it, the menu is shown.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What `elbo` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Learn to draw handwritten digits: the first thing to try, it needs no files
    ///
    /// Trains an ordinary run on digits that come with the program, with two numbers to describe each, so that all that was learnt
    /// can be drawn as a map.
    Demo(DemoArgs),
    /// Train a model and keep it, with its measurements and pictures, in a folder
    ///
    /// Settings come from a preset, then from --config, then from the options, the later going before the earlier. Nothing
    /// is required: without options, the model learns built-in pictures.
    Train(Box<TrainArgs>),
    /// Download a well-known data set: mnist, fashion-mnist, kmnist, cifar10, dsprites
    ///
    /// Without a name, lists them. Files come into the user's cache folder, each is checked, and what broke off is gone on with;
    /// afterwards the name is what to give as --data.
    Fetch(FetchArgs),
    /// Look at data without training on it: what it is, how it would be read, what is odd about it
    ///
    /// Prints rows, classes and parts, what was decided because nobody had and how to decide otherwise, and what was left out.
    /// With --out, draws rows from all over it.
    Data(LookArgs),
    /// List what models can be made of: networks, objectives, likelihoods, posteriors, priors
    ///
    /// With a name, explains one: its formula, where it comes from, the numbers it takes, and a command that uses it.
    Models(ModelsArgs),
    /// Measure a trained model on data it was not trained on
    ///
    /// Prints the ELBO and its two parts, reconstruction and KL, in nats per row; the likelihood by importance sampling; how
    /// many latent dimensions are in use; how far codes lie from the prior; and, where the data says which factors it was made
    /// from, how well codes separate them. The same stands in evaluation.json in the folder of the run.
    Evaluate(EvaluateArgs),
    /// Draw new rows from a trained model, as a picture or a table
    ///
    /// Codes are drawn from the prior and decoded. Only variational models can do that.
    Sample(SampleArgs),
    /// Make new rows of each class, with their labels
    ///
    /// More data for a classifier, in any format that training reads. A model that is told labels is told each; of another, codes are drawn
    /// as those of the training rows of the class are spread. --measure says whether that helps.
    Augment(AugmentArgs),
    /// Show rows beside what a trained model makes of them, as a picture or a table
    Reconstruct(ReconstructArgs),
    /// Write the codes of rows: means, standard deviations and draws of the posterior
    ///
    /// As a table or as arrays, which pandas and NumPy read. Which row is which is kept.
    Encode(EncodeArgs),
    /// Make rows of codes, as a table, an array or a picture
    Decode(DecodeArgs),
    /// Say how strange each row is, mark the strangest, and say where the strangeness lies
    ///
    /// Each row gets a score and a p-value: the share of normal rows that are as strange. Normal rows are those that the run held out,
    /// or those of --fit. Of new normal rows at most the share --false-alarms is marked, whatever the model is worth.
    Score(ScoreArgs),
    /// Train several models on the same data at equal work, and measure them side by side
    ///
    /// Each is an ordinary run in the folder --out, of the same rows, epochs and networks. What is measured, on the same held-out rows: whether it
    /// draws new rows, tells how sure it is, and fills gaps; how badly rows are rebuilt; how far new rows lie from held-out rows (Frechet distance
    /// along the first 50 principal axes of the training rows); whether what lies half-way between two codes is like the data; the ELBO and -ln p(x); and the time.
    Compare(CompareArgs),
    /// Compress rows without loss, with a trained model
    ///
    /// A row takes about as many bits as its -ELBO: with a vae, hierarchical, ladder or very-deep by
    /// bits-back coding (Townsend, Bird & Barber 2019), with a vq-vae or fsq as its indices under the prior and then its values. The networks are computed on the processor with the same bits everywhere, so any
    /// machine that has the model gets the same rows back.
    Compress(CompressArgs),
    /// Give back rows that `elbo compress` wrote
    Decompress(DecompressArgs),
    /// Draw rows between two rows, by way of their codes
    Interpolate(InterpolateArgs),
    /// Draw what each dimension of the code means: rows that differ in it alone
    ///
    /// Dimensions come in the order of their KL, each along the values that it takes in the data.
    Traverse(TraverseArgs),
    /// Say what the code means: how much each dimension says, what it goes with, which rows lie near one
    Latent(LatentArgs),
    /// Fill the blanks of a table with what a trained model expects
    ///
    /// Writes the same columns in the same order, blanks filled: numbers with their mean given what is known of the row, classes
    /// and marks with the likeliest, by importance sampling (Mattei & Frellsen 2019).
    Impute(ImputeArgs),
    /// Say all there is to say of a run in one page, which opens from disk without a network
    ///
    /// An HTML file that holds curves, new rows, rows built again, a map of the codes, sliders over a decoder that runs in the page, and
    /// figures with what they mean. Training leaves one in the folder of the run.
    Report(ReportArgs),
    /// Write a model out for other tools: a web page that runs it, its programs, ONNX, or weights for PyTorch
    ///
    /// The page is one file, which opens in a browser with WebGPU without a server or a network: codes are turned, rows built again and drawn, and
    /// with --with-data training goes on from where the run stopped. Elsewhere it says so, and shows what was recorded.
    Export(ExportArgs),
    /// Begin a run with weights of PyTorch, from a safetensors file
    ///
    /// The settings say what the model is, as for train, and a map which tensor of the file becomes which of the model. Without --map, lists the
    /// names and shapes of both, and suggests one.
    Import(Box<ImportArgs>),
    /// Run rows of the literature again, and hold what comes out against the papers
    ///
    /// Without a name, lists them. Every run is an ordinary one that stays in its folder; its command is printed.
    Reproduce(ReproduceArgs),
    /// List what can be computed on
    ///
    /// Example: elbo devices, then elbo train --device 1 for the device with the number 1.
    Devices,
    /// Check that a device works and computes correctly, and say what to do if not
    ///
    /// Looks for drivers, then runs every kernel and compares its numbers with those of the processor.
    Doctor(DoctorArgs),
    /// Measure how fast training is
    Bench(BenchArgs),
    /// List the kernels, or print the shader of one
    Kernels(KernelsArgs),
    /// Show where the time of a training step goes, kernel by kernel
    Profile(ProfileArgs),
    /// Fit a prior to the codes of a trained model, and keep the model with that prior as a new run
    ///
    /// By maximum likelihood of codes z ~ q(z|x) of the training rows, everything else staying as it is. Prints, for rows that
    /// were held out, how likely their codes are under the old prior and the new, and the ELBO with either.
    FitPrior(FitPriorArgs),
    /// Print what a shell needs to complete commands and options
    Completions(CompletionsArgs),
    /// Print the manual page, or write one for each command
    Man(ManArgs),
}

impl Cli {
    /// Reads the command line of this process. Prints the help, or what is wrong with the line, and exits, where it must.
    pub fn from_environment() -> Self {
        let matches = command().get_matches();
        let mut cli = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        if let Some((name, options)) = matches.subcommand() {
            cli.named = name.to_string();
            // JSON is all that is printed where it is asked for.
            cli.quiet &= !matches!(options.try_get_one("json"), Ok(Some(true)));
        }
        cli
    }
}

/// The definition of the command line, with the presets' values as defaults in the help of `train`.
pub fn command() -> clap::Command {
    let presets = Preset::ALL.map(|preset| (preset, toml::Table::try_from(preset.config()).unwrap_or_default()));
    // All are walked through, since changing a single one would move it to the end of the list.
    Cli::command().mut_subcommands(|command| match command.get_name() {
        "train" | "import" => command.mut_args(|arg| with_default(arg, &presets)),
        // Of the settings of data, these are not about what its rows are.
        "data" => command.mut_args(|arg| match arg.get_id().as_str() {
            "source" | "binarise" | "condition" | "labels" => arg.hide(true),
            _ => arg,
        }),
        _ => command,
    })
}

/// Options that are not named as the settings that they give, and those settings.
const NAMED_OTHERWISE: [(&str, &str); 3] = [("data", "source"), ("model", "kind"), ("second-stage", "first-stage")];

/// The key of the setting that an option gives.
fn key_of(option: &str) -> &str {
    NAMED_OTHERWISE.iter().find(|(name, _)| *name == option).map_or(option, |(_, key)| key)
}

/// The options of a command: the key of the setting that each gives, and how it is typed.
pub(super) fn options_of(command_name: &str) -> Vec<(String, String)> {
    let all = command();
    let arguments = all.find_subcommand(command_name).into_iter().flat_map(clap::Command::get_arguments);
    arguments.filter_map(Arg::get_long).map(|long| (key_of(long).to_owned(), format!("--{long}"))).collect()
}

/// Adds `[default: 20; classic: 10]` to the help of an option that is a setting.
fn with_default(arg: Arg, presets: &[(Preset, toml::Table)]) -> Arg {
    let key = arg.get_id().as_str().replace('_', "-");
    let value = |settings: &toml::Table| {
        let mut tables = settings.values().filter_map(toml::Value::as_table);
        tables.find_map(|table| table.get(&key)).map(spelled)
    };
    let Some((default, others)) = presets.split_first() else { return arg };
    let Some(usual) = value(&default.1) else { return arg };
    let mut note = format!(" [default: {usual}");
    for (preset, settings) in others {
        if let Some(value) = value(settings).filter(|value| *value != usual) {
            note += &format!("; {}: {value}", preset.name());
        }
    }
    note.push(']');
    // Below the paragraphs of a long text, as the library itself does it.
    let long = arg.get_long_help().map(|text| format!("{text}\n\n{}", note.trim_start()));
    let short = arg.get_help().map(|text| format!("{text}{note}")).unwrap_or_default();
    match long {
        Some(long) => arg.help(short).long_help(long),
        None => arg.help(short),
    }
}

/// A value as it is typed on the command line.
fn spelled(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(list) => list.iter().map(spelled).collect::<Vec<_>>().join(","),
        toml::Value::Float(number) => number.to_string(),
        other => other.to_string(),
    }
}
