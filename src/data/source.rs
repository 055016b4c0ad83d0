//! Where data comes from, and how it is opened.

use std::path::{Path, PathBuf};

use super::dataset::Dataset;
use super::format::{Found, Parts};
use super::formats::table_of;
use super::known::{Known, how_to_fetch};
use super::npz::one_naming;
pub use super::options::Options;
use super::origin::Origin;
use super::schema::Schema;
use super::splits::Splits;
use super::standardise::{is_of_columns, scaled, standardised};
use super::values::{PackingKind, Values};
use super::{digits, formats, sprites, stdin, table};
use crate::error::{Error, Result};

/// Where rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The built-in generator, [`sprites`].
    Sprites,
    /// The handwritten digits that come with the program.
    Digits,
    /// What comes in through standard input: a table, or an array of NumPy.
    Input,
    /// A file or a folder in one of the known [`formats`].
    Path(PathBuf),
}

impl Source {
    /// `sprites` and `digits` are built in (`./sprites` is a folder of that name), and `-` is standard input. Anything else is a path; where
    /// there is none, and the name is that of a data set that has been fetched, it is where that is kept.
    pub fn parse(text: &str) -> Self {
        match text {
            "sprites" => Source::Sprites,
            "digits" => Source::Digits,
            "-" => Source::Input,
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
        Source::Input | Source::Path(_) => match with_others(read_source(source, options)?, options)? {
            Found::Rows(parts) if parts.is_unscaled => standardised(split(*parts, options)?, of_columns(options)),
            Found::Rows(parts) => split(*parts, options),
            Found::Tables(tables) => table::open(&tables, options),
        },
    }
}

/// Holds out what the parts do not have of their own.
fn split(parts: Parts, options: &Options) -> Result<Splits> {
    let Parts { train, validation, test, mut origin, .. } = parts;
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
        Source::Input | Source::Path(_) => match read_source(source, options)? {
            Found::Rows(parts) => *parts,
            Found::Tables(tables) => return Ok((table::open_whole(&tables, options)?, Origin::default())),
        },
    };
    let (is_unscaled, origin, data) = (parts.is_unscaled, parts.origin, parts.test.unwrap_or(parts.train));
    match of_columns(options) {
        Some(schema) if is_unscaled => Ok((scaled(&data, schema)?, origin)),
        _ => Ok((data, origin)),
    }
}

/// The columns of a run on standardised vectors.
fn of_columns(options: &Options) -> Option<&Schema> {
    options.schema.as_ref().filter(|schema| is_of_columns(schema))
}

/// Whether a source is a table, as far as its name and its first bytes tell.
pub fn is_table(source: &Source) -> bool {
    match source {
        Source::Sprites | Source::Digits => false,
        Source::Input => stdin::file().is_ok_and(|path| formats::is_table(&path)),
        Source::Path(path) => formats::is_table(path),
    }
}

fn read_source(source: &Source, options: &Options) -> Result<Found> {
    match source {
        Source::Path(path) => read(path, options),
        _ => read(&stdin::file()?, options),
    }
}

/// The rows that are wanted, with parts that lie elsewhere.
fn with_others(found: Found, options: &Options) -> Result<Found> {
    let (validation, test) = (options.validation_data.as_deref(), options.test_data.as_deref());
    match found {
        Found::Tables(mut tables) => {
            let table = |path: Option<&Path>| path.map(table_of).transpose();
            tables.validation = table(validation)?;
            tables.test = table(test)?.or(tables.test);
            Ok(Found::Tables(tables))
        }
        Found::Rows(mut parts) => {
            if let Some(column) = &options.columns.weight {
                return Err(Error::invalid(format!(
                    "`weight` names the column {column} of a table, and the data {} is none: leave it out, and put the weights beside \
                     an array NAME.npy as NAME.weights.npy, or into an archive .npz as weights",
                    parts.train.name
                )));
            }
            if let Some(range) = options.rows {
                let rows = range.among(parts.train.rows, &parts.train.name)?;
                parts.train = parts.train.subset(&rows.collect::<Vec<_>>());
            }
            if validation.is_none() && test.is_none() {
                return Ok(Found::Rows(parts));
            }
            // What is settled by training rows holds for the others.
            let settled = options.schema.clone().or_else(|| Some(parts.train.schema.clone()));
            let same =
                Options { schema: settled, rows: None, validation_data: None, test_data: None, ..options.clone() };
            let other = |path: Option<&Path>| -> Result<Option<Dataset>> {
                let Some(path) = path else { return Ok(None) };
                match read(path, &same)? {
                    Found::Rows(other) if parts.is_unscaled && other.train.values.kind() != PackingKind::Floats => {
                        Err(Error::malformed(
                            path,
                            "these are bytes, and the rows to train on are numbers that are scaled: convert them, as with \
                             array.astype('float32')",
                        ))
                    }
                    Found::Rows(other) if other.train.shape() == parts.train.shape() => Ok(Some(other.train)),
                    Found::Rows(other) => Err(Error::malformed(
                        path,
                        format!("its rows are {}, and those to train on {}", other.train.shape(), parts.train.shape()),
                    )),
                    Found::Tables(_) => {
                        Err(Error::malformed(path, "this is a table, and the rows to train on are none"))
                    }
                }
            };
            let (validation, test) = (other(validation)?, other(test)?);
            (parts.validation, parts.test) = (validation.or(parts.validation), test.or(parts.test));
            let all = [Some(&mut parts.train), parts.validation.as_mut(), parts.test.as_mut()].into_iter().flatten();
            one_naming(all.filter_map(|data| data.labels.as_mut()).collect());
            Ok(Found::Rows(parts))
        }
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
                     which are built in, or `-` for standard input",
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
