//! Some rows of a file, one behind the other.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The rows from one on, counted from 0, to before another, or to the last: `100..200`, `..200`, `100..`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RowRange {
    start: usize,
    end: Option<usize>,
}

impl RowRange {
    /// Its places among so many rows.
    ///
    /// # Errors
    /// If there are fewer, or it holds none.
    pub(super) fn among(self, rows: usize, name: &str) -> Result<std::ops::Range<usize>> {
        let end = self.end.unwrap_or(rows);
        match self.start < end && end <= rows {
            true => Ok(self.start..end),
            false => Err(Error::invalid(format!(
                "`rows` is {self}, and the data {name} has the rows 0 to {}: give some of those, as 0..{rows}",
                rows - 1
            ))),
        }
    }
}

impl FromStr for RowRange {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<RowRange, String> {
        let wrong = || {
            format!("{text:?} is no range of rows: give the first, two points and the one behind the last, as 0..1000")
        };
        let (start, end) = text.split_once("..").ok_or_else(wrong)?;
        let number = |text: &str| text.trim().replace('_', "").parse::<usize>().map_err(|_| wrong());
        let start = if start.trim().is_empty() { 0 } else { number(start)? };
        let end = if end.trim().is_empty() { None } else { Some(number(end)?) };
        Ok(RowRange { start, end })
    }
}

impl TryFrom<String> for RowRange {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<RowRange, String> {
        text.parse()
    }
}

impl From<RowRange> for String {
    fn from(range: RowRange) -> String {
        range.to_string()
    }
}

impl fmt::Display for RowRange {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.end {
            Some(end) => write!(f, "{}..{end}", self.start),
            None => write!(f, "{}..", self.start),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_held_against_the_rows() {
        let range = |text: &str| text.parse::<RowRange>();
        assert_eq!(range("3..1_0").unwrap().among(10, "a").unwrap(), 3..10);
        assert_eq!(range("..4").unwrap().among(10, "a").unwrap(), 0..4);
        assert_eq!(range("4..").unwrap().among(10, "a").unwrap(), 4..10);
        assert_eq!(range("4..").unwrap().to_string().parse(), range("4.."));
        for text in ["4", "a..b", "1..-2", "1...3"] {
            assert!(range(text).unwrap_err().contains("0..1000"), "{text}");
        }
        for text in ["3..3", "0..11", "10.."] {
            let said = range(text).unwrap().among(10, "a").unwrap_err().to_string();
            assert!(said.contains("has the rows 0 to 9"), "{said}");
        }
    }
}
