//! How a user asks for a piece: `student-t:nu=5`, a name, and behind a colon what shall not be as usual.
//!
//! Settings are parted by commas, each `name=value`: a number, a word, or numbers with commas between them, as in
//! `mlp:hidden=400,200,activation=relu`. Numbers that stand before any name belong to the piece's first setting, so that
//! `mlp:400,200` is the same as `mlp:hidden=400,200`, and `student-t:5` as `student-t:nu=5`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::value::Value;
use crate::error::{Error, Result};

/// The name of the setting that numbers without one are kept under, until the piece says what its first setting is.
pub(super) const FIRST: &str = "";

/// A piece by its name, with settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The piece's name.
    pub id: String,
    /// The settings that are given; others are as the piece has them.
    pub settings: BTreeMap<String, Value>,
}

impl Spec {
    /// A piece as it is without settings.
    pub fn new(id: &str) -> Spec {
        Spec { id: id.to_string(), settings: BTreeMap::new() }
    }

    /// The same with a setting.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Spec {
        self.settings.insert(name.to_string(), value.into());
        self
    }
}

impl From<&str> for Spec {
    /// A piece by its name alone; settings are read by [`Spec::from_str`].
    fn from(id: &str) -> Spec {
        Spec::new(id)
    }
}

impl FromStr for Spec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Spec> {
        let (id, rest) = text.trim().split_once(':').unwrap_or((text.trim(), ""));
        if id.is_empty() {
            return Err(Error::invalid(format!(
                "`{text}` names nothing: give a name, or `name:setting=value,setting=value`"
            )));
        }
        let mut spec = Spec::new(id.trim());
        let mut last = FIRST.to_string();
        for part in rest.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let wrong = || {
                Error::invalid(format!(
                    "`{part}` gives no setting of `{id}` a value: write it as name=value, such as {id}:x=0.5"
                ))
            };
            match part.split_once('=').map(|(name, value)| (name.trim(), value.trim())) {
                Some((FIRST, _) | (_, "")) => return Err(wrong()),
                Some((name, value)) => {
                    last = name.to_string();
                    let value = number(value).map_or_else(|| Value::from(value), Value::from);
                    if spec.settings.insert(last.clone(), value).is_some() {
                        return Err(Error::invalid(format!("`{name}` is given twice for `{id}`: give it once")));
                    }
                }
                None => match (number(part), spec.settings.entry(last.clone()).or_insert(Value::Numbers(vec![]))) {
                    (Some(number), Value::Numbers(numbers)) => numbers.push(number),
                    _ => return Err(wrong()),
                },
            }
        }
        Ok(spec)
    }
}

/// A number; `20_000` is one too, as in TOML.
fn number(text: &str) -> Option<f64> {
    text.replace('_', "").parse().ok()
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.id)?;
        for (i, (name, value)) in self.settings.iter().enumerate() {
            f.write_str(if i == 0 { ":" } else { "," })?;
            match name.as_str() {
                FIRST => write!(f, "{value}")?,
                name => write!(f, "{name}={value}")?,
            }
        }
        Ok(())
    }
}

impl Serialize for Spec {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Spec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Spec, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in [
            "bernoulli",
            "gaussian:sigma=0.5",
            "iaf:hidden=320,length=4",
            "x:y=0.00000000123",
            "mlp:400",
            "mlp:400,200",
            "mlp:400,200,activation=relu",
            "mlp:activation=relu,hidden=400,200",
            "a:b=1,2,c=3,d=word-2,e=-4,0.5",
        ] {
            assert_eq!(text.parse::<Spec>().unwrap().to_string(), text);
        }
        assert_eq!(" a : b = 1 , c = 2_000 ".parse::<Spec>().unwrap().to_string(), "a:b=1,c=2000");
        assert_eq!("a:".parse::<Spec>().unwrap(), Spec::new("a"));
        let lists = Spec::new("a").with("b", &[1, 2][..]).with("c", "word").with("d", 3.0);
        assert_eq!("a:b=1,2,c=word,d=3".parse::<Spec>().unwrap(), lists);
    }

    #[test]
    fn refuses_what_is_none() {
        for (text, expected) in [
            ("", "names nothing"),
            (":a=1", "names nothing"),
            ("a:b", "write it as name=value"),
            ("a:1,b", "`b` gives no setting of `a` a value"),
            ("a:b=", "write it as name=value"),
            ("a:=1", "write it as name=value"),
            ("a:b=word,2", "`2` gives no setting of `a` a value"),
            ("a:b=1,b=2", "given twice"),
            ("a:b=1,c=2,b=2", "given twice"),
        ] {
            let error = text.parse::<Spec>().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
