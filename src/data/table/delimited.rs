//! The format of tables.

use std::path::{Path, PathBuf};

use super::super::format::{Format, Found};
use super::super::options::Options;
use super::{DELIMITERS, PARQUET, Table, Tables};
use crate::error::{Error, Result};

/// The format of tables.
pub(crate) struct Delimited;

impl Format for Delimited {
    fn name(&self) -> &'static str {
        "tables (CSV, TSV, Parquet)"
    }

    fn claims_file(&self, path: &Path, head: &[u8]) -> bool {
        if head.starts_with(PARQUET) {
            return true;
        }
        let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        let is_text = !head.is_empty() && !head.contains(&0) && std::str::from_utf8(head).is_ok();
        let is_named = [".csv", ".tsv", ".tab"].iter().any(|ending| name.ends_with(ending));
        let is_separated = DELIMITERS.iter().any(|delimiter| head.contains(delimiter)) && !head.starts_with(b"<");
        is_named || is_text && is_separated && [".txt", ".data", ".dat"].iter().any(|ending| name.ends_with(ending))
    }

    fn read_file(&self, path: &Path, _: &Options) -> Result<Found> {
        Ok(Tables { train: Table::read(path)?, validation: None, test: None }.into())
    }

    fn is_of_tables(&self) -> bool {
        true
    }

    fn claims_folder(&self, folder: &Path) -> bool {
        part(folder, "train").is_some()
    }

    fn read_folder(&self, folder: &Path, _: &Options) -> Result<Found> {
        let Some(train) = part(folder, "train") else {
            return Err(Error::malformed(folder, "there is no train.csv here"));
        };
        let test = part(folder, "test").map(|path| Table::read(&path)).transpose()?;
        Ok(Tables { train: Table::read(&train)?, validation: None, test }.into())
    }

    fn looks_for(&self) -> String {
        "train.csv (and test.csv), or .parquet".to_string()
    }
}

/// A table of this name in a folder.
fn part(folder: &Path, name: &str) -> Option<PathBuf> {
    let endings = ["csv", "tsv", "parquet", "csv.gz", "tsv.gz"];
    endings.iter().map(|ending| folder.join(format!("{name}.{ending}"))).find(|path| path.is_file())
}
