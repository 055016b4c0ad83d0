//! Numbers, sizes and times as people read them, in ASCII.

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

/// So many of something: `1 row`, `12,345 rows`.
pub fn counted(number: usize, of: &str) -> String {
    format!("{} {of}{}", count(number as u64), if number == 1 { "" } else { "s" })
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
}
