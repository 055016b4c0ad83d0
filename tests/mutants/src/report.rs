//! What people read, and the same as JSON.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use crate::judge::{How, Verdict};
use crate::site::Site;
use crate::trace::Traced;

/// A mutant and what became of it.
#[derive(Serialize)]
pub struct Line {
    #[serde(flatten)]
    pub site: Site,
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The tests that reach it, fastest first.
    pub reached_by: Vec<String>,
}

#[derive(Default)]
struct Count {
    mutants: usize,
    caught: BTreeMap<How, usize>,
    survived: usize,
    not_reached: usize,
}

pub fn line(site: Site, verdict: Verdict, traced: &Traced) -> Line {
    let reached = traced.reached.get(&site.id).map(Vec::as_slice).unwrap_or_default();
    Line { site, verdict, reached_by: reached.iter().map(|&n| traced.tests[n].full_name()).collect() }
}

/// What the run without mutants told of the tests.
pub fn print_tests(traced: &Traced) {
    let time: u64 = traced.tests.iter().map(|test| test.time.as_secs()).sum();
    println!("{} tests pass without a mutant, in {time} s of their own time", traced.tests.len());
    let slow: Vec<String> = traced.tests.iter().filter(|test| test.slow).map(|test| test.full_name()).collect();
    if !slow.is_empty() {
        println!("left out as too slow, reached or not:\n    {}", slow.join("\n    "));
    }
    if !traced.failed.is_empty() {
        println!("LEFT OUT, since they fail without a mutant:\n    {}", traced.failed.join("\n    "));
    }
}

pub fn write(lines: &[Line], path: &Path) -> Result<()> {
    std::fs::write(path, serde_json::to_string_pretty(lines)?)?;
    Ok(())
}

pub fn print(lines: &[Line]) {
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    for line in lines {
        for area in [line.site.area, "~ all"] {
            let count = counts.entry(area).or_default();
            count.mutants += 1;
            match &line.verdict {
                Verdict::Caught { how, .. } => *count.caught.entry(*how).or_default() += 1,
                Verdict::Survived { .. } => count.survived += 1,
                Verdict::NotReached => count.not_reached += 1,
            }
        }
    }
    println!(
        "\n{:<14}{:>8}{:>8}   {:>11}{:>7}{:>7}{:>9}{:>11}{:>13}",
        "area", "mutants", "caught", "test failed", "panic", "crash", "timeout", "survivors", "not reached"
    );
    for (area, count) in &counts {
        let of = |how| count.caught.get(&how).copied().unwrap_or(0);
        println!(
            "{:<14}{:>8}{:>8}   {:>11}{:>7}{:>7}{:>9}{:>11}{:>13}",
            area.trim_start_matches("~ "),
            count.mutants,
            count.caught.values().sum::<usize>(),
            of(How::Failed),
            of(How::Panic),
            of(How::Crash),
            of(How::Timeout),
            count.survived,
            count.not_reached
        );
    }
    for line in lines {
        match &line.verdict {
            Verdict::Caught { .. } => {}
            Verdict::NotReached => println!("\nno test reaches {}", line.site.describe()),
            Verdict::Survived { passed, of } => {
                let cut = if passed < of { " (no time for the others)" } else { "" };
                println!("\nsurvives {passed} of {of} tests{cut}: {}", line.site.describe());
                for test in line.reached_by.iter().take(8) {
                    println!("    {test}");
                }
                if line.reached_by.len() > 8 {
                    println!("    and {} more", line.reached_by.len() - 8);
                }
            }
        }
    }
}
