//! Other numbers in place of a literal, in Rust and in WGSL.

/// What may stand instead of a literal, with its suffix kept.
pub fn others(literal: &str) -> Vec<String> {
    let (digits, suffix) = split(literal);
    if let Some(hex) = digits.strip_prefix("0x") {
        let value = u64::from_str_radix(&hex.replace('_', ""), 16).ok();
        return value.map(|v| format!("0x{:x}{suffix}", v.wrapping_add(1))).into_iter().collect();
    }
    let plain = digits.replace('_', "");
    if plain.contains(['.', 'e', 'E']) || suffix.starts_with('f') {
        let Ok(value) = plain.parse::<f64>() else { return Vec::new() };
        let mut values = vec![if value == 0.0 { 1.0 } else { value * 2.0 }];
        // Beside a large number, 1 more is nothing.
        if value != 0.0 && value != 1.0 && value.abs() < 1e5 {
            values.push(value + 1.0);
        }
        return values.into_iter().map(|v| format!("{v:?}{suffix}")).collect();
    }
    let Ok(value) = plain.parse::<u64>() else { return Vec::new() };
    let mut values = vec![value + 1];
    if value > 0 {
        values.push(value - 1);
    }
    values.into_iter().map(|v| format!("{v}{suffix}")).collect()
}

fn split(literal: &str) -> (&str, &str) {
    let hex = literal.starts_with("0x");
    let at = literal.char_indices().find(|&(i, c)| {
        let exponent = !hex
            && matches!(c, 'e' | 'E')
            && literal[i + 1..].starts_with(['-', '+', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
        match c {
            'u' | 'i' => true,
            'f' | 'h' => !hex,
            'a'..='z' => !hex && !exponent,
            _ => false,
        }
    });
    // The x of 0x is no suffix.
    literal.split_at(at.map_or(literal.len(), |(i, _)| i))
}

#[cfg(test)]
mod tests {
    use super::others;

    #[test]
    fn numbers() {
        assert_eq!(others("0.5"), ["1.0", "1.5"]);
        assert_eq!(others("0.0"), ["1.0"]);
        assert_eq!(others("4u"), ["5u", "3u"]);
        assert_eq!(others("0"), ["1"]);
        assert_eq!(others("32_768"), ["32769", "32767"]);
        assert_eq!(others("0x7f80_0000u"), ["0x7f800001u"]);
        assert_eq!(others("1e-3f32"), ["0.002f32", "1.001f32"]);
        assert_eq!(others("3e38"), ["6e38"]);
        assert_eq!(others("10_usize"), ["11usize", "9usize"]);
    }
}
