//! The options of `elbo fetch`.

use std::path::PathBuf;

use clap::Args;

/// The options of `elbo fetch`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  elbo fetch\n  elbo fetch mnist, then elbo train --data mnist")]
pub struct FetchArgs {
    /// The data set
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Folder to keep it in [default: one of its name in the user's cache folder, where --data NAME finds it]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Address of a folder that has its files, in place of where they are published
    #[arg(long, value_name = "URL")]
    pub from: Option<String>,
}
