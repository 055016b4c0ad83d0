//! One place that can be changed, and how.

use std::ops::Range;

use serde::Serialize;

/// How a change is put into the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// An expression becomes `if on(id) { changed } else { original }`.
    Rust,
    /// A marker before a token of shader text, acted on where the text becomes a shader module.
    Wgsl,
}

/// One mutant: a place and what would stand there.
#[derive(Clone, Debug, Serialize)]
pub struct Site {
    /// Its number among all sites of this tree, from 1.
    pub id: u32,
    pub area: &'static str,
    pub form: Form,
    /// Relative to the root of the project.
    pub file: String,
    pub line: usize,
    pub column: usize,
    /// Bytes of the file.
    #[serde(skip)]
    pub range: Range<usize>,
    pub original: String,
    pub mutated: String,
    /// What was done, in a word.
    pub rule: &'static str,
}

impl Site {
    /// Whether two sites cannot stand in one copy.
    pub fn overlaps(&self, other: &Site) -> bool {
        self.file == other.file && self.range.start < other.range.end && other.range.start < self.range.end
    }

    /// For people: number, place and change, each on one line however long the code is.
    pub fn describe(&self) -> String {
        let short = |text: &str| {
            let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            if line.chars().count() > 100 { line.chars().take(97).chain("...".chars()).collect() } else { line }
        };
        let mutated = if self.mutated.is_empty() { "nothing".to_string() } else { short(&self.mutated) };
        format!("{} {}:{}:{}  {} -> {}", self.id, self.file, self.line, self.column, short(&self.original), mutated)
    }
}

/// Line and column (from 1) of a byte.
pub fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
