//! How pictures are changed in training, as it is typed: `flip,shift=2,crop=4`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use crate::kernels::Augment;

/// More pixels than anyone shifts by.
const MOST: u32 = 1024;

impl FromStr for Augment {
    type Err = String;

    fn from_str(text: &str) -> Result<Augment, String> {
        let mut augment = Augment::default();
        let mut seen = vec![];
        for part in text.split(',').map(str::trim) {
            let (name, value) =
                part.split_once('=').map_or((part, None), |(name, value)| (name.trim(), Some(value.trim())));
            if seen.contains(&name) {
                return Err(format!("{name} is given twice: give it once"));
            }
            seen.push(name);
            let pixels = || {
                let number = value.and_then(|value| value.parse().ok()).filter(|pixels| (1..=MOST).contains(pixels));
                number.ok_or_else(|| {
                    format!("{part} says no number of pixels from 1 to {MOST}: give {name}=N, as {name}=2")
                })
            };
            match (name, value) {
                ("flip", None) => augment.flip = true,
                ("flip-vertical", None) => augment.flip_vertical = true,
                ("flip" | "flip-vertical", Some(_)) => return Err(format!("{name} takes no number: give it alone")),
                ("shift", _) => augment.shift = pixels()?,
                ("crop", _) => augment.crop = pixels()?,
                _ => {
                    return Err(format!(
                        "{part:?} is no way to change pictures: give some of flip, flip-vertical, shift=N and crop=N, with commas \
                         between them"
                    ));
                }
            }
        }
        Ok(augment)
    }
}

impl fmt::Display for Augment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pixels = |name: &str, most: u32| (most > 0).then(|| format!("{name}={most}"));
        let flips = [(self.flip, "flip"), (self.flip_vertical, "flip-vertical")];
        let flips = flips.into_iter().filter(|(flips, _)| *flips).map(|(_, name)| name.to_owned());
        let moved = [pixels("shift", self.shift), pixels("crop", self.crop)].into_iter().flatten();
        f.write_str(&flips.chain(moved).collect::<Vec<_>>().join(","))
    }
}

impl Serialize for Augment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Augment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Augment, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_read_and_written_alike() {
        let all = Augment { flip: true, flip_vertical: true, shift: 2, crop: 4 };
        assert_eq!("flip,flip-vertical,shift=2,crop=4".parse(), Ok(all));
        assert_eq!(" crop=4 , flip".parse(), Ok(Augment { flip: true, crop: 4, ..Augment::default() }));
        for text in ["flip", "flip-vertical", "shift=3", "flip,crop=1024"] {
            assert_eq!(text.parse::<Augment>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_augmentation_is_refused() {
        for (text, said) in [
            ("", "is no way to change pictures"),
            ("rotate=90", "is no way to change pictures"),
            ("flip,", "is no way to change pictures"),
            ("flip=1", "flip takes no number"),
            ("shift", "give shift=N"),
            ("shift=0", "from 1 to 1024"),
            ("crop=-4", "from 1 to 1024"),
            ("crop=5000", "from 1 to 1024"),
            ("flip,flip", "flip is given twice"),
        ] {
            let message = text.parse::<Augment>().unwrap_err();
            assert!(message.contains(said), "{text}: {message}");
        }
    }
}
