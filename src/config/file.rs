//! Configuration files: TOML in, TOML out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use toml::{Table, Value};

use super::{Chosen, Config, FirstStage, Layer, Preset, keys};
use crate::error::{Error, Result};

/// More than anyone will type.
const MAX_BYTES: u64 = 1 << 20;

impl Config {
    /// Reads a file over the preset it names (`sprites` when it names none) and checks the outcome.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML, has an unknown key or a value of the wrong type, or when
    /// [`Config::validate`] finds a problem.
    pub fn load(path: &Path) -> Result<Self> {
        let config = Self::layered(None, Some(path))?;
        config.validate().map_err(|problem| Error::malformed(path, problem))?;
        Ok(config)
    }

    /// Reads settings as [`Config::load`] does, from text instead of a file.
    ///
    /// # Errors
    /// As for [`Config::load`], but for reading the file.
    pub fn from_toml(text: &str) -> Result<Self> {
        let config = parse(text, None, &Preset::config).map_err(Error::invalid)?;
        config.validate()?;
        Ok(config)
    }

    /// A preset with a file over it, not yet checked. `preset` goes before the one the file names.
    pub(crate) fn layered(preset: Option<Preset>, path: Option<&Path>) -> Result<Self> {
        match path {
            None => Ok(preset.unwrap_or_default().config()),
            Some(path) => {
                parse(&read(path)?, preset, &Preset::config).map_err(|problem| Error::malformed(path, problem))
            }
        }
    }

    /// The settings that were chosen by what the rows are, with a file over them, not yet checked.
    ///
    /// # Errors
    /// When the file cannot be read, or is no such file.
    pub fn layered_on_chosen(chosen: &Chosen, path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(chosen.config()) };
        let base = |_: Preset| chosen.config();
        parse(&read(path)?, Some(chosen.preset), &base).map_err(|problem| Error::malformed(path, problem))
    }

    /// The usual settings of a second stage on a run's model, with a file over them, not yet checked: those of the preset
    /// that is given, or that the file names, or else of the run's.
    pub fn layered_on(first: &FirstStage, of: &Config, preset: Option<Preset>, path: Option<&Path>) -> Result<Self> {
        let base = |preset: Preset| preset.config().standing_on(first, of);
        let Some(path) = path else { return Ok(base(preset.unwrap_or(of.preset))) };
        let text = read(path)?;
        let preset = preset.or((!names_preset(Some(path))?).then_some(of.preset));
        let config = parse(&text, preset, &base).map_err(|problem| Error::malformed(path, problem))?;
        Ok(Config { first_stage: Some(first.clone()), ..config })
    }

    /// All settings as TOML, to be read by people and by [`Config::load`].
    ///
    /// # Errors
    /// When a setting cannot be written in TOML, which [`Config::validate`] would have found.
    pub fn to_toml(&self) -> Result<String> {
        let mut settings = self.clone();
        settings.name_pieces();
        let text = toml::to_string(&settings)
            .map_err(|error| Error::invalid(format!("the settings cannot be written as TOML: {error}")))?;
        Ok(format!(
            "# The settings of a run of elbo. To use them again: elbo train --config FILE\n\
             # An explanation of each: elbo train --help\n\n{text}"
        ))
    }

    /// The keys of the settings in which `self` and `other` differ, in alphabetical order of their tables.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let tables = [self, other].map(|config| Table::try_from(config).unwrap_or_default());
        let [ours, theirs] = tables.each_ref().map(settings);
        let keys: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
        let different = keys.into_iter().filter(|key| ours.get(*key) != theirs.get(*key));
        different.map(|(_, key)| (*key).to_owned()).collect()
    }
}

/// Whether a file says which preset it lies over.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn names_preset(path: Option<&Path>) -> Result<bool> {
    Ok(Named::of(path)?.0.contains_key("preset"))
}

/// Which settings a file names; none where there is no file.
#[derive(Debug, Default)]
pub(crate) struct Named(Table);

impl Named {
    /// Those of a file, if there is one.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn of(path: Option<&Path>) -> Result<Named> {
        let Some(path) = path else { return Ok(Named::default()) };
        Ok(Named(read(path)?.parse().unwrap_or_default()))
    }

    /// Whether one of these keys of a table is among them.
    pub fn has(&self, table: &str, keys: &[&str]) -> bool {
        self.0.get(table).is_some_and(|table| keys.iter().any(|key| table.get(*key).is_some()))
    }
}

/// The settings of all tables by (table, key).
fn settings(config: &Table) -> BTreeMap<(&str, &str), &Value> {
    let tables = config.iter().filter_map(|(name, value)| Some((name, value.as_table()?)));
    tables.flat_map(|(name, table)| table.iter().map(|(key, value)| ((name.as_str(), key.as_str()), value))).collect()
}

fn read(path: &Path) -> Result<String> {
    // Asked before opening: opening a pipe would wait for a writer.
    let about = std::fs::metadata(path).map_err(Error::io("read", path))?;
    if about.is_dir() {
        return Err(Error::malformed(path, "this is a folder, and a TOML file with settings was expected"));
    }
    let file = File::open(path).map_err(Error::io("read", path))?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::malformed(
            path,
            format!("this has more than {MAX_BYTES} bytes, and a TOML file with settings was expected"),
        ));
    }
    let text = String::from_utf8(bytes);
    text.map_err(|_| Error::malformed(path, "this is not text, and a TOML file with settings was expected"))
}

/// Reads `text` over the settings that belong to a preset. The error is a sentence for people.
fn parse(text: &str, preset: Option<Preset>, base: &dyn Fn(Preset) -> Config) -> std::result::Result<Config, String> {
    let file: Table = text.parse().map_err(|error| explain(&error, text))?;
    let unknown = keys::unknown(&file);
    if !unknown.is_empty() {
        return Err(unknown.join("\n  and "));
    }
    let layer: Layer = toml::from_str(text).map_err(|error| explain(&error, text))?;
    let preset = preset.or(layer.preset).unwrap_or_default();
    let mut config = Config { preset, ..base(preset) };
    layer.lay_over(&mut config).map_err(|error| error.to_string())?;
    if layer.training.epochs.is_some() && layer.training.kl_warmup_epochs.is_none() {
        config.fit_warm_up();
    }
    Ok(config)
}

/// A reader's message with its line, in words for people who do not write Rust.
pub(super) fn explain(error: &toml::de::Error, text: &str) -> String {
    const WORDS: [(&str, &str); 10] = [
        ("invalid type: ", "found "),
        ("invalid value: ", "found "),
        ("expected usize", "expected a whole number, 0 or more"),
        ("expected u64", "expected a whole number, 0 or more"),
        ("expected f64", "expected a number"),
        ("expected a sequence", "expected a list such as [400, 200]"),
        ("a boolean", "true or false"),
        ("boolean `", "`"),
        ("floating point `", "the number `"),
        ("unknown variant", "there is no"),
    ];
    let mut message = error.message().replace('\n', " ");
    for (from, to) in WORDS {
        message = message.replace(from, to);
    }
    if let Some((start, _)) = message.split_once("expected struct ") {
        message = format!("{start}expected a table");
    }
    match error.span().and_then(|span| text.get(..span.start)) {
        Some(before) => {
            let number = before.matches('\n').count();
            let line: String = text.lines().nth(number).unwrap_or_default().trim().chars().take(120).collect();
            format!("line {} ({line}): {message}", number + 1)
        }
        None => message,
    }
}
