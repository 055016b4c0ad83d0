//! What an embedder builds: which crates come with which cargo features, as cargo itself resolves them.

use std::collections::BTreeSet;
use std::process::Command;

/// The names of all crates that the library is built of with these words behind `cargo tree`.
fn crates(words: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(words)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().filter_map(|line| line.split_whitespace().next()).map(String::from).collect()
}

const PROGRAM: [&str; 6] = ["clap", "clap_complete", "clap_mangen", "ctrlc", "indicatif", "textwrap"];
const FETCH: [&str; 2] = ["md-5", "ureq"];
const PICTURES: [&str; 2] = ["dejavu", "plotters"];
const REPORT: [&str; 1] = ["maud"];
const TENSORBOARD: [&str; 2] = ["crc32c", "prost"];
const GPU: [&str; 2] = ["naga", "wgpu"];
const MPI: [&str; 2] = ["mpi", "mpi-sys"];
const PARQUET: [&str; 3] = ["parquet", "snap", "zstd"];

#[test]
fn an_embedder_builds_what_it_asks_for_and_no_more() {
    // What only the feature `mpi` takes need not be on this machine, so that the lock file says that it is called this.
    let lock = include_str!("../../Cargo.lock");
    assert!(MPI.iter().all(|name| lock.contains(&format!("name = \"{name}\"\n"))));
    for (words, held) in [
        (&["--no-default-features"][..], &[][..]),
        (&["--no-default-features", "--features", "gpu"], &[&GPU[..]]),
        (&["--no-default-features", "--features", "pictures"], &[&PICTURES[..]]),
        (&["--no-default-features", "--features", "report"], &[&PICTURES[..], &REPORT]),
        (&["--no-default-features", "--features", "fetch"], &[&FETCH[..]]),
        (&["--no-default-features", "--features", "parquet"], &[&PARQUET[..]]),
        (&["--no-default-features", "--features", "tensorboard"], &[&TENSORBOARD[..]]),
        (&[], &[&PROGRAM[..], &FETCH, &PICTURES, &REPORT, &GPU, &PARQUET, &TENSORBOARD]),
    ] {
        let (found, held) = (crates(words), held.concat());
        assert!(found.contains("rayon") && found.len() > 50, "{words:?}: {found:?}");
        for name in PROGRAM
            .iter()
            .chain(&FETCH)
            .chain(&MPI)
            .chain(&PICTURES)
            .chain(&REPORT)
            .chain(&GPU)
            .chain(&PARQUET)
            .chain(&TENSORBOARD)
        {
            assert_eq!(found.contains(*name), held.contains(name), "{words:?}: {name}");
        }
    }
}
