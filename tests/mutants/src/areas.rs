//! Where mutants are made: the parts of the project whose numbers can be silently wrong.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};

use crate::rust;
use crate::site::{Form, Site, position};
use crate::wgsl::{self, Braces};

/// The area of all shader text, also of what is written by Rust.
pub const WGSL: &str = "wgsl";

/// Areas of Rust code and their folders.
pub const AREAS: &[(&str, &str)] = &[
    ("distributions", "src/engine/distributions/"),
    ("objectives", "src/engine/objectives/"),
    ("evaluation", "src/engine/evaluation/"),
    ("models", "src/engine/models/"),
    ("training", "src/engine/training/"),
    ("kernels", "src/engine/kernels/"),
];

/// What lies in an area and is no subject of tests: the cases on which kernels are tried, and the names of choices.
const LEFT_OUT: &[&str] = &["src/engine/kernels/table"];

/// All sites of these files, numbered in their order.
pub fn sites(root: &Path, files: &[String]) -> Result<Vec<Site>> {
    let mut out = Vec::new();
    let tests = test_files(root, files)?;
    for file in files {
        let area = AREAS.iter().find(|(_, folder)| file.starts_with(folder)).map(|(name, _)| *name);
        let shader = file.starts_with("shaders/") && file.ends_with(".wgsl");
        if tests.contains(file) || LEFT_OUT.iter().any(|left| file.starts_with(left)) {
            continue;
        }
        let changes = match area {
            _ if shader => {
                let text = read(root, file)?;
                let changes = wgsl::changes(&text, Braces::Plain).into_iter();
                changes.map(|(range, mutated, rule)| rust::Change { form: Form::Wgsl, range, mutated, rule }).collect()
            }
            Some(area) if file.ends_with(".rs") => {
                rust::changes(&read(root, file)?, area == "kernels").with_context(|| format!("reading {file}"))?
            }
            _ => continue,
        };
        let text = read(root, file)?;
        for change in changes {
            let (line, column) = position(&text, change.range.start);
            out.push(Site {
                id: out.len() as u32 + 1,
                area: if change.form == Form::Wgsl { WGSL } else { area.unwrap_or(WGSL) },
                form: change.form,
                file: file.clone(),
                line,
                column,
                original: text[change.range.clone()].to_string(),
                range: change.range,
                mutated: change.mutated,
                rule: change.rule,
            });
        }
    }
    Ok(out)
}

/// The files of modules that are only there in tests.
fn test_files(root: &Path, files: &[String]) -> Result<BTreeSet<String>> {
    let mut out = BTreeSet::new();
    for file in files.iter().filter(|f| f.starts_with("src/") && f.ends_with(".rs")) {
        let modules = rust::test_modules(&read(root, file)?).with_context(|| format!("reading {file}"))?;
        let folder = file.strip_suffix("/mod.rs").unwrap_or(&file[..file.len() - 3]);
        out.extend(modules.iter().flat_map(|m| [format!("{folder}/{m}.rs"), format!("{folder}/{m}/mod.rs")]));
    }
    Ok(out)
}

fn read(root: &Path, file: &str) -> Result<String> {
    std::fs::read_to_string(root.join(file)).with_context(|| format!("reading {file}"))
}
