//! Which tensors of a file become which of a model, as a TOML file says it.
//!
//! ```toml
//! "encoder.1.weight" = "fc1.weight"
//! "encoder.3.weight" = ["fc_mean.weight", "fc_log_var.weight"]   # one behind the other
//! "prior.mean" = false                                           # stays as it starts
//! ```

use std::path::Path;

use toml::Value;

use crate::error::{Error, Result};
use crate::files::read_own;

/// The most bytes of a map.
const MOST: u64 = 16 << 20;

/// What a tensor of the model is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum Made {
    /// Tensors of the file, one behind the other.
    Of(Vec<String>),
    /// Nothing: it stays as it starts.
    Start,
}

/// A map: names of the model, and what each is made of.
pub type Map = Vec<(String, Made)>;

/// Reads a map.
///
/// # Errors
/// If it cannot be read, or says something else.
pub fn read(path: &Path) -> Result<Map> {
    let bytes = read_own(path, "a map of names", MOST)?;
    let text = String::from_utf8(bytes).map_err(|error| Error::malformed(path, error))?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| Error::malformed(path, error))?;
    let mut map = vec![];
    flatten(path, "", &table, &mut map)?;
    if map.is_empty() {
        return Err(Error::malformed(path, "it maps nothing: without --map, a map is suggested"));
    }
    Ok(map)
}

/// Names with dots are tables within tables where they are not quoted.
fn flatten(path: &Path, before: &str, table: &toml::Table, map: &mut Map) -> Result<()> {
    for (key, value) in table {
        let name = format!("{before}{key}");
        let wrong = || {
            let expected = "the name of a tensor of the file, a list of such names, or false";
            Error::malformed(path, format!("`{name}` is {value}, and {expected} was expected"))
        };
        let made = match value {
            Value::Table(table) => {
                flatten(path, &format!("{name}."), table, map)?;
                continue;
            }
            Value::String(one) => Made::Of(vec![one.clone()]),
            Value::Array(all) if !all.is_empty() => {
                let names = all.iter().map(|one| one.as_str().map(String::from)).collect::<Option<Vec<String>>>();
                Made::Of(names.ok_or_else(wrong)?)
            }
            Value::Boolean(false) => Made::Start,
            _ => return Err(wrong()),
        };
        map.push((name, made));
    }
    Ok(())
}

/// A map as it is written, with comments behind those that are not found.
pub fn written(map: &[(String, Option<Made>, String)]) -> String {
    let quoted = |name: &String| Value::String(name.clone()).to_string();
    let line = |(name, made, about): &(String, Option<Made>, String)| {
        let name = quoted(name);
        match made {
            Some(Made::Of(names)) if names.len() == 1 => format!("{name} = {}  # {about}\n", quoted(&names[0])),
            Some(Made::Of(names)) => {
                let names: Vec<String> = names.iter().map(quoted).collect();
                format!("{name} = [{}]  # {about}\n", names.join(", "))
            }
            Some(Made::Start) => format!("{name} = false  # {about}\n"),
            None => format!("# {name} = \"\"  # {about}: none of that shape is left\n"),
        }
    };
    map.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Map> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.toml");
        std::fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn maps_are_read_quoted_or_not() {
        let map = of("\"a.0.weight\" = \"x\"\na.0.bias = [\"y\", \"z\"]\n[prior]\nmean = false\n").unwrap();
        let made = |names: &[&str]| Made::Of(names.iter().map(ToString::to_string).collect());
        let mut found = map;
        found.sort_by(|a, b| a.0.cmp(&b.0));
        let expected = [
            ("a.0.bias".to_string(), made(&["y", "z"])),
            ("a.0.weight".to_string(), made(&["x"])),
            ("prior.mean".to_string(), Made::Start),
        ];
        assert_eq!(found, expected);
        // What is suggested is read as it is meant.
        let text = written(&expected.clone().map(|(name, made)| (name, Some(made), "[2]".to_string())));
        let mut again = of(&text).unwrap();
        again.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(again, expected);
    }

    #[test]
    fn what_is_no_map_is_refused() {
        for (text, word) in
            [("", "maps nothing"), ("a = 1", "`a` is 1"), ("a = true", "false"), ("a = [1]", "`a`"), ("a = [", "TOML")]
        {
            let said = of(text).unwrap_err().to_string();
            assert!(said.contains(word) && said.contains("map.toml"), "{text}: {said}");
        }
    }
}
