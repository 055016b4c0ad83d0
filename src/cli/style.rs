//! Words on the screen: numbers, times and sizes that people can read, tables, and colour where there is a terminal.
//!
//! All text made here is ASCII, so it survives any terminal, pipe and code page; only what users named themselves may hold
//! other characters.

use std::fmt;
use std::io::IsTerminal;
use std::time::Duration;

/// A whole number with its thousands apart: `12,345`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with about `digits` significant digits: `0.00123`, `12.3`, `1235`, `1.23e-9`. Digits before the point all stay.
pub fn significant(number: f64, digits: usize) -> String {
    let digits = digits.max(1);
    if number == 0.0 || !number.is_finite() {
        return number.to_string();
    }
    // The exponent after rounding: 9.996 with three digits is 10.0.
    let scientific = format!("{number:.*e}", digits - 1);
    let exponent: i32 = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    if !(-4..9).contains(&exponent) {
        return scientific;
    }
    let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
    format!("{number:.decimals$}")
}

/// A quantity with a decimal prefix: `206 GFLOP/s`, `1.50 kB`.
pub fn with_prefix(number: f64, unit: &str) -> String {
    const PREFIXES: [&str; 6] = ["", "k", "M", "G", "T", "P"];
    let mut scaled = number;
    let mut step = 0;
    // 999.5 would be shown as 1000.
    while scaled.abs() >= 999.5 && step + 1 < PREFIXES.len() {
        scaled /= 1000.0;
        step += 1;
    }
    format!("{} {}{unit}", significant(scaled, 3), PREFIXES[step])
}

/// A size in memory or on disk, in decimal units: `512 bytes`, `1.50 kB`, `377 MB`.
pub fn bytes(number: u64) -> String {
    match number {
        1 => "1 byte".to_owned(),
        0..1000 => format!("{number} bytes"),
        _ => with_prefix(number as f64, "B"),
    }
}

/// A time in two parts at most: `350 us`, `12.3 ms`, `4.56 s`, `2 min 03 s`, `1 h 02 min`, `3 d 04 h`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        0.0..0.000_999_5 => format!("{:.0} us", seconds * 1e6),
        0.0..0.999_5 => format!("{} ms", significant(seconds * 1e3, 3)),
        0.0..59.95 => format!("{} s", significant(seconds, 3)),
        _ => {
            let whole = seconds.round() as u64;
            let (days, hours, minutes, seconds) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60, whole % 60);
            match (days, hours) {
                (0, 0) => format!("{minutes} min {seconds:02} s"),
                (0, _) => format!("{hours} h {minutes:02} min"),
                _ => format!("{days} d {hours:02} h"),
            }
        }
    }
}

/// The program's name as it is typed: with the folder where that was typed too.
pub fn typed() -> String {
    let name = std::env::args().next().unwrap_or_default();
    if name.contains(['/', '\\']) { printable(&name) } else { "elbo".to_string() }
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
    fn numbers() {
        for (number, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), expected);
        }
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
        for (number, expected) in [
            (0.0, "0"),
            (0.001_234, "0.00123"),
            (12.345, "12.3"),
            (-1234.5, "-1234"),
            (9.996, "10.0"),
            (1.234e-9, "1.23e-9"),
            (1.2e20, "1.20e20"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(significant(number, 3), expected);
        }
    }

    #[test]
    fn sizes_and_times() {
        for (number, expected) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1500, "1.50 kB"),
            (999_999, "1.00 MB"),
            (377_000_000, "377 MB"),
        ] {
            assert_eq!(bytes(number), expected);
        }
        assert_eq!(bytes(u64::MAX), "18447 PB");
        assert_eq!(with_prefix(2.06e11, "FLOP/s"), "206 GFLOP/s");
        for (seconds, expected) in [
            (0.0, "0 us"),
            (0.000_35, "350 us"),
            (0.000_999_9, "1.00 ms"),
            (0.0123, "12.3 ms"),
            (0.9999, "1.00 s"),
            (4.56, "4.56 s"),
            (59.99, "1 min 00 s"),
            (123.0, "2 min 03 s"),
            (3599.9, "1 h 00 min"),
            (3725.0, "1 h 02 min"),
            (273_600.0, "3 d 04 h"),
        ] {
            assert_eq!(duration(Duration::from_secs_f64(seconds)), expected);
        }
        assert!(duration(Duration::MAX).ends_with(" h"));
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
