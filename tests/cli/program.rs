//! Running the program itself in a folder of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::common::npy::npy_of_floats;

/// A folder to work in.
pub struct Place {
    folder: tempfile::TempDir,
}

/// Everything below a folder: names and contents.
type Files = BTreeMap<PathBuf, Option<Vec<u8>>>;

impl Place {
    /// An empty one.
    pub fn new() -> Place {
        Place { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file in it.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }

    /// Writes rows of so many values each in NumPy's format.
    pub fn write_npy(&self, name: &str, width: usize, values: &[f32]) {
        self.write_array(name, &[width], values);
    }

    /// Writes rows of a shape in NumPy's format.
    pub fn write_array(&self, name: &str, row: &[usize], values: &[f32]) {
        let rows = values.len() / row.iter().product::<usize>();
        let sizes: Vec<String> = [&[rows], row].concat().iter().map(usize::to_string).collect();
        // Python's tuples of one number have a comma.
        let shape = format!("({},)", sizes.join(", "));
        self.write(name, npy_of_floats(&shape, values.iter().copied()));
    }

    /// The program, in this folder, without input.
    pub fn elbo(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_elbo"));
        command.args(line.split_whitespace()).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_remove("RUST_BACKTRACE");
        // Tests leave nothing in the user's own folder.
        command.env("ELBO_CACHE_DIR", "");
        command
    }

    /// Runs a line that must succeed; gives what it prints.
    pub fn run(&self, line: &str) -> String {
        let output = self.elbo(line).output().expect("the program starts");
        assert!(output.status.success(), "elbo {line}\n{}", text(&output));
        String::from_utf8(output.stdout).expect("text")
    }

    /// A small run under this name, on the CPU, with more options.
    pub fn train(&self, name: &str, options: &str) {
        self.run(&format!("train {} --out {name}", small(options)));
    }

    /// A small run of networks that see pictures, under this name.
    pub fn train_network(&self, name: &str, network: &str) {
        let usual = "--device cpu --epochs 1 --count 100 --resolution 8 --validation 10 --latent 2 --batch 16";
        self.run(&format!("train {usual} --encoder {network} --out {name}"));
    }

    /// Runs a line that must be refused with all of these words, and leave no trace.
    pub fn refused(&self, line: &str, words: &[&str]) {
        refused(self, &mut self.elbo(line), line, words);
    }

    /// Runs a line that must be refused with all of these words, while something else is written.
    pub fn refused_beside(&self, line: &str, words: &[&str]) {
        let output = self.elbo(line).output().expect("the program starts");
        let said = text(&output);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{line}\n{said}");
        words.iter().for_each(|word| assert!(said.contains(word), "{line}: nothing about `{word}`\n{said}"));
    }

    /// All that is in it.
    pub fn files(&self) -> Files {
        let mut found = Files::new();
        list(self.folder.path(), &mut found);
        found
    }
}

/// Options of a run that takes a moment, with others in place of some.
pub fn small(options: &str) -> String {
    let usual = "--device cpu --epochs 1 --count 100 --resolution 8 --validation 10 --hidden 16 --latent 2 --batch 16";
    with(usual, options)
}

/// Options, with others in place of some.
pub fn with(usual: &str, options: &str) -> String {
    let usual: Vec<&str> = usual.split_whitespace().collect();
    let kept = usual.chunks(2).filter(|pair| !options.split_whitespace().any(|word| word == pair[0]));
    kept.map(|pair| pair.join(" ")).chain([options.to_string()]).collect::<Vec<_>>().join(" ")
}

/// Runs a command that must be refused with all of these words, and leave no trace.
pub fn refused(place: &Place, command: &mut Command, what: &str, words: &[&str]) {
    let before = place.files();
    let output = command.output().expect("the program starts");
    let said = text(&output);
    let code = output.status.code();
    assert!(matches!(code, Some(1 | 2)), "{what}: exit status {code:?}\n{said}");
    assert!(!said.contains("panicked"), "{what}\n{said}");
    let plain = without_options(&said);
    for word in words {
        assert!(said.contains(word) || plain.contains(word), "{what}: nothing about `{word}`\n{said}");
    }
    assert!(!said.contains("Error {") && !said.contains("Err("), "{what}: not said for people\n{said}");
    let after = place.files();
    let changed: Vec<_> = after.keys().filter(|path| before.get(*path) != after.get(*path)).collect();
    assert!(changed.is_empty() && before.len() == after.len(), "{what} leaves {changed:?}\n{said}");
}

/// A text without what says how a setting is typed, as in `beta` (--beta).
fn without_options(text: &str) -> String {
    let mut parts = text.split(" (--");
    let first = parts.next().unwrap_or_default().to_string();
    let rest = |part| match str::split_once(part, ')') {
        Some((_, rest)) => rest.to_string(),
        None => format!(" (--{part}"),
    };
    parts.map(rest).fold(first, |all, part| all + &part)
}

/// All that a program said.
pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn list(folder: &Path, found: &mut Files) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.insert(path.clone(), None);
            list(&path, found);
        } else if !path.ends_with(".elbo-lock") {
            // Who locked a run last is no matter.
            found.insert(path.clone(), Some(fs::read(&path).expect("a file")));
        }
    }
}

/// An IDX file of images: the header says one count, the bytes may be others.
pub fn images(count: u32, height: u32, width: u32, bytes: usize) -> Vec<u8> {
    let mut file = vec![0, 0, 8, 3];
    file.extend([count, height, width].iter().flat_map(|n| n.to_be_bytes()));
    file.extend((0..bytes).map(|i| (i * 37 % 251) as u8));
    file
}

/// An IDX file of labels.
pub fn labels(count: u32) -> Vec<u8> {
    let mut file = vec![0, 0, 8, 1];
    file.extend(count.to_be_bytes());
    file.extend((0..count).map(|i| (i % 10) as u8));
    file
}
