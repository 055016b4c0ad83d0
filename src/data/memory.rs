//! How much memory there is, and whether rows fit into it, asked before any of them is made.

use std::path::Path;

use crate::error::{Error, Result};

/// Refuses what takes more than three quarters of this memory, with what it is and what helps.
pub(super) fn check(path: &Path, bytes: u128, memory: u64, what: impl Fn() -> String, remedy: &str) -> Result<()> {
    if bytes <= u128::from(memory) / 4 * 3 {
        return Ok(());
    }
    let gib = |bytes: u128| bytes as f64 / f64::from(1 << 30);
    Err(Error::malformed(
        path,
        format!("{} take {:.1} GiB, and this process may have {:.1}: {remedy}", what(), gib(bytes), gib(memory.into())),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_more_than_three_quarters_is_refused() {
        let said = |bytes: u128| {
            let what = || "8 rows of 3 numbers".to_string();
            check(Path::new("a.csv"), bytes, 4 << 30, what, "give fewer").map_err(|error| error.to_string())
        };
        assert_eq!(said(3 << 30), Ok(()));
        let refused = said((3 << 30) + 1).unwrap_err();
        assert!(
            refused.contains("a.csv")
                && refused.contains("8 rows of 3 numbers take 3.0 GiB, and this process may have 4.0: give fewer"),
            "{refused}"
        );
    }
}
