//! Settings by the names of their options, for programs that are given them as keywords: `learning_rate` is `--learning-rate`.

use std::collections::BTreeMap;

use serde::Serialize;
use toml::{Table, Value};

use super::file::explain;
use super::{Config, DataConfig, DataOptions, DeviceOptions, Layer, ModelOptions, TrainingOptions};
use crate::error::{Error, Result};
use crate::problems::nearest;
use crate::settings::Declared;

/// A setting by the name of its option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyword {
    /// Its name, with `_` between words.
    pub name: String,
    /// The table of files that it belongs to; nothing for `preset`, which stands above them.
    pub table: &'static str,
    /// Its key there.
    key: String,
    /// What its value is.
    pub takes: Takes,
    /// Its help: a sentence, and behind an empty line more of it.
    pub help: String,
}

/// What the value of a setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Whether or not.
    Truth,
    /// A whole number.
    Whole,
    /// A number.
    Number,
    /// Several whole numbers.
    Wholes,
    /// Several words.
    Words,
    /// A word, as it is typed on the command line.
    Word,
}

impl Takes {
    /// By the type of the value, as it is written in Rust.
    fn of(written: &str) -> Takes {
        match written.replace(' ', "").as_str() {
            "bool" => Takes::Truth,
            "usize" | "u64" => Takes::Whole,
            "f64" => Takes::Number,
            "Vec<usize>" => Takes::Wholes,
            "Vec<String>" => Takes::Words,
            _ => Takes::Word,
        }
    }
}

impl Keyword {
    fn of(table: &'static str, declared: &Declared, keys: &[Option<&str>]) -> Option<Keyword> {
        keys.contains(&Some(declared.field)).then_some(())?;
        Some(Keyword {
            name: declared.option?.replace('-', "_"),
            table,
            key: declared.field.replace('_', "-"),
            takes: Takes::of(declared.of),
            help: declared.help.iter().map(|line| line.trim()).collect::<Vec<_>>().join("\n"),
        })
    }
}

/// All settings that count where rows lie in memory, in the order of their tables.
pub fn keywords() -> Vec<Keyword> {
    let help = "Settings that go well together, from which the others depart".to_string();
    let preset = Keyword { name: "preset".to_string(), table: "", key: "preset".to_string(), takes: Takes::Word, help };
    let tables = [
        ("data", DataOptions::DECLARED, DataOptions::KEYS),
        ("model", ModelOptions::DECLARED, ModelOptions::KEYS),
        ("training", TrainingOptions::DECLARED, TrainingOptions::KEYS),
        ("device", DeviceOptions::DECLARED, DeviceOptions::KEYS),
    ];
    let all = tables.into_iter().flat_map(|(table, declared, keys)| {
        declared.iter().filter_map(move |declared| Keyword::of(table, declared, keys))
    });
    let counts = |keyword: &Keyword| keyword.table != "data" || DataConfig::OF_ROWS.contains(&&*keyword.name);
    [preset].into_iter().chain(all.filter(counts)).collect()
}

impl Layer {
    /// Settings that are given by the names of their options: `learning_rate` or `learning-rate`, as [`keywords`] lists them. What is a word
    /// on the command line is a text, such as `"mlp:400"`; numbers are numbers.
    ///
    /// # Errors
    /// If there is no such setting, or a value is of another type or cannot be read; bounds are held by [`Config::validate`].
    pub fn of_keywords<T: Serialize>(given: impl IntoIterator<Item = (String, T)>) -> Result<Layer> {
        let all = keywords();
        let mut tables = Table::new();
        for (name, value) in given {
            let keyword = find(&all, &name)?;
            let value = Value::try_from(value)
                .map_err(|error| Error::invalid(format!("`{name}` is no value of a setting: {error}")))?;
            // By itself first, so that what is said names it.
            let alone = keyword.within(Table::new(), value.clone());
            let text = toml::to_string(&alone).map_err(|error| Error::invalid(format!("`{name}`: {error}")))?;
            toml::from_str::<Layer>(&text)
                .map_err(|error| Error::invalid(format!("`{name}` cannot be {value}: {}", explain(&error, ""))))?;
            tables = keyword.within(tables, value);
        }
        tables.try_into().map_err(|error: toml::de::Error| Error::invalid(explain(&error, "")))
    }
}

impl Keyword {
    /// Tables of settings with this one.
    fn within(&self, mut tables: Table, value: Value) -> Table {
        match self.table {
            "" => drop(tables.insert(self.key.clone(), value)),
            table => {
                let own = tables.entry(table).or_insert_with(|| Value::Table(Table::new()));
                if let Value::Table(own) = own {
                    own.insert(self.key.clone(), value);
                }
            }
        }
        tables
    }
}

