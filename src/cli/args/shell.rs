//! The options of what helps at the shell: completions and manual pages.

use std::path::PathBuf;

use clap::Args;
use clap_complete::aot::Shell;

/// The options of `elbo completions`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  elbo completions bash > ~/.local/share/bash-completion/completions/elbo
  elbo completions zsh > ~/.zfunc/_elbo
  elbo completions fish > ~/.config/fish/completions/elbo.fish")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// The options of `elbo man`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  elbo man | man -l -\n  elbo man --out ~/.local/share/man/man1")]
pub struct ManArgs {
    /// Folder to write a page of the program and one of each command into, in place of printing the program's
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
