//! So many bytes, as people write them.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserializer, Error as _, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A number of bytes. Written `500MB`, `4GiB` or without a unit, on the command line and in TOML; `k`, `M`, `G` and `T` are thousands,
/// `Ki`, `Mi`, `Gi` and `Ti` powers of 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(u64);

impl Bytes {
    /// So many.
    pub fn new(bytes: u64) -> Bytes {
        Bytes(bytes)
    }

    /// How many.
    pub fn get(self) -> u64 {
        self.0
    }
}

const UNITS: [(&str, u64); 9] = [
    ("", 1),
    ("k", 1000),
    ("ki", 1 << 10),
    ("m", 1_000_000),
    ("mi", 1 << 20),
    ("g", 1_000_000_000),
    ("gi", 1 << 30),
    ("t", 1_000_000_000_000),
    ("ti", 1 << 40),
];

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let names = [("TiB", 8), ("TB", 7), ("GiB", 6), ("GB", 5), ("MiB", 4), ("MB", 3)];
        let whole = names.into_iter().find(|&(_, unit)| self.0 > 0 && self.0.is_multiple_of(UNITS[unit].1));
        match whole {
            Some((name, unit)) => write!(f, "{}{name}", self.0 / UNITS[unit].1),
            None => write!(f, "{}", self.0),
        }
    }
}

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim().to_lowercase();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let unit = unit.trim();
        let unit = UNITS.iter().find(|(name, _)| *name == unit.strip_suffix('b').unwrap_or(unit));
        let bytes = number.parse::<f64>().ok().zip(unit).map(|(number, (_, unit))| number * *unit as f64);
        match bytes {
            Some(bytes) if (1.0..1e18).contains(&bytes) => Ok(Bytes(bytes as u64)),
            _ => Err("give a number of bytes, as 500MB, 4GB or 16GiB".to_string()),
        }
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("bytes, as 4000000000 or \"4GB\"")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Bytes, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_i64<E: serde::de::Error>(self, bytes: i64) -> Result<Bytes, E> {
                self.visit_str(&bytes.to_string())
            }

            fn visit_u64<E: serde::de::Error>(self, bytes: u64) -> Result<Bytes, E> {
                self.visit_str(&bytes.to_string())
            }
        }
        // A bare number is natural in TOML, so both it and a word are taken.
        deserializer.deserialize_any(Number).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_and_written() {
        for (text, bytes, written) in [
            ("2GB", 2_000_000_000, "2GB"),
            ("2gib", 2 << 30, "2GiB"),
            ("1.5 G", 1_500_000_000, "1500MB"),
            ("4000000", 4_000_000, "4MB"),
            ("1048577", 1_048_577, "1048577"),
            ("3T", 3_000_000_000_000, "3TB"),
        ] {
            let found: Bytes = text.parse().unwrap();
            assert_eq!((found.get(), found.to_string().as_str()), (bytes, written), "{text}");
            assert_eq!(written.parse(), Ok(found));
        }
        for text in ["", "GB", "-1GB", "1 GBit", "nan", "0", "1e9GB", "2PB"] {
            assert!(text.parse::<Bytes>().unwrap_err().contains("500MB"), "{text}");
        }
    }
}
