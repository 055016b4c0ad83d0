//! The copy of the project, with a switch at every picked site.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::site::{Form, Site};

const SWITCH: &str = include_str!("../runtime/mutants.rs");

/// Where texts become shader modules, and what stands there.
const COMPILE: (&str, &str, &str) = (
    "src/engine/gpu/pipelines.rs",
    "ShaderSource::Wgsl(text.into())",
    "ShaderSource::Wgsl(crate::mutants::wgsl(text).into())",
);

/// The project's files as they are now, committed or not.
pub fn files(root: &Path) -> Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("starting git")?;
    ensure!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).context("names of files")?;
    let there = text.split('\0').filter(|name| root.join(name).is_file()).map(str::to_string);
    Ok(there.collect::<BTreeSet<_>>().into_iter().collect())
}

/// A copy of the project.
pub struct Tree {
    pub root: PathBuf,
    original: PathBuf,
    files: Vec<String>,
    /// Which bytes of the changed files belong to which mutant, by file.
    pub changed: BTreeMap<String, Vec<(Range<usize>, u32)>>,
}

impl Tree {
    pub fn new(original: &Path, root: PathBuf, files: &[String]) -> Tree {
        Tree { root, original: original.to_path_buf(), files: files.to_vec(), changed: BTreeMap::new() }
    }

    /// Makes the copy what the original is, with these mutants. Files that stay the same are not touched, so that cargo does
    /// not build anew what need not be.
    pub fn write(&mut self, mutants: &[Site]) -> Result<()> {
        self.remove_strangers()?;
        self.changed.clear();
        for file in self.files.clone() {
            let bytes = std::fs::read(self.original.join(&file)).with_context(|| format!("reading {file}"))?;
            let mut here: Vec<&Site> = mutants.iter().filter(|site| site.file == file).collect();
            let patched = file == "src/lib.rs" || file == COMPILE.0;
            if here.is_empty() && !patched {
                put(&self.root.join(&file), &bytes)?;
                continue;
            }
            here.sort_by_key(|site| site.range.start);
            let text = String::from_utf8(bytes).with_context(|| format!("reading {file}"))?;
            let (mut text, ranges) = changed(&text, &here);
            self.changed.insert(file.clone(), ranges);
            if file == COMPILE.0 {
                ensure!(text.matches(COMPILE.1).count() == 1, "`{}` does not stand once in {}", COMPILE.1, COMPILE.0);
                text = text.replace(COMPILE.1, COMPILE.2);
            } else if file == "src/lib.rs" {
                text += "\nmod mutants;\n";
            }
            put(&self.root.join(&file), text.as_bytes())?;
        }
        put(&self.root.join("src/mutants.rs"), switch(mutants).as_bytes())
    }

    fn remove_strangers(&self) -> Result<()> {
        let known: BTreeSet<PathBuf> = self.files.iter().map(|file| self.root.join(file)).collect();
        let switch = self.root.join("src/mutants.rs");
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            for entry in entries {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if !known.contains(&path) && path != switch {
                    std::fs::remove_file(&path)?;
                }
            }
        }
        Ok(())
    }

    /// The mutant at these bytes of a file, or the nearest one.
    pub fn mutants_at(&self, file: &str, bytes: Range<usize>) -> Vec<u32> {
        let ranges = self.changed.get(file).map(Vec::as_slice).unwrap_or_default();
        let touched = ranges.iter().filter(|(range, _)| range.start < bytes.end && bytes.start < range.end);
        touched.map(|(_, id)| *id).collect()
    }
}

fn changed(text: &str, here: &[&Site]) -> (String, Vec<(Range<usize>, u32)>) {
    let (mut out, mut ranges, mut at) = (String::new(), Vec::new(), 0);
    for site in here {
        out += &text[at..site.range.start];
        let (start, id, original) = (out.len(), site.id, &text[site.range.clone()]);
        out += &match site.form {
            Form::Rust => format!("(if crate::mutants::on({id}) {{ {} }} else {{ {original} }})", site.mutated),
            Form::Wgsl => format!("/*mutant {id}*/{original}"),
        };
        ranges.push((start..out.len(), id));
        at = site.range.end;
    }
    (out + &text[at..], ranges)
}

fn switch(mutants: &[Site]) -> String {
    let count = mutants.iter().map(|site| site.id + 1).max().unwrap_or(1);
    let mut out = format!("{SWITCH}\nconst COUNT: usize = {count};\nconst WGSL: &[(u32, &str, &str)] = &[\n");
    for site in mutants.iter().filter(|site| site.form == Form::Wgsl) {
        out += &format!("    ({}, {:?}, {:?}),\n", site.id, site.original, site.mutated);
    }
    out + "];\n"
}

fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    if std::fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let Some(folder) = path.parent() else { bail!("{} has no folder", path.display()) };
    std::fs::create_dir_all(folder)?;
    std::fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_and_markers() {
        let text = "let a = b + c; let d = \"x * y\";";
        let site = |id, form, original: &str, mutated: &str| {
            let at = text.find(original).expect("it stands there");
            let (range, file) = (at..at + original.len(), "src/a.rs".to_string());
            let (original, mutated) = (original.to_string(), mutated.to_string());
            Site { id, area: "", form, file, line: 1, column: 1, range, original, mutated, rule: "" }
        };
        let sites = [site(3, Form::Rust, "b + c", "b - c"), site(4, Form::Wgsl, "*", "/")];
        let (out, ranges) = changed(text, &sites.iter().collect::<Vec<_>>());
        assert_eq!(out, "let a = (if crate::mutants::on(3) { b - c } else { b + c }); let d = \"x /*mutant 4*/* y\";");
        assert!(ranges.iter().all(|(range, id)| out[range.clone()].contains(&id.to_string())));
        assert!(
            switch(&sites)
                .ends_with("COUNT: usize = 5;\nconst WGSL: &[(u32, &str, &str)] = &[\n    (4, \"*\", \"/\"),\n];\n")
        );
    }
}