fn find<'a>(all: &'a [Keyword], name: &str) -> Result<&'a Keyword> {
    let plain = name.replace('-', "_");
    all.iter().find(|keyword| keyword.name == plain).ok_or_else(|| {
        Error::invalid(match nearest(&plain, all.iter().map(|keyword| &*keyword.name)) {
            Some(near) => format!("there is no setting `{name}`: did you mean `{near}`?"),
            None => format!("there is no setting `{name}`; `elbo help train` explains those that there are"),
        })
    })
}

impl Config {
    /// The settings that are not as the preset has them, by the names of their options, and the preset: what [`Layer::of_keywords`] takes.
    ///
    /// # Errors
    /// If they cannot be written, which [`Config::validate`] would have found.
    pub fn keywords(&self) -> Result<BTreeMap<String, impl Serialize + use<>>> {
        let written = |config: &Config| Table::try_from(config).map_err(Error::invalid);
        let (own, usual) = (written(self)?, written(&self.preset.config())?);
        let value = |tables: &Table, keyword: &Keyword| match keyword.table {
            "" => tables.get(&keyword.key).cloned(),
            table => tables.get(table).and_then(|table| table.get(&keyword.key)).cloned(),
        };
        let given = keywords().into_iter().filter_map(|keyword| {
            let found = value(&own, &keyword)?;
            (keyword.table.is_empty() || Some(&found) != value(&usual, &keyword).as_ref())
                .then_some((keyword.name, found))
        });
        Ok(given.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Preset;

    fn given(all: &[(&str, Value)]) -> Result<Layer> {
        Layer::of_keywords(all.iter().map(|(name, value)| (name.to_string(), value.clone())))
    }

    fn text(word: &str) -> Value {
        Value::String(word.to_string())
    }

    #[test]
    fn keywords_are_the_options_of_the_command_line() {
        let layer = given(&[
            ("preset", text("classic")),
            ("model", text("m2")),
            ("hidden", Value::Array(vec![Value::Integer(30)])),
            ("learning_rate", Value::Integer(1)),
            ("batch", Value::Integer(16)),
            ("device", text("cpu")),
            ("labels", Value::Integer(20)),
        ]);
        let file = "preset = 'classic'\n[model]\nkind = 'm2'\nhidden = [30]\n[training]\nlearning-rate = 1\nbatch = 16\n\
                    [device]\ndevice = 'cpu'\n[data]\nlabels = 20";
        assert_eq!(layer.unwrap(), toml::from_str(file).unwrap());
        assert_eq!(given(&[]).unwrap(), Layer::default());
    }

    #[test]
    fn what_is_no_setting_is_refused_by_its_name() {
        let said = |name: &str, value: Value| given(&[(name, value)]).unwrap_err().to_string();
        for (name, value, expected) in [
            ("latnt", Value::Integer(2), "there is no setting `latnt`: did you mean `latent`?"),
            ("epochs", text("many"), "`epochs` cannot be \"many\": found string \"many\", expected a whole number"),
            ("epochs", Value::Integer(-1), "`epochs` cannot be -1"),
            ("encoder", text("mlp:=3"), "`encoder` cannot be \"mlp:=3\""),
            ("model", text("lader"), "did you mean `ladder`"),
            // A file has it, and rows in memory come from none; what only files call so is no option.
            ("source", text("digits"), "there is no setting `source`"),
            ("kind", text("vae"), "there is no setting `kind`"),
        ] {
            let said = said(name, value);
            assert!(said.contains(expected), "{said}");
        }
    }

    #[test]
    fn settings_come_back_as_keywords() {
        let mut config = Preset::Classic.config();
        (config.model.latent, config.training.seed) = (3, 9);
        config.model.encoder = "mlp:hidden=8".parse().unwrap();
        let written = config.keywords().unwrap();
        assert_eq!(written.keys().collect::<Vec<_>>(), ["encoder", "latent", "preset", "seed"]);
        let mut back = Preset::Classic.config();
        Layer::of_keywords(written).unwrap().lay_over(&mut back).unwrap();
        assert_eq!(back, config);
    }

    #[test]
    fn every_keyword_says_what_it_takes_and_is_explained() {
        let all = keywords();
        let takes = |name: &str| find(&all, name).unwrap().takes;
        assert_eq!(
            ["latent", "beta", "class_balance", "hidden", "encoder", "standardise"].map(takes),
            [Takes::Whole, Takes::Number, Takes::Truth, Takes::Wholes, Takes::Word, Takes::Truth]
        );
        assert!(all.iter().all(|keyword| !keyword.help.is_empty()));
        assert!(find(&all, "beta").unwrap().help.starts_with("Weight of the KL term in the loss\n\nThe loss is"));
        assert_eq!(all.iter().filter(|keyword| keyword.table == "data").count(), DataConfig::OF_ROWS.len());
    }
}
