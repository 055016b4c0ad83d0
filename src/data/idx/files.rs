//! The files of a set, found by their names.
//!
//! A name is `SET-PART-WHAT-idxN-TYPE`, as `emnist-letters-train-images-idx3-ubyte.gz`: the set may be absent, the part is
//! `train`, `t10k` or `test`, what it holds are `images` or `labels`, and a dot may stand for a hyphen. Some sites pack each file
//! into a folder of the same name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The files of one part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PartFiles {
    pub(super) images: Option<PathBuf>,
    pub(super) labels: Option<PathBuf>,
}

/// The files of one set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SetFiles {
    pub(super) train: PartFiles,
    pub(super) test: PartFiles,
}

/// What a name says of its file.
#[derive(Debug, PartialEq, Eq)]
struct Role<'a> {
    set: &'a str,
    is_test: bool,
    is_labels: bool,
}

fn role(name: &str) -> Option<Role<'_>> {
    let words: Vec<&str> = name.split(['-', '.']).collect();
    let at = words.iter().position(|word| matches!(*word, "images" | "labels"))?;
    let part = *words.get(at.checked_sub(1)?)?;
    if !matches!(part, "train" | "t10k" | "test") || !words.get(at + 1)?.starts_with("idx") {
        return None;
    }
    let before: usize = words[..at - 1].iter().map(|word| word.len() + 1).sum();
    Some(Role { set: &name[..before.saturating_sub(1)], is_test: part != "train", is_labels: words[at] == "labels" })
}

/// The sets in a folder by name, that of the plain names being empty.
pub(super) fn sets(folder: &Path) -> BTreeMap<String, SetFiles> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    // Of a file that lies here packed and unpacked, the unpacked one is taken.
    names.sort();
    let mut sets: BTreeMap<String, SetFiles> = BTreeMap::new();
    for name in names {
        let Some((Role { set, is_test, is_labels }, path)) = role(&name).zip(file(folder, &name)) else { continue };
        let set = sets.entry(set.to_owned()).or_default();
        let part = if is_test { &mut set.test } else { &mut set.train };
        let place = if is_labels { &mut part.labels } else { &mut part.images };
        place.get_or_insert(path);
    }
    sets
}

/// The file of this name, also where it lies in a folder of that name.
fn file(folder: &Path, name: &str) -> Option<PathBuf> {
    let path = folder.join(name);
    let inside = [path.join(name), path.join(format!("{name}.gz")), path.join(name.trim_end_matches(".gz"))];
    [path].into_iter().chain(inside).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_a_file_holds() {
        for (name, expected) in [
            ("train-images-idx3-ubyte", Some(("", false, false))),
            ("t10k-labels.idx1-ubyte.gz", Some(("", true, true))),
            ("emnist-letters-train-images-idx3-ubyte.gz", Some(("emnist-letters", false, false))),
            ("qmnist-test-labels-idx2-int", Some(("qmnist", true, true))),
            ("images-idx3-ubyte", None),
            ("train-images.png", None),
            ("train-images", None),
            ("xtrain-images-idx3-ubyte", None),
            ("train-labels-idx1-ubyte", Some(("", false, true))),
        ] {
            let found = role(name).map(|role| (role.set, role.is_test, role.is_labels));
            assert_eq!(found, expected, "{name}");
        }
    }
}
