//! The size that pictures are brought to.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserializer, Error as _, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// Height and width in pixels. Written `64` where both are 64, else `48x64`, on the command line and in TOML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PictureSize {
    /// Rows of pixels.
    pub height: usize,
    /// Pixels in a row.
    pub width: usize,
}

impl PictureSize {
    /// The most that either may be.
    pub const MOST: usize = 2048;

    /// As high as it is wide.
    pub const fn square(side: usize) -> PictureSize {
        PictureSize { height: side, width: side }
    }

    /// Whether both sides are of a length that can be read.
    pub fn is_usable(self) -> bool {
        [self.height, self.width].iter().all(|side| (1..=PictureSize::MOST).contains(side))
    }
}

impl fmt::Display for PictureSize {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match *self {
            PictureSize { height, width } if height == width => write!(f, "{height}"),
            PictureSize { height, width } => write!(f, "{height}x{width}"),
        }
    }
}

impl FromStr for PictureSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let side = |text: &str| text.trim().parse::<usize>().ok();
        let size = match text.split_once(['x', 'X', '×']) {
            None => side(text).map(PictureSize::square),
            Some((height, width)) => side(height).zip(side(width)).map(|(height, width)| PictureSize { height, width }),
        };
        size.filter(|size| size.is_usable()).ok_or_else(|| {
            format!("give pixels as 64, or height and width as 48x64, each from 1 to {}", PictureSize::MOST)
        })
    }
}

impl Serialize for PictureSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            PictureSize { height, width } if height == width => serializer.serialize_u64(height as u64),
            size => serializer.collect_str(&size),
        }
    }
}

impl<'de> Deserialize<'de> for PictureSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Size;
        impl Visitor<'_> for Size {
            type Value = PictureSize;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("pixels, as 64 or \"48x64\"")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<PictureSize, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_i64<E: serde::de::Error>(self, side: i64) -> Result<PictureSize, E> {
                self.visit_str(&side.to_string())
            }

            fn visit_u64<E: serde::de::Error>(self, side: u64) -> Result<PictureSize, E> {
                self.visit_str(&side.to_string())
            }
        }
        // A bare number is natural in TOML, so both it and a word are taken.
        deserializer.deserialize_any(Size).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written_alike() {
        for (text, height, width) in [("64", 64, 64), ("48x64", 48, 64), ("1X2048", 1, 2048), (" 7 × 9 ", 7, 9)] {
            let size: PictureSize = text.parse().unwrap();
            assert_eq!((size.height, size.width), (height, width), "{text}");
            assert_eq!(size.to_string().parse(), Ok(size));
        }
        assert_eq!(PictureSize::square(32).to_string(), "32");
        for text in ["", "0", "2049", "64x", "x64", "-3", "64x64x3", "6.4", "64x0", "99999999999999999999"] {
            assert!(text.parse::<PictureSize>().unwrap_err().contains("48x64"), "{text}");
        }
    }

    #[test]
    fn toml_has_a_number_or_a_word() {
        #[derive(Serialize, Deserialize, Debug, PartialEq)]
        struct Table {
            size: Option<PictureSize>,
        }
        for (text, size) in [("size = 64\n", (64, 64)), ("size = \"48x64\"\n", (48, 64))] {
            let table: Table = toml::from_str(text).unwrap();
            assert_eq!(table, Table { size: Some(PictureSize { height: size.0, width: size.1 }) });
            assert_eq!(toml::to_string(&table).unwrap(), text);
        }
        for text in ["size = 0", "size = -4", "size = true", "size = \"big\"", "size = 1.5"] {
            assert!(toml::from_str::<Table>(text).is_err(), "{text}");
        }
    }
}
