//! Where data comes from, and how it is opened.

use std::path::{Path, PathBuf};

use super::dataset::Dataset;
use super::formats::{self, Found, Parts};
use super::known::{Known, how_to_fetch};
use super::origin::Origin;
use super::pictures::PictureOptions;
use super::schema::Schema;
use super::splits::Splits;
use super::sprites::{self, SpriteOptions};
use super::table::Choices;
use super::{digits, table};
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

/// How to open a source.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// Rows of the training set to hold out for validation. Where the source is a single file, or has no test rows of its
    /// own, a tenth is held out for testing, and 0 means another tenth.
    pub validation: usize,
    /// Decides which rows are held out and which sprites are drawn.
    pub seed: u64,
    /// What the built-in sprites look like.
    pub sprites: SpriteOptions,
    /// What people say of the columns of a table.
    pub columns: Choices,
    /// How pictures are read.
    pub pictures: PictureOptions,
    /// What rows are, where that is settled by a trained model: of tables nothing is guessed or scaled anew, and pictures are brought
    /// to its shape.
    pub schema: Option<Schema>,
}

impl Source {
    /// `sprites` and `digits` are built in (`./sprites` is a folder of that name). Anything else is a path; where there is none, and the
    /// name is that of a data set that has been fetched, it is where that is kept.
    pub fn parse(text: &str) -> Self {
        match text {
            "sprites" => Source::Sprites,
            "digits" => Source::Digits,
            path if Path::new(path).exists() => Source::Path(path.into()),
            path => Source::Path(Known::find(path).and_then(Known::fetched).unwrap_or(path.into())),
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
    let parts = match source {
        Source::Sprites => {
            let splits = open(source, options)?;
            return Ok(splits.test.unwrap_or(splits.train));
        }
        Source::Digits => digits::read()?,
        Source::Path(path) => match read(path, options)? {
            Found::Rows(parts) => *parts,
            Found::Tables(tables) => return table::open_whole(&tables, options),
        },
    };
    Ok(parts.test.unwrap_or(parts.train))
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
            how_to_fetch(path).unwrap_or_else(|| {
                format!(
                    "there is no such file or folder. Give one in a known format: {}; or `sprites` or `digits`, \
                 which are built in",
                    formats::names()
                )
            }),
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
