//! The keys of a configuration file, and what was probably meant by one that is not among them.

use toml::Table;

use super::first_stage::FirstStageOptions;
use super::{DataOptions, DeviceOptions, ModelOptions, TrainingOptions};
use crate::problems::nearest;

/// A key of a table, and the words by which the command line knows it.
struct Key {
    name: String,
    words: Vec<String>,
}

/// Every table with its keys, as their options are declared.
fn tables() -> Vec<(&'static str, Vec<Key>)> {
    let first = FirstStageOptions::KEYS.map(|key| Key { name: key.to_string(), words: vec![] });
    vec![
        ("data", declared::<DataOptions>(DataOptions::KEYS)),
        ("model", declared::<ModelOptions>(ModelOptions::KEYS)),
        ("training", declared::<TrainingOptions>(TrainingOptions::KEYS)),
        ("device", declared::<DeviceOptions>(DeviceOptions::KEYS)),
        ("first-stage", first.into()),
    ]
}

fn declared<T: Declared>(fields: &[Option<&str>]) -> Vec<Key> {
    let key = |field: &&str| Key { name: field.replace('_', "-"), words: words::<T>(field) };
    fields.iter().flatten().map(key).collect()
}

/// Options that the command line knows.
#[cfg(feature = "cli")]
use clap::Args as Declared;

/// Options of a build without a command line.
#[cfg(not(feature = "cli"))]
trait Declared {}

#[cfg(not(feature = "cli"))]
impl<T> Declared for T {}

/// The words by which the command line knows the option of a field.
#[cfg(feature = "cli")]
fn words<T: Declared>(field: &str) -> Vec<String> {
    let command = T::augment_args(clap::Command::new("keys"));
    let Some(arg) = command.get_arguments().find(|arg| arg.get_id() == field) else { return vec![] };
    arg.get_long().into_iter().chain(arg.get_all_aliases().unwrap_or_default()).map(String::from).collect()
}

#[cfg(not(feature = "cli"))]
fn words<T: Declared>(_: &str) -> Vec<String> {
    vec![]
}

/// One sentence for every key in `file` that no table has.
pub(super) fn unknown(file: &Table) -> Vec<String> {
    let tables = Tables(tables());
    let mut found = Vec::new();
    for (name, value) in file {
        match (tables.keys(name), value.as_table()) {
            (Some(keys), Some(entries)) => {
                let unknown = entries.keys().filter(|entry| keys.iter().all(|key| key.name != **entry));
                found.extend(unknown.map(|key| tables.sentence(key, name, keys)));
            }
            (None, None) if name != "preset" => {
                let hint = tables
                    .home(name)
                    .unwrap_or_else(|| format!("above the first table stands only `preset`{}", tables.names()));
                found.push(format!("there is no key `{name}` here: {hint}"));
            }
            (None, Some(_)) => found.push(format!("there is no table `[{name}]`{}", tables.names())),
            // A known table that is not one: the reader of types says so.
            _ => {}
        }
    }
    found
}

/// All tables by their names.
struct Tables(Vec<(&'static str, Vec<Key>)>);

impl Tables {
    fn keys(&self, table: &str) -> Option<&[Key]> {
        self.0.iter().find(|(name, _)| *name == table).map(|(_, keys)| &keys[..])
    }

    fn sentence(&self, key: &str, table: &str, keys: &[Key]) -> String {
        let start = format!("there is no key `{key}` in [{table}]");
        if let Some(hint) = self.home(key) {
            return format!("{start}: {hint}");
        }
        if let Some(near) = meant(key, keys.iter()) {
            return format!("{start}: did you mean `{near}`?");
        }
        match meant(key, self.0.iter().flat_map(|(_, keys)| keys)) {
            Some(near) => {
                let table = self.table_of(near).unwrap_or_default();
                format!("{start}: did you mean `{near}`, which belongs in [{table}]?")
            }
            None => {
                let names: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
                format!("{start}, which knows {}", names.join(", "))
            }
        }
    }

    /// Where a key that stands in the wrong place belongs.
    fn home(&self, key: &str) -> Option<String> {
        self.table_of(key).map(|table| format!("it belongs in [{table}]"))
    }

    fn table_of(&self, key: &str) -> Option<&'static str> {
        self.0.iter().find(|(_, keys)| keys.iter().any(|known| known.name == key)).map(|(table, _)| *table)
    }

    fn names(&self) -> String {
        let names: Vec<String> = self.0.iter().map(|(table, _)| format!("[{table}]")).collect();
        format!("; the tables are {}", names.join(", "))
    }
}

/// The key that was probably meant by a word, or that has the word as another name, as papers and other programs use them.
fn meant<'a>(word: &str, keys: impl Iterator<Item = &'a Key> + Clone) -> Option<&'a str> {
    let word = word.to_lowercase().replace('_', "-");
    let known = keys.clone().find(|key| key.words.contains(&word)).map(|key| key.name.as_str());
    known.or_else(|| nearest(&word, keys.map(|key| key.name.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layer;

    /// The reader itself says which keys it takes, when asked for one it does not.
    #[test]
    fn the_list_is_that_of_the_reader() {
        for (table, keys) in tables() {
            let keys: Vec<String> = keys.into_iter().map(|key| key.name).collect();
            let error = toml::from_str::<Layer>(&format!("[{table}]\n\"?\" = 0")).unwrap_err().to_string();
            let (_, expected) = error.split_once("expected ").unwrap();
            let expected: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
            assert_eq!(expected, keys, "{error}");
        }
        let error = toml::from_str::<Layer>("\"?\" = 0").unwrap_err().to_string();
        assert!(
            error.contains("expected one of `preset`, `data`, `model`, `training`, `device`, `first-stage`"),
            "{error}"
        );
    }

    #[test]
    fn says_what_was_probably_meant() {
        for (text, expected) in [
            ("[training]\nlearning_rate = 1", "`learning_rate` in [training]: did you mean `learning-rate`?"),
            ("[training]\nlr = 1", "did you mean `learning-rate`?"),
            ("[training]\nepoch = 1", "did you mean `epochs`?"),
            ("[model]\nlearning-rat = 1", "did you mean `learning-rate`, which belongs in [training]?"),
            ("[training]\nbeta = 1", "`beta` in [training]: it belongs in [model]"),
            ("beta = 1", "`beta` here: it belongs in [model]"),
            ("[device]\nzzzzzzzz = 1", "which knows device, devices, deterministic"),
            ("nonsense = 1", "stands only `preset`; the tables are [data], [model]"),
            ("[optimizer]\nlr = 1", "no table `[optimizer]`; the tables are [data], [model]"),
        ] {
            let found = unknown(&text.parse().unwrap());
            assert!(found.len() == 1 && found[0].contains(expected), "{found:?}");
        }
        assert_eq!(unknown(&"[data]\na = 1\nb = 2\n[model]\nlatent = 3".parse().unwrap()).len(), 2);
        assert_eq!(unknown(&"preset = 'classic'\nmodel = 3".parse().unwrap()), [""; 0]);
    }
}
