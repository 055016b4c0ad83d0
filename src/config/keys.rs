//! The keys of a configuration file, and what was probably meant by one that is not among them.

use toml::Table;

use crate::problems::nearest;

/// Every key of every table. A test holds this list against what the tables really take.
pub(super) const KEYS: [(&str, &[&str]); 5] = [
    (
        "data",
        &[
            "source",
            "validation",
            "binarise",
            "condition",
            "labels",
            "label",
            "ignore",
            "columns",
            "size",
            "resolution",
            "count",
            "binary",
            "full",
        ],
    ),
    (
        "model",
        &[
            "kind",
            "hidden",
            "decoder-hidden",
            "latent",
            "activation",
            "likelihood",
            "posterior",
            "prior",
            "objective",
            "beta",
            "alpha",
            "upper",
        ],
    ),
    (
        "training",
        &[
            "epochs",
            "batch",
            "accumulate",
            "optimiser",
            "learning-rate",
            "schedule",
            "warmup-steps",
            "step-every",
            "step-factor",
            "kl-warmup-epochs",
            "kl-cycle-epochs",
            "clip-norm",
            "average",
            "beta1",
            "beta2",
            "epsilon",
            "seed",
            "patience",
            "log-every",
            "checkpoint-every",
            "steps-per-submit",
        ],
    ),
    ("device", &["device", "deterministic"]),
    ("first-stage", &["run", "seed", "model"]),
];

/// One sentence for every key in `file` that no table has.
pub(super) fn unknown(file: &Table) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in file {
        let known = KEYS.iter().find(|(table, _)| table == name);
        match (known, value.as_table()) {
            (Some((table, keys)), Some(entries)) => {
                let unknown = entries.keys().filter(|key| !keys.contains(&key.as_str()));
                found.extend(unknown.map(|key| sentence(key, table, keys)));
            }
            (None, None) if name != "preset" => {
                let hint =
                    home(name).unwrap_or_else(|| format!("above the first table stands only `preset`{}", tables()));
                found.push(format!("there is no key `{name}` here: {hint}"));
            }
            (None, Some(_)) => found.push(format!("there is no table `[{name}]`{}", tables())),
            // A known table that is not one: the reader of types says so.
            _ => {}
        }
    }
    found
}

fn sentence(key: &str, table: &str, keys: &[&str]) -> String {
    let start = format!("there is no key `{key}` in [{table}]");
    if let Some(hint) = home(key) {
        return format!("{start}: {hint}");
    }
    let other = KEYS.iter().flat_map(|(_, keys)| keys.iter());
    match meant(key, keys.iter()).or_else(|| meant(key, other)) {
        Some(near) if keys.contains(&near) => format!("{start}: did you mean `{near}`?"),
        Some(near) => {
            format!("{start}: did you mean `{near}`, which belongs in [{}]?", table_of(near).unwrap_or_default())
        }
        None => format!("{start}, which knows {}", keys.join(", ")),
    }
}

/// Where a key that stands in the wrong place belongs.
fn home(key: &str) -> Option<String> {
    table_of(key).map(|table| format!("it belongs in [{table}]"))
}

fn table_of(key: &str) -> Option<&'static str> {
    KEYS.iter().find(|(_, keys)| keys.contains(&key)).map(|(table, _)| *table)
}

fn tables() -> String {
    let names: Vec<String> = KEYS.iter().map(|(table, _)| format!("[{table}]")).collect();
    format!("; the tables are {}", names.join(", "))
}

/// Other words for a key, as papers and other programs use them.
const SYNONYMS: [(&str, &str); 14] = [
    ("lr", "learning-rate"),
    ("batch-size", "batch"),
    ("latent-dim", "latent"),
    ("z-dim", "latent"),
    ("path", "source"),
    ("data", "source"),
    ("model", "kind"),
    ("loss", "objective"),
    ("binarize", "binarise"),
    ("eps", "epsilon"),
    ("optimizer", "optimiser"),
    ("ema", "average"),
    ("kl-weight", "beta"),
    ("reconstruction", "likelihood"),
];

/// The candidate that was probably meant by a key, or by another word for it.
fn meant<'a>(key: &str, candidates: impl Iterator<Item = &'a &'a str>) -> Option<&'a str> {
    let key = key.to_lowercase().replace('_', "-");
    let word = SYNONYMS.iter().find(|(word, _)| *word == key).map_or(key.as_str(), |(_, meant)| meant);
    nearest(word, candidates.copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    /// The reader itself says which keys it takes, when asked for one it does not.
    #[test]
    fn the_list_is_that_of_the_reader() {
        for (table, keys) in KEYS {
            let error = toml::from_str::<Config>(&format!("[{table}]\n\"?\" = 0")).unwrap_err().to_string();
            let (_, expected) = error.split_once("expected ").unwrap();
            let expected: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
            assert_eq!(expected, keys, "{error}");
        }
        let error = toml::from_str::<Config>("\"?\" = 0").unwrap_err().to_string();
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
            ("[device]\nzzzzzzzz = 1", "which knows device, deterministic"),
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
