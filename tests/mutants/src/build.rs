//! Builds the copy's tests once, and finds out which mutants are no Rust.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::tree::Tree;

/// A test binary.
#[derive(Clone, Debug)]
pub struct Binary {
    pub name: String,
    pub path: PathBuf,
}

/// What a build came to.
pub enum Built {
    Done(Vec<Binary>),
    /// These mutants do not compile.
    Refused(BTreeSet<u32>),
}

/// Builds the library's, the program's and the folder's tests.
pub fn build(tree: &Tree, target: &Path) -> Result<Built> {
    let output = Command::new("cargo")
        .args(["test", "--no-run", "--lib", "--bins", "--tests", "--message-format=json", "--target-dir"])
        .arg(target)
        .current_dir(&tree.root)
        .env_remove("CARGO_TARGET_DIR")
        .stderr(Stdio::piped())
        .output()
        .context("starting cargo")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let messages: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if output.status.success() {
        return Ok(Built::Done(messages.iter().filter_map(binary).collect()));
    }
    let errors: Vec<&Value> = messages
        .iter()
        .filter(|m| m["reason"] == "compiler-message" && m["message"]["level"] == "error")
        .map(|m| &m["message"])
        .collect();
    ensure!(!errors.is_empty(), "cargo fails:\n{}", String::from_utf8_lossy(&output.stderr));
    let mut refused = BTreeSet::new();
    for error in &errors {
        let found = mutants_of(error, tree);
        // "aborting due to 3 previous errors" has no place.
        if found.is_empty() && error["spans"].as_array().is_some_and(|spans| !spans.is_empty()) {
            bail!("an error that is no mutant's:\n{}", error["rendered"].as_str().unwrap_or_default());
        }
        refused.extend(found);
    }
    ensure!(!refused.is_empty(), "cargo fails:\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(Built::Refused(refused))
}

fn binary(message: &Value) -> Option<Binary> {
    let of_tests = message["reason"] == "compiler-artifact" && message["profile"]["test"] == true;
    let path = message["executable"].as_str().filter(|_| of_tests)?;
    let kind = message["target"]["kind"][0].as_str().unwrap_or_default();
    let name = message["target"]["name"].as_str().unwrap_or_default();
    let name = if kind == "test" { format!("tests/{name}") } else { kind.to_string() };
    Some(Binary { name, path: path.into() })
}

/// The mutants that an error points at: those of its main places, else of any.
fn mutants_of(error: &Value, tree: &Tree) -> Vec<u32> {
    let spans = error["spans"].as_array().map(Vec::as_slice).unwrap_or_default();
    let children = error["children"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of_children = children.iter().flat_map(|c| c["spans"].as_array().map(Vec::as_slice).unwrap_or_default());
    let all: Vec<&Value> = spans.iter().chain(of_children).collect();
    let at = |span: &Value| {
        let byte = |name: &str| span[name].as_u64().unwrap_or(0) as usize;
        let file = span["file_name"].as_str().unwrap_or_default();
        tree.mutants_at(file, byte("byte_start")..byte("byte_end").max(byte("byte_start") + 1))
    };
    // An error in a macro stands in the macro; the mutant is where it was called from.
    let outside = |span: &&Value| {
        let mut span = *span;
        while span["expansion"]["span"].is_object() {
            span = &span["expansion"]["span"];
        }
        span.clone()
    };
    let primary: Vec<u32> = all.iter().filter(|s| s["is_primary"] == true).flat_map(|s| at(s)).collect();
    if !primary.is_empty() {
        return primary;
    }
    let any: Vec<u32> = all.iter().flat_map(|s| at(s)).collect();
    if !any.is_empty() {
        return any;
    }
    all.iter().flat_map(|s| at(&outside(s))).collect()
}
