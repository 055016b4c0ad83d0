//! The files of `shaders/` on their way to a device.
//!
//! Every file is WGSL as it lies there, together with those that its line `//+ name, name` names: editors and compilers read it
//! unfilled. What depends on a kernel stands there with a value of its own, which the kernel replaces:
//!
//! - `const ROWS = 128u;`: a size, by its name ([`Shader::set`]);
//! - `sum += value * value; //= term`: a line, or neighbouring lines with the same mark, in place of which the kernel puts its own
//!   ([`Shader::put`]). A mark that stands alone is a place for lines.
//!
//! What a kernel says nothing of stays as it is.

use std::fmt::Display;

/// Names the files that a file needs beside it.
const NEEDS: &str = "//+ ";
/// Marks a line for which a kernel may put others.
const MARK: &str = "//= ";

/// The text of a file, of which a kernel replaces parts.
#[derive(Clone, Debug)]
#[must_use]
pub struct Shader(String);

impl Shader {
    /// The text of a file of `shaders/`, without the files that it needs.
    pub fn new(file: &str) -> Shader {
        Shader(file.lines().filter(|line| !line.starts_with(NEEDS)).flat_map(|line| [line, "\n"]).collect())
    }

    /// Gives a constant of whole numbers its value.
    ///
    /// # Panics
    ///
    /// Where the file has no such constant.
    pub fn set(self, name: &str, value: impl Display) -> Shader {
        let declared = format!("const {name} = ");
        let mut is_found = false;
        let line = |line: &str| {
            let rest = line.strip_prefix(&declared).and_then(|rest| rest.split_once(';'));
            is_found |= rest.is_some();
            rest.map_or_else(|| format!("{line}\n"), |(_, rest)| format!("{declared}{value}u;{rest}\n"))
        };
        let text = self.0.lines().map(line).collect();
        assert!(is_found, "a shader file has no constant {name}:\n{}", self.0);
        Shader(text)
    }

    /// Puts lines where they are marked for it.
    ///
    /// # Panics
    ///
    /// Where the file has no such mark.
    pub fn put(self, mark: &str, lines: impl AsRef<str>) -> Shader {
        let is_marked = |line: &str| mark_of(line).is_some_and(|(_, found)| found == mark);
        let (mut text, mut was_marked, mut is_found) = (String::new(), false, false);
        for line in self.0.lines() {
            let is_marked = is_marked(line);
            if !is_marked {
                text += line;
                text.push('\n');
            } else if !was_marked {
                text += lines.as_ref().trim_end();
                text.push('\n');
            }
            is_found |= is_marked;
            was_marked = is_marked;
        }
        assert!(is_found, "a shader file has no mark {mark}:\n{}", self.0);
        Shader(text)
    }

    /// The text, without marks.
    pub fn text(self) -> String {
        let code = |line| mark_of(line).map_or(line, |(code, _): (&str, &str)| code.trim_end());
        self.0.lines().map(code).flat_map(|line| [line, "\n"]).collect()
    }
}

/// What stands before a line's mark, and the mark.
fn mark_of(line: &str) -> Option<(&str, &str)> {
    line.rsplit_once(MARK)
}

/// The text with other words in place of some: names that are whole, as they stand between other signs.
pub fn rename<'a>(text: &'a str, name: impl Fn(&'a str) -> Option<String>) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(start) = rest.find(is_word) {
        let end = rest[start..].find(|c| !is_word(c)).map_or(rest.len(), |len| start + len);
        out += &rest[..start];
        match name(&rest[start..end]) {
            Some(other) => out += &other,
            None => out += &rest[start..end],
        }
        rest = &rest[end..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
//+ immediates
const ROWS = 1u; // of a tile
const ROWS_OF_ALL = 2u;
fn f() {
    let a = 1.0; //= start
    let b = 2.0; //= start
    g(a);
    //= steps
    let c = 3.0; //= start
}
";

    #[test]
    fn constants_and_marked_lines_are_replaced_and_the_rest_stays() {
        let filled = Shader::new(FILE).set("ROWS", 12).put("start", "let x = 0.0;\nlet y = 0.0;\n").text();
        let expected = "\
const ROWS = 12u; // of a tile
const ROWS_OF_ALL = 2u;
fn f() {
let x = 0.0;
let y = 0.0;
    g(a);

let x = 0.0;
let y = 0.0;
}
";
        assert_eq!(filled, expected);
        let plain = FILE.replace("//+ immediates\n", "").replace(" //= start", "").replace("    //= steps", "");
        assert_eq!(Shader::new(FILE).text(), plain);
    }

    #[test]
    #[should_panic(expected = "no constant ROW:")]
    fn a_constant_that_is_not_there_is_a_mistake() {
        let _ = Shader::new(FILE).set("ROW", 1);
    }

    #[test]
    #[should_panic(expected = "no mark step:")]
    fn a_mark_that_is_not_there_is_a_mistake() {
        let _ = Shader::new(FILE).put("step", "");
    }

    #[test]
    fn whole_words_are_renamed() {
        let renamed = rename("-a + a_b(1u, a) / b;", |word| (word == "a").then(|| "v3".into()));
        assert_eq!(renamed, "-v3 + a_b(1u, v3) / b;");
    }
}
