//! Sites in shader text: in the files of `shaders/`, and in the pieces of text that Rust writes.

use std::ops::Range;

use crate::literal;
use crate::rules::OPERATORS;

/// How braces are meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Braces {
    /// Of a format string: single ones hold a value, doubled ones are braces.
    Format,
    /// They are braces.
    Plain,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Word,
    Number,
    Sign,
    Filled,
}

struct Token<'a> {
    kind: Kind,
    text: &'a str,
    at: usize,
}

/// What can be changed in a text: the bytes, what stands there instead, and the rule.
pub fn changes(text: &str, braces: Braces) -> Vec<(Range<usize>, String, &'static str)> {
    let tokens = tokens(text, braces);
    let mut out = Vec::new();
    let mut depth = 0; // of the angle brackets of types
    let mut i = 0;
    while i < tokens.len() {
        let token = &tokens[i];
        let before = |n: usize| i.checked_sub(n).map_or("", |i| tokens[i].text);
        let after = tokens.get(i + 1).map_or("", |t| t.text);
        let range = token.at..token.at + token.text.len();
        let mut add = |to: &str, rule| out.push((range.clone(), to.to_string(), rule));
        match token.kind {
            Kind::Sign if token.text == "@" => {
                i = after_attribute(&tokens, i);
                continue;
            }
            Kind::Sign if token.text == "<" && TYPES.contains(&before(1)) => depth += 1,
            Kind::Sign if token.text == ">" && depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            Kind::Sign => {
                let binary = i > 0 && ends_operand(&tokens[i - 1]);
                match token.text {
                    "-" if !binary => add("", "negation dropped"),
                    "&" | "*" if !binary => {}
                    sign => OPERATORS.iter().filter(|(from, _)| *from == sign).for_each(|(_, to)| add(to, "operator")),
                }
            }
            Kind::Number if before(1) != "case" => {
                literal::others(token.text).iter().for_each(|to| add(to, "constant"))
            }
            Kind::Word if before(1) == "." && before(2) == "im" => {
                FIELDS.iter().filter(|(from, _)| *from == token.text).for_each(|(_, to)| add(to, "field"))
            }
            Kind::Word if before(1) == "." => {
                SWIZZLES.iter().filter(|(from, _)| *from == token.text).for_each(|(_, to)| add(to, "swizzle"))
            }
            Kind::Word if after == "(" => {
                CALLS.iter().filter(|(from, _)| *from == token.text).for_each(|(_, to)| add(to, "call"))
            }
            _ => {}
        }
        i += 1;
    }
    out
}

const TYPES: &[&str] = &["vec2", "vec3", "vec4", "mat4x4", "array", "ptr", "var", "bitcast", "atomic"];

const FIELDS: &[(&str, &str)] = &[
    ("step", "slot"),
    ("slot", "step"),
    ("rows", "position"),
    ("position", "rows"),
    ("epoch", "step"),
    ("d0", "d1"),
    ("d1", "d0"),
    ("s0", "s1"),
    ("s1", "s0"),
];

const SWIZZLES: &[(&str, &str)] = &[("x", "y"), ("y", "x"), ("z", "y"), ("w", "z"), ("yx", "xy"), ("xy", "yx")];

const CALLS: &[(&str, &str)] = &[
    ("min", "max"),
    ("max", "min"),
    ("exp", "log"),
    ("log", "exp"),
    ("sqrt", "abs"),
    ("abs", ""),
    ("floor", "ceil"),
    ("tanh", "sin"),
    ("transpose", ""),
    ("a_block_or_zero", "a_block"),
    ("b_block_or_zero", "b_block"),
];

fn ends_operand(token: &Token) -> bool {
    match token.kind {
        Kind::Word => token.text != "return",
        Kind::Number | Kind::Filled => true,
        Kind::Sign => matches!(token.text, ")" | "]"),
    }
}

