//! A model written out for other hosts: a web page that runs it by WebGPU, its programs alone, as JSON, a file of ONNX, or weights for PyTorch.
//!
//! A page and programs are made from lowered programs ([`crate::engine::gpu::bundle`]), and a file of ONNX from the graphs that these are made of,
//! so that a model of any network goes the same way. [`programs`] puts programs together, [`carried`] gives the rows that a page brings along, and
//! [`page`] makes the page, with the scripts of `assets/export/`.

mod carried;
mod onnx;
mod page;
mod programs;
mod weights;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Saved;
use super::torch::SCRIPT_BEGINS;
use super::uses::{ending, write_file};
use crate::error::{Error, Result};
use onnx::{OnnxFile, onnx};
pub use onnx::{OnnxPort, Part as OnnxPart};
use programs::{Bundled, bundled, training};
use weights::{Weights, weights};

/// What is to be written besides the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exporting {
    /// Other data whose rows the model is shown with; of a page.
    pub data: Option<String>,
    /// Whether training can go on there, over at most so many rows of the training data; of a page and of programs.
    pub training: Option<usize>,
    /// The epochs over those rows that can be trained.
    pub epochs: u64,
    /// Decides what is drawn by chance.
    pub seed: u64,
    /// The part of the model that a file of ONNX holds; the autoencoder where none is named.
    pub part: Option<OnnxPart>,
    /// How many rows a file of ONNX takes at once; any number where none is given.
    pub rows: Option<usize>,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// The file.
    pub out: PathBuf,
    /// Its size.
    pub bytes: usize,
    /// How many of those are weights, what an optimiser keeps, and rows.
    pub bytes_of_numbers: usize,
    /// What it holds.
    #[serde(flatten)]
    pub content: Content,
    /// What is not there, and why, in sentences.
    pub notes: Vec<String>,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Content {
    /// Programs, in a page or by themselves.
    Programs {
        /// The names of the programs.
        programs: Vec<String>,
        /// Steps of training that can be done there.
        steps: usize,
        /// Rows that those are taken from.
        rows: usize,
    },
    /// A part of the model in ONNX.
    Onnx {
        /// The part.
        part: &'static str,
        /// What goes in.
        inputs: Vec<OnnxPort>,
        /// What comes out.
        outputs: Vec<OnnxPort>,
    },
    /// Weights for PyTorch.
    Weights {
        /// How many tensors.
        tensors: usize,
        /// The script beside them that builds networks of them, where any can be built.
        script: Option<PathBuf>,
    },
}

impl Saved {
    /// Writes a model for other hosts, by the ending of the file's name: `.html` is a page that runs it in a browser, without a server or a network,
    /// `.json` its programs as `docs/program.md` describes them, `.onnx` a part of it and `.safetensors` its weights for PyTorch, with a script
    /// beside them that builds its networks, as `docs/other-tools.md` describes them.
    ///
    /// # Errors
    /// If the ending is another or the file is to be kept, if something is asked for that files of that ending do not hold, if the model has no
    /// such part, if data cannot be read, if training is to go on and cannot, or if the device fails.
    pub fn export_to(&mut self, out: &Path, wanted: &Exporting, force: bool) -> Result<Exported> {
        let kind = ending(out, "a model for other hosts", &["html", "json", "onnx", "safetensors"])?;
        wanted.check(kind)?;
        self.keep(wanted.data.as_deref(), force).check(out)?;
        let (bytes, bytes_of_numbers, content, notes) = match kind {
            "safetensors" => return self.weights_to(out, force),
            "onnx" => {
                let part = wanted.part.unwrap_or(OnnxPart::Autoencoder);
                let OnnxFile { bytes, bytes_of_numbers, inputs, outputs, notes } = onnx(self, part, wanted.rows)?;
                (bytes, bytes_of_numbers, Content::Onnx { part: part.into(), inputs, outputs }, notes)
            }
            _ => self.programs(kind, wanted)?,
        };
        write_file(out, |file| file.write_all(&bytes).map_err(Error::io("write", out)))?;
        Ok(Exported { out: out.to_owned(), bytes: bytes.len(), bytes_of_numbers, content, notes })
    }

    /// Writes weights for PyTorch, and beside them, under the same name with the ending `.py`, the script that builds networks of them.
    fn weights_to(&mut self, out: &Path, force: bool) -> Result<Exported> {
        let beside = out.with_extension("py");
        self.keep(None, force).check(&beside)?;
        let Weights { checkpoint, script, notes } = weights(self, out)?;
        if script.is_some() && !force && is_of_others(&beside) {
            return Err(Error::invalid(format!(
                "the script that loads the weights would be written over {}, which is none of elbo's: give another name, or --force",
                beside.display()
            )));
        }
        checkpoint.save(out)?;
        let script = script.map(|text| -> Result<PathBuf> {
            write_file(&beside, |file| file.write_all(text.as_bytes()).map_err(Error::io("write", &beside)))?;
            Ok(beside)
        });
        let bytes = fs::metadata(out).map_err(Error::io("read", out))?.len() as usize;
        let bytes_of_numbers = checkpoint.tensors.iter().map(|(.., numbers)| 4 * numbers.len()).sum();
        let content = Content::Weights { tensors: checkpoint.tensors.len(), script: script.transpose()? };
        Ok(Exported { out: out.to_owned(), bytes, bytes_of_numbers, content, notes })
    }

    /// The text of a page or of programs, how much of it are numbers, what it holds, and what is not there.
    fn programs(&mut self, kind: &str, wanted: &Exporting) -> Result<(Vec<u8>, usize, Content, Vec<String>)> {
        self.session.model.can().decode()?;
        let training = wanted.training.map(|rows| training(self, rows, wanted.epochs)).transpose()?;
        self.with_subject(wanted.data.as_deref(), wanted.seed, |mut subject| {
            let bundled = bundled(&mut subject, training)?;
            let notes = subject.notes();
            let Bundled { bundle, steps, rows } = &bundled;
            let programs = bundle.programs.iter().map(|program| program.name.clone()).collect();
            let content = Content::Programs { programs, steps: *steps, rows: *rows };
            let (text, bytes_of_numbers) = match kind {
                "json" => (serde_json::to_string(bundle).map_err(Error::invalid)?, bundle.contents_in_text()),
                _ => page::page(&mut subject, bundled, &notes)?,
            };
            Ok((text.into_bytes(), bytes_of_numbers, content, notes))
        })
    }
}

/// Whether there is a file that is no script as [`weights_to`](Saved::weights_to) writes it.
fn is_of_others(path: &Path) -> bool {
    path.exists() && !fs::read_to_string(path).is_ok_and(|text| text.starts_with(SCRIPT_BEGINS))
}

impl Exporting {
    /// Says so if something is asked for that files of an ending do not hold.
    fn check(&self, kind: &str) -> Result<()> {
        let is_onnx = kind == "onnx";
        let asked = [
            ("--data", self.data.is_some(), !is_onnx, "pages and programs"),
            ("--with-data", self.training.is_some(), !is_onnx, "pages and programs"),
            ("--part", self.part.is_some(), is_onnx, "files that end in .onnx"),
            ("--batch", self.rows.is_some(), is_onnx, "files that end in .onnx"),
        ];
        match asked.into_iter().find(|(_, is_asked, is_held, _)| *is_asked && !is_held) {
            Some((option, .., of)) => {
                Err(Error::invalid(format!("{option} is for {of}, and --to ends in .{kind}: leave one of them out")))
            }
            None => Ok(()),
        }
    }
}
