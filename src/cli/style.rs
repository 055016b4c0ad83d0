//! Words on the screen: numbers, times and sizes that people can read, tables, and colour where there is a terminal.
//!
//! All text made here is ASCII, so it survives any terminal, pipe and code page; only what users named themselves may hold
//! other characters.

use std::fmt;
use std::io::IsTerminal;
use std::path::Path;

pub use crate::spoken::{bytes, count, counted, duration, significant, with_prefix};

/// The program's name as it is typed: with the folder where that was typed too.
pub fn typed() -> String {
    let name = std::env::args().next().unwrap_or_default();
    if name.contains(['/', '\\']) { word(Path::new(&name)) } else { "elbo".to_string() }
}

/// A path as one word of a command that is typed: in quotation marks where a shell would make something else of it.
pub fn word(path: &Path) -> String {
    let text = printable(&path.display().to_string());
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:+,=@%".contains(c) || (cfg!(windows) && c == '\\');
    if !text.is_empty() && text.chars().all(is_plain) {
        text
    } else if cfg!(windows) {
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Text of unknown origin, fit for a terminal: control characters become `?`.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// On which side of its column a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table in plain text, with aligned columns under a ruled header.
///
/// ```text
/// device    memory
/// -------  -------
/// GeForce  8.59 GB
/// ```
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: &[(&str, Align)]) -> Self {
        Self { columns: columns.iter().map(|(name, align)| (printable(name), *align)).collect(), rows: Vec::new() }
    }

    /// Adds a row. Missing cells are empty; those beyond the last column are left out.
    pub fn row<T: fmt::Display>(&mut self, cells: impl IntoIterator<Item = T>) {
        let mut row: Vec<String> = cells.into_iter().map(|cell| printable(&cell.to_string())).collect();
        row.resize(self.columns.len(), String::new());
        self.rows.push(row);
    }
}

impl fmt::Display for Table {
    /// Every line ends with a line break, and none with a space.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let header: Vec<String> = self.columns.iter().map(|(name, _)| name.clone()).collect();
        let widths: Vec<usize> = (0..header.len())
            .map(|j| self.rows.iter().chain([&header]).map(|row| width(&row[j])).max().unwrap_or(0))
            .collect();
        let rule = widths.iter().map(|&width| "-".repeat(width)).collect();
        for row in [&header, &rule].into_iter().chain(&self.rows) {
            let mut line = String::new();
            for ((cell, (_, align)), column) in row.iter().zip(&self.columns).zip(&widths) {
                let padding = " ".repeat(column - width(cell));
                let (before, after) =
                    if *align == Align::Right { (padding, String::new()) } else { (String::new(), padding) };
                line += &format!("{before}{cell}{after}  ");
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// How many columns of a terminal a text takes: none for marks that join the letter before, two for East Asian letters and
/// pictographs, one for the rest. The common ranges of Unicode's annex 11, not all of it.
pub fn width(text: &str) -> usize {
    let columns = |c: char| match c as u32 {
        0x0300..=0x036f | 0x200b..=0x200f | 0x20d0..=0x20ff | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 => 2,
        0x1f300..=0x1faff | 0x20000..=0x3fffd => 2,
        _ => 1,
    };
    text.chars().map(columns).sum()
}

/// Emphasis by colour and weight, where the reader can see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Paint {
    enabled: bool,
}

impl Paint {
    /// For the standard output: coloured on a terminal, unless `NO_COLOR` is set or the terminal is `dumb`.
    pub fn stdout() -> Self {
        Self::when(std::io::stdout().is_terminal())
    }

    fn when(terminal: bool) -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        // The consoles of older Windows print the codes instead of obeying them; newer terminals say what they are.
        let obeys = !cfg!(windows) || variable("WT_SESSION").is_some() || variable("TERM").is_some();
        let dumb = variable("TERM").is_some_and(|term| term == "dumb");
        Self { enabled: terminal && obeys && !dumb && variable("NO_COLOR").is_none() }
    }

    /// What went well.
    pub fn good(self, text: &str) -> String {
        self.code("32", text)
    }

    /// What went wrong.
    pub fn bad(self, text: &str) -> String {
        self.code("31", text)
    }

    fn code(self, code: &str, text: &str) -> String {
        if self.enabled { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_one_word_of_a_shell() {
        let quoted = |text: &str| if cfg!(windows) { format!("\"{text}\"") } else { format!("'{text}'") };
        for plain in ["runs/dx", "run-2_é.v1", "C:/x"] {
            assert_eq!(word(Path::new(plain)), plain);
        }
        for other in ["my data/run", "a&b", "$HOME", "~x", ""] {
            assert_eq!(word(Path::new(other)), quoted(other));
        }
        assert_eq!(word(Path::new("a\x1bb c")), quoted("a?b c"));
        #[cfg(unix)]
        assert_eq!(word(Path::new("Ann's run")), r"'Ann'\''s run'");
    }

    #[test]
    fn tables() {
        let mut table = Table::new(&[("device", Align::Left), ("memory", Align::Right), ("note", Align::Left)]);
        table.row(["GeForce", "8.59 GB", "a\x1b[2J"]);
        table.row(["日本e\u{301}", "1 B"]);
        table.row(["x", "y", "z", "too many"]);
        let expected = "\
device    memory  note
-------  -------  -----
GeForce  8.59 GB  a?[2J
日本e\u{301}        1 B
x              y  z
";
        assert_eq!(table.to_string(), expected);
        assert_eq!(Table::new(&[]).to_string(), "\n\n");
    }

    #[test]
    fn colour_only_where_it_is_seen() {
        assert_eq!(Paint { enabled: false }.bad("x"), "x");
        assert_eq!(Paint { enabled: true }.bad("x"), "\x1b[31mx\x1b[0m");
        assert_eq!(Paint::when(false), Paint { enabled: false });
    }
}
