//! One run of every test by itself, without a mutant: it must pass, and tells how long it takes and which sites it reaches.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::build::Binary;
use crate::process::{End, Place, fresh, list, run};
use crate::work::in_parallel;

/// One test.
#[derive(Clone, Debug)]
pub struct Test {
    pub binary: Binary,
    pub name: String,
    pub time: Duration,
    /// Too slow to be run for every mutant that it reaches.
    pub slow: bool,
}

impl Test {
    pub fn full_name(&self) -> String {
        format!("{} {}", self.binary.name, self.name)
    }
}

/// All tests, fastest first, and what is known of the mutants.
pub struct Traced {
    pub tests: Vec<Test>,
    /// Of each mutant, the numbers of the tests that reach it, fastest first.
    pub reached: BTreeMap<u32, Vec<usize>>,
    /// Shader text that no compiler takes.
    pub invalid: BTreeSet<u32>,
    /// Tests that fail without a mutant, and how.
    pub failed: Vec<String>,
}

/// Runs every test for at most `slowest`: one that takes longer is known by what it has reached until then.
pub fn trace(binaries: &[Binary], tree: &Path, scratch: &Path, workers: usize, slowest: Duration) -> Result<Traced> {
    let mut all = Vec::new();
    for binary in binaries {
        let place = Place { tree: tree.to_path_buf(), scratch: scratch.to_path_buf() };
        all.extend(list(binary, &place)?.into_iter().map(|name| (binary.clone(), name)));
    }
    let done = in_parallel(workers, &all, |worker, number, (binary, name)| {
        let place = Place { tree: tree.to_path_buf(), scratch: scratch.join(format!("worker{worker}")) };
        fresh(&place.scratch)?;
        let file = scratch.join(format!("trace{number}"));
        let variables = [("ELBO_MUTANT_TRACE", file.display().to_string())];
        // Once more, if it fails: other work on the machine may have been in its way.
        let mut end = run(binary, &[name], &variables, slowest, &place)?;
        if !matches!(end.0, End::Passed | End::TimedOut) {
            end = run(binary, &[name], &variables, slowest, &place)?;
        }
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        Ok((end, text))
    })?;
    let mut failed = Vec::new();
    let mut tests = Vec::new();
    for ((binary, name), ((end, time), text)) in all.into_iter().zip(done) {
        let test = Test { binary, name, time, slow: end == End::TimedOut };
        match end {
            End::Passed | End::TimedOut => tests.push((test, text)),
            End::Failed { .. } | End::Crashed(_) => failed.push(format!("{}: {end:?}", test.full_name())),
        }
    }
    tests.sort_by_key(|(test, _)| test.time);
    let (mut reached, mut invalid) = (BTreeMap::<u32, Vec<usize>>::new(), BTreeSet::new());
    for (number, (_, text)) in tests.iter().enumerate() {
        let mut seen = BTreeSet::new();
        for line in text.lines() {
            let (id, bad) = line.split_once(' ').map_or((line, false), |(id, _)| (id, true));
            let id: u32 = id.parse()?;
            if bad {
                invalid.insert(id);
            }
            // A test that starts the program several times tells it several times.
            if seen.insert(id) {
                reached.entry(id).or_default().push(number);
            }
        }
    }
    Ok(Traced { tests: tests.into_iter().map(|(test, _)| test).collect(), reached, invalid, failed })
}