/// The token behind `@name` or `@name(…)`.
fn after_attribute(tokens: &[Token], at: usize) -> usize {
    if tokens.get(at + 2).is_none_or(|t| t.text != "(") {
        return at + 2;
    }
    tokens[at..].iter().position(|t| t.text == ")").map_or(tokens.len(), |n| at + n + 1)
}

fn tokens(text: &str, braces: Braces) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let (len, kind) = if let Some(len) = comment(rest) {
            (len, None)
        } else if rest.starts_with("\\n") {
            (2, None)
        } else if let Some(len) = filled(rest, braces) {
            (len, Some(Kind::Filled))
        } else if c.is_ascii_alphabetic() || c == '_' {
            (span(rest, |c| c.is_ascii_alphanumeric() || c == '_'), Some(Kind::Word))
        } else if c.is_ascii_digit() {
            (number(rest), Some(Kind::Number))
        } else if c.is_ascii_punctuation() {
            (sign(rest), Some(Kind::Sign))
        } else {
            (c.len_utf8(), None)
        };
        if let Some(kind) = kind {
            out.push(Token { kind, text: &rest[..len], at });
        }
        at += len;
    }
    out
}

fn span(text: &str, inside: impl Fn(char) -> bool) -> usize {
    text.find(|c| !inside(c)).unwrap_or(text.len())
}

fn comment(text: &str) -> Option<usize> {
    text.starts_with("//").then(|| span(text, |c| c != '\n'))
}

/// A piece that is filled in later.
fn filled(text: &str, braces: Braces) -> Option<usize> {
    let holds_a_value = braces == Braces::Format && text.starts_with('{') && !text.starts_with("{{");
    holds_a_value.then(|| text.find('}').map(|end| end + 1))?
}

fn number(text: &str) -> usize {
    if text.starts_with("0x") {
        return span(text, |c| c.is_ascii_alphanumeric());
    }
    let mut end = span(text, |c| c.is_ascii_digit() || c == '.');
    if let Some(exponent) = text[end..].strip_prefix('e') {
        let sign = exponent.starts_with(['-', '+']) as usize;
        end += 1 + sign + span(&exponent[sign..], |c| c.is_ascii_digit());
    }
    end + text[end..].starts_with(['u', 'i', 'f', 'h']) as usize
}

fn sign(text: &str) -> usize {
    const LONG: &[&str] =
        &["->", "<=", ">=", "==", "!=", "&&", "||", "<<", "+=", "-=", "*=", "/=", "%=", "^=", "|=", "&="];
    // `>>` ends two types as often as it shifts: a shift has blanks around it.
    if text.starts_with(">> ") {
        return 2;
    }
    if LONG.iter().any(|long| text.starts_with(long)) { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str, braces: Braces) -> Vec<String> {
        changes(text, braces).into_iter().map(|(range, to, _)| format!("{}>{to}", &text[range])).collect()
    }

    #[test]
    fn types_and_attributes_stay() {
        assert_eq!(
            changed("@compute @workgroup_size(64) fn f(a: array<vec4<f32>, 4>) -> u32 {", Braces::Plain).len(),
            0
        );
        assert_eq!(changed("var<workgroup> t: array<f32, 64>; // a + b", Braces::Plain).len(), 0);
        assert_eq!(changed("let point = {a};", Braces::Format).len(), 0);
    }

    #[test]
    fn tokens_that_change() {
        assert_eq!(changed("return -a * 1.0;", Braces::Plain), ["->", "*>/", "1.0>2.0"]);
        assert_eq!(changed("im.step < rows - x.y", Braces::Plain), ["step>slot", "<><=", "<>>", "->+", "y>x"]);
        assert_eq!(changed("({element}) % 4u;{{", Braces::Format), ["%>/", "4u>5u", "4u>3u"]);
        assert_eq!(changed("bitcast<u32>(x) >> 3u", Braces::Plain), [">>><<", "3u>4u", "3u>2u"]);
    }
}
