//! `elbo completions` and `elbo man`.

use std::io::Error as IoError;
use std::path::Path;

use clap_mangen::Man;

use super::args::{CompletionsArgs, ManArgs, command};
use crate::error::{Error, Result};
use crate::files::{create_folder, write_atomically};

/// What the program is called.
const NAME: &str = "elbo";

/// Prints what a shell reads to complete options.
pub fn completions(args: &CompletionsArgs) -> Result<()> {
    let mut text = vec![];
    clap_complete::generate(args.shell, &mut command(), NAME, &mut text);
    print!("{}", String::from_utf8_lossy(&text));
    Ok(())
}

/// Prints the manual page, or writes those of all commands.
pub fn man(args: &ManArgs) -> Result<()> {
    let mut all = command();
    all.build();
    let Some(folder) = &args.out else {
        print!("{}", String::from_utf8_lossy(&page(NAME, all).map_err(Error::invalid)?));
        return Ok(());
    };
    create_folder(folder)?;
    let subcommands = all.get_subcommands().filter(|sub| sub.get_name() != "help");
    let named = subcommands.map(|sub| (format!("{NAME}-{}", sub.get_name()), sub));
    let pages: Vec<_> = named.chain([(NAME.to_string(), &all)]).collect();
    for (title, command) in &pages {
        write_page(&folder.join(format!("{title}.1")), title, command)?;
    }
    println!("{} pages in {}", pages.len(), folder.display());
    Ok(())
}

fn write_page(path: &Path, title: &str, command: &clap::Command) -> Result<()> {
    let text = page(title, command.clone()).map_err(Error::io("write", path))?;
    write_atomically(path, |file| file.write_all(&text))
}

fn page(title: &str, command: clap::Command) -> std::result::Result<Vec<u8>, IoError> {
    let mut text = vec![];
    Man::new(command).title(title).render(&mut text)?;
    Ok(text)
}
