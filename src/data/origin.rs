//! Where rows came from: the format that was recognised, and what was decided, left out or found odd on the way.

use serde::{Deserialize, Serialize};

use super::schema::Role;

/// What is said of a data set besides its rows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Origin {
    /// The format, as it was recognised, in one line.
    pub format: String,
    /// What was decided because nobody had, and how to decide otherwise; a sentence each.
    pub guesses: Vec<String>,
    /// What each column of a table was taken for.
    pub columns: Vec<ColumnGuess>,
    /// What lies there and is not among the rows.
    pub skipped: Vec<Skipped>,
    /// What is probably not as it was meant; a sentence each.
    pub warnings: Vec<String>,
}

/// What a column of a table was taken for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnGuess {
    /// Its name.
    pub name: String,
    /// What its cells are.
    pub kind: String,
    /// What it is there for.
    pub role: Role,
    /// Why.
    pub why: String,
    /// Cells that hold nothing.
    pub missing: usize,
}

/// Files that were left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// What they are, as `files that are no pictures`.
    pub what: String,
    /// How many there are.
    pub count: usize,
    /// The first few of them, each with what is wrong with it where that is not the same for all.
    pub first: Vec<String>,
}

impl Origin {
    /// A format of which there is nothing else to say.
    pub fn of(format: impl Into<String>) -> Origin {
        Origin { format: format.into(), ..Origin::default() }
    }
}

impl Skipped {
    /// How many are named.
    const NAMED: usize = 5;

    /// All files that were left out for one reason; `None` where there are none.
    pub fn new(what: &str, all: impl IntoIterator<Item = String>) -> Option<Skipped> {
        let mut all = all.into_iter();
        let first: Vec<String> = all.by_ref().take(Skipped::NAMED).collect();
        let count = first.len() + all.count();
        (count > 0).then(|| Skipped { what: what.to_owned(), count, first })
    }
}

impl std::fmt::Display for Skipped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}): {}", self.what, self.count, first_few(&self.first, self.count))
    }
}

/// The first of so many names, for people.
pub(crate) fn first_few(first: &[String], count: usize) -> String {
    match count.saturating_sub(first.len()) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_are_named_and_all_are_counted() {
        let names = |n: usize| (0..n).map(|i| format!("f{i}"));
        assert_eq!(Skipped::new("files", names(0)), None);
        assert_eq!(Skipped::new("files", names(2)).unwrap().to_string(), "files (2): f0, f1");
        assert_eq!(Skipped::new("files", names(8)).unwrap().to_string(), "files (8): f0, f1, f2, f3, f4 and 3 more");
    }
}
