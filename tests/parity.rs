//! The GPU against the CPU, over the whole table of kernels: every case, every text the adapter could run.
//!
//! `elbo::apps::doctor` says how outputs are poisoned, guarded and compared, and how each comparison is shown to fail
//! when one word of an input changes. Here the comparison itself is tried on devices that are wrong on purpose.

mod common;

use std::collections::BTreeSet;
use std::time::Instant;

use common::Shared;
use elbo::apps::doctor::Trial;
use elbo::cpu::Cpu;
use elbo::kernels::table::{Row, TABLE, variants};

/// Runs all cases of a row in all variants, and fails with everything that was wrong.
fn parity(name: &str) {
    let row = TABLE.iter().find(|row| row.name == name).unwrap_or_else(|| panic!("the table has no row {name}"));
    let (started, mut failures, mut runs, mut unusual) = (Instant::now(), Vec::new(), 0, 0);
    for (seed, case) in (row.cases)().iter().enumerate() {
        let Some(mut shared) = Shared::lock() else { return };
        let mut reference = Cpu::new();
        let trial = Trial::new(case, 1000 + seed as u64, &mut reference).expect("the reference runs");
        let mut variants = variants(&case.kernel, &shared.gpu().traits());
        variants.truncate(case.variant_limit());
        for (v, variant) in variants.iter().enumerate() {
            runs += 1;
            match trial.run(variant, shared.gpu()) {
                Ok(report) => {
                    unusual += usize::from(report.worst > case.usual());
                    failures.extend(report.failure.map(|f| format!("{} (text {v}): {f}", case.label)));
                }
                Err(error) => {
                    failures.push(format!("{} (text {v}): {error}", case.label));
                    shared.discard();
                }
            }
        }
    }
    eprintln!("{name}: {runs} runs, {unusual} above 4·√K·ε, {:.1} s", started.elapsed().as_secs_f64());
    assert!(failures.is_empty(), "{name}: {} of {runs} runs failed\n{}", failures.len(), failures.join("\n"));
    assert!(10 * unusual <= runs, "{name}: {unusual} of {runs} runs have errors above 4·√K·ε");
}

macro_rules! rows {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            parity(stringify!($name));
        })*

        #[test]
        fn every_row_has_a_test() {
            let tested: BTreeSet<&str> = [$(stringify!($name)),*].into();
            let rows: BTreeSet<&str> = TABLE.iter().map(|row: &Row| row.name).collect();
            assert_eq!(tested, rows);
        }
    };
}

rows!(matmul map draws gaussian likelihood reduce statistics batch norm adam);
