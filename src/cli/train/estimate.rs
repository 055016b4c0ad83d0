//! How long a run takes, and what makes it shorter.

use std::time::Duration;

use super::super::style;

/// What is shorter is not worth a word.
const SHORT: Duration = Duration::from_secs(10);
/// What is longer comes with advice.
const LONG: Duration = Duration::from_secs(3600);

/// A sentence about the time that is left.
pub(super) fn estimate(left: Duration) -> Option<String> {
    if left < SHORT {
        return None;
    }
    let time = rounded(left);
    Some(match left > LONG {
        false => format!("This takes about {time}. Ctrl-C stops and keeps the run."),
        true => format!(
            "This takes about {time} on this device. It is shorter with fewer --epochs, a larger --batch,\n\
             smaller layers (--hidden), smaller pictures (--size), or a GPU (elbo devices). Ctrl-C stops and\n\
             keeps the run, and --resume goes on with it."
        ),
    })
}

/// A time of which only what is sure is said.
fn rounded(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds @ ..55.0 => format!("{:.0} seconds", (seconds / 5.0).ceil() * 5.0),
        ..90.0 => "a minute".to_string(),
        seconds @ ..3300.0 => format!("{:.0} minutes", (seconds / 60.0).round()),
        ..5400.0 => "an hour".to_string(),
        seconds @ ..129_600.0 => format!("{:.0} hours", (seconds / 3600.0).round()),
        seconds => format!("{} days", style::count((seconds / 86_400.0).round() as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_comes_with_advice() {
        let said = |seconds: u64| estimate(Duration::from_secs(seconds)).unwrap_or_default();
        assert_eq!(said(9), "");
        assert!(said(12).starts_with("This takes about 15 seconds.") && said(3_600).contains("an hour"));
        assert!(!said(3_600).contains("--epochs") && said(3_601).contains("--epochs"));
        for (seconds, expected) in [(56, "a minute"), (95, "2 minutes"), (7_300, "2 hours"), (200_000, "2 days")] {
            assert!(said(seconds).contains(&format!("about {expected}")), "{}", said(seconds));
        }
    }
}
