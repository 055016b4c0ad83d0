//! How a user asks for a piece: `student-t:nu=5`, a name, and behind a colon what shall not be as usual.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A piece by its name, with settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The piece's name.
    pub id: String,
    /// The settings that are given; others are as the piece has them.
    pub settings: BTreeMap<String, f64>,
}

impl Spec {
    /// A piece as it is without settings.
    pub fn new(id: &str) -> Spec {
        Spec { id: id.to_string(), settings: BTreeMap::new() }
    }

    /// The same with a setting.
    #[must_use]
    pub fn with(mut self, name: &str, value: f64) -> Spec {
        self.settings.insert(name.to_string(), value);
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
    type Err = String;

    fn from_str(text: &str) -> Result<Spec, String> {
        let (id, rest) = text.trim().split_once(':').unwrap_or((text.trim(), ""));
        if id.is_empty() {
            return Err(format!("`{text}` names nothing: give a name, or `name:setting=value,setting=value`"));
        }
        let mut spec = Spec::new(id.trim());
        for part in rest.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let wrong = || format!("`{part}` is no setting of `{id}`: write it as name=number, such as {id}:x=0.5");
            let (name, value) = part.split_once('=').ok_or_else(wrong)?;
            let value: f64 = value.trim().replace('_', "").parse().map_err(|_| wrong())?;
            if spec.settings.insert(name.trim().to_string(), value).is_some() {
                return Err(format!("`{}` is given twice for `{id}`: give it once", name.trim()));
            }
        }
        Ok(spec)
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.id)?;
        for (i, (name, value)) in self.settings.iter().enumerate() {
            write!(f, "{}{name}={value}", if i == 0 { ':' } else { ',' })?;
        }
        Ok(())
    }
}

impl Serialize for Spec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Spec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Spec, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in ["bernoulli", "gaussian:sigma=0.5", "iaf:hidden=320,length=4", "x:y=0.00000000123"] {
            assert_eq!(text.parse::<Spec>().unwrap().to_string(), text);
        }
        assert_eq!(" a : b = 1 , c = 2_000 ".parse::<Spec>().unwrap().to_string(), "a:b=1,c=2000");
        assert_eq!("a:".parse::<Spec>().unwrap(), Spec::new("a"));
    }

    #[test]
    fn refuses_what_is_none() {
        for (text, expected) in [
            ("", "names nothing"),
            (":a=1", "names nothing"),
            ("a:b", "write it as name=number"),
            ("a:b=c", "write it as name=number"),
            ("a:b=1,b=2", "given twice"),
        ] {
            let error = text.parse::<Spec>().unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
