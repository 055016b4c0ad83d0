//! WGSL laid out to be read: what is put together from pieces comes with the indentation of the pieces.

/// The text with every line indented by the blocks that it stands in, four spaces each, with no two empty lines in a row and none
/// in front of a closing brace. Nothing but white space changes.
pub fn readable(text: &str) -> String {
    let (mut out, mut depth, mut is_empty) = (String::new(), 0usize, true);
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            if !is_empty {
                out.push('\n');
            }
            is_empty = true;
            continue;
        }
        let code = line.split("//").next().unwrap_or(line);
        let closing = code.chars().take_while(|c| matches!(c, '}' | ')')).count();
        let [opened, closed] = [['{', '('], ['}', ')']].map(|kind| code.matches(kind).count());
        if closing > 0 && is_empty {
            out.pop();
        }
        for _ in 0..4 * depth.saturating_sub(closing) {
            out.push(' ');
        }
        out += line;
        out.push('\n');
        depth = (depth + opened).saturating_sub(closed);
        is_empty = false;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_indented_by_the_blocks_they_stand_in() {
        let text = "\nfn f(a: u32) {\nif (a < 2u) { // {\n      return;\n} else {\ng(\na,\n);\n}\n\n\n}\n\n\nfn g(a: u32) {}\n";
        let laid_out = "\
fn f(a: u32) {
    if (a < 2u) { // {
        return;
    } else {
        g(
            a,
        );
    }
}

fn g(a: u32) {}
";
        assert_eq!(readable(text), laid_out);
    }
}
