//! Runs the tests that reach a mutant, fastest first, until one of them sees it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use crate::process::{End, Place, fresh, run};
use crate::site::Site;
use crate::trace::{Test, Traced};

/// What became of a mutant.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// A test saw it.
    Caught { how: How, test: String, message: String },
    /// All tests that reach it passed, or those that the time allowed.
    Survived { passed: usize, of: usize },
    /// No test runs it.
    NotReached,
}

/// What catches a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// An assertion of a test.
    Failed,
    /// The code under test panics.
    Panic,
    /// The process dies.
    Crash,
    /// Ten times the usual time has passed, and ten seconds.
    Timeout,
}

/// The time that the first round of tests takes; every further round takes twice as long.
const ROUND: Duration = Duration::from_millis(500);

pub fn judge(site: &Site, traced: &Traced, tree: &Path, scratch: &Path, limit: Duration) -> Result<Verdict> {
    let Some(reached) = traced.reached.get(&site.id) else { return Ok(Verdict::NotReached) };
    fresh(scratch)?;
    let place = Place { tree: tree.to_path_buf(), scratch: scratch.to_path_buf() };
    let variables = [("ELBO_MUTANT", site.id.to_string())];
    let (start, mut passed, mut round) = (Instant::now(), 0, ROUND);
    let mut rest: Vec<&Test> = reached.iter().map(|&n| &traced.tests[n]).filter(|test| !test.slow).collect();
    while !rest.is_empty() {
        let later = rest.split_off(within(&rest, round));
        for tests in by_binary(&rest) {
            let usual: Duration = tests.iter().map(|test| test.time).sum();
            let left = limit.saturating_sub(start.elapsed());
            let names: Vec<&str> = tests.iter().map(|test| test.name.as_str()).collect();
            let own = usual * 10 + Duration::from_secs(10);
            if left.is_zero() {
                return Ok(Verdict::Survived { passed, of: reached.len() });
            }
            let (end, _) = run(&tests[0].binary, &names, &variables, own.min(left), &place)?;
            let (how, test, message) = match end {
                End::Passed => {
                    passed += tests.len();
                    continue;
                }
                End::TimedOut if left < own => return Ok(Verdict::Survived { passed, of: reached.len() }),
                End::TimedOut => (How::Timeout, names.join(", "), String::new()),
                End::Crashed(what) => (How::Crash, names.join(", "), what),
                End::Failed { test, message } => {
                    let in_code = message.starts_with("panicked at src/") && !message.contains("assertion");
                    (if in_code { How::Panic } else { How::Failed }, test, message)
                }
            };
            let test = format!("{} {test}", tests[0].binary.name);
            return Ok(Verdict::Caught { how, test, message });
        }
        rest = later;
        round *= 2;
    }
    Ok(Verdict::Survived { passed, of: reached.len() })
}

/// How many of the tests fit into a round; at least one.
fn within(tests: &[&Test], round: Duration) -> usize {
    let mut sum = Duration::ZERO;
    let fit = tests.iter().take_while(|test| {
        sum += test.time;
        sum <= round
    });
    fit.count().max(1)
}

fn by_binary<'a>(tests: &[&'a Test]) -> Vec<Vec<&'a Test>> {
    let mut out: BTreeMap<&str, Vec<&Test>> = BTreeMap::new();
    for test in tests {
        out.entry(&test.binary.name).or_default().push(test);
    }
    out.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::Binary;

    #[test]
    fn rounds_of_the_fastest() {
        let test = |name: &str, millis| Test {
            binary: Binary { name: name.into(), path: "".into() },
            name: String::new(),
            time: Duration::from_millis(millis),
            slow: false,
        };
        let tests = [test("a", 100), test("b", 300), test("a", 400), test("a", 5000)];
        let all: Vec<&Test> = tests.iter().collect();
        assert_eq!(within(&all, ROUND), 2);
        assert_eq!(within(&all, 4 * ROUND), 3);
        assert_eq!(within(&all[3..], ROUND), 1);
        let sizes: Vec<usize> = by_binary(&all).iter().map(Vec::len).collect();
        assert_eq!(sizes, [3, 1]);
    }
}
