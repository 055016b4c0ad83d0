//! Where data comes from, and how it is opened.

use std::path::{Path, PathBuf};

use super::dataset::Dataset;
use super::digits;
use super::format::{Found, Parts};
use super::formats;
pub use super::options::Options;
use super::origin::Origin;
use super::splits::Splits;
use super::sprites;
use super::table;
use super::values::Values;
use crate::error::{Error, Result};

/// Where rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The built-in generator, [`sprites`].
    Sprites,
    /// The handwritten digits that come with the program.
    Digits,
    /// A file or a folder in one of the known [`formats`].
    Path(PathBuf),
}

impl Source {
    /// `sprites` and `digits` are built in; anything else is a path (`./sprites` for a folder of that name).
    pub fn parse(text: &str) -> Self {
        match text {
            "sprites" => Source::Sprites,
            "digits" => Source::Digits,
            path => Source::Path(path.into()),
        }
    }
}

/// Reads or makes the rows of `source` and splits them.
///
/// # Errors
/// When the path is missing or unreadable, is in no known format, is damaged or contradicts itself; when the options ask
/// for more rows than there are. Every message says what was found, what was expected and what to do.
pub fn open(source: &Source, options: &Options) -> Result<Splits> {
    match source {
        Source::Sprites => {
            let (train, test) = sprites::generate(&options.sprites, options.seed)?;
            let splits = Splits::hold_out(train, test, options.validation, options.seed)?;
            Ok(Splits {
                origin: Origin::of("white shapes on black, drawn by the program from known factors"),
                ..splits
            })
        }
        Source::Digits => split(digits::read()?, options),
        Source::Path(path) => match read(path, options)? {
            Found::Rows(parts) => split(*parts, options),
            Found::Tables(tables) => table::open(&tables, options),
        },
    }
}

/// Holds out what the parts do not have of their own.
fn split(parts: Parts, options: &Options) -> Result<Splits> {
    let Parts { train, validation, test, mut origin } = parts;
    if let Values::Stored(stored) = &train.values {
        origin.guesses.push(stored.told());
    }
    let (count, seed) = (options.validation, options.seed);
    let splits = match (validation, test) {
        (None, None) => {
            let splits = Splits::from_one(train, count, seed)?;
            if splits.test.is_some() {
                let said = "the data has no parts of its own: rows are held out by chance, as --seed decides, a tenth for \
                            test and another, or as many as --validation says, for validation";
                origin.guesses.push(said.to_owned());
            }
            splits
        }
        (Some(own), _) if count > 0 => {
            return Err(Error::invalid(format!(
                "{count} rows are to be held out for validation, and the data {} comes with {} of its own: leave \
                 `validation` out",
                train.name, own.rows
            )));
        }
        (None, test) => Splits::hold_out(train, test, count, seed)?,
        (validation, test) => Splits { train, validation, test, origin: Origin::default() },
    };
    Ok(Splits { origin, ..splits })
}

/// Reads all rows of `source` in the order in which they come, with nothing held out: those for testing, where it has some that
/// come apart, else all there are.
///
/// # Errors
/// As for [`open`].
pub fn open_whole(source: &Source, options: &Options) -> Result<Dataset> {
    Ok(open_all(source, options)?.0)
}

/// The same, with what is said of the rows besides.
///
/// # Errors
/// As for [`open`].
pub fn open_all(source: &Source, options: &Options) -> Result<(Dataset, Origin)> {
    let parts = match source {
        Source::Sprites => {
            let splits = open(source, options)?;
            return Ok((splits.test.unwrap_or(splits.train), splits.origin));
        }
        Source::Digits => digits::read()?,
        Source::Path(path) => match read(path, options)? {
            Found::Rows(parts) => *parts,
            Found::Tables(tables) => return Ok((table::open_whole(&tables, options)?, Origin::default())),
        },
    };
    Ok((parts.test.unwrap_or(parts.train), parts.origin))
}

/// Whether a source is a table, as far as its name and its first bytes tell.
pub fn is_table(source: &Source) -> bool {
    match source {
        Source::Sprites | Source::Digits => false,
        Source::Path(path) => formats::is_table(path),
    }
}

fn read(path: &Path, options: &Options) -> Result<Found> {
    if !path.exists()
        && let Some(found) = formats::read_named(path, options)
    {
        return found;
    }
    let about = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::malformed(
            path,
            format!(
                "there is no such file or folder. Give one in a known format: {}; or `sprites` or `digits`, \
                 which are built in",
                formats::names()
            ),
        ),
        _ => Error::io("read", path)(error),
    })?;
    if about.is_dir() {
        formats::read_folder(path, options)
    } else if about.is_file() {
        formats::read_file(path, options)
    } else {
        Err(Error::malformed(
            path,
            "this is a pipe or a device; data is read from regular files, so write it to one first",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_name_is_not_a_path() {
        assert_eq!(Source::parse("sprites"), Source::Sprites);
        assert_eq!(Source::parse("digits"), Source::Digits);
        assert_eq!(Source::parse("./sprites"), Source::Path("./sprites".into()));
    }

    #[test]
    fn a_missing_path_says_what_could_be_given() {
        for text in ["no/such/path", ""] {
            let found = open(&Source::parse(text), &Options::default());
            let message = found.unwrap_err().to_string();
            assert!(message.contains("no such file or folder"), "{message}");
            assert!(message.contains("IDX") && message.contains("`sprites`"), "{message}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_not_read_for_ever() {
        let found = open(&Source::parse("/dev/zero"), &Options::default());
        assert!(found.unwrap_err().to_string().contains("pipe or a device"));
    }
}
