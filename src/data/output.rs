//! Files that are written for people: pictures and rows, in the format that the ending of the name says.
//!
//! [`Output::new`] looks at a name before anything is computed: its ending must be one that can be written, and it must be none of the
//! files that a run or its data consist of. [`Output::write_picture`] and [`Output::write_rows`] then write all at once.
//!
//! ```
//! use elbo::data::{Frame, Keep, Output, ROWS};
//!
//! let folder = tempfile::tempdir()?;
//! let out = Output::new(&folder.path().join("codes.csv"), ROWS, &Keep::default())?;
//! let codes = Frame::new().ids("name", ["a", "b"]).matrix("z", &[2], vec![0.5, 1.0, -1.0, 2.0]);
//! out.write_rows(&codes)?;
//! assert_eq!(std::fs::read_to_string(out.path())?, "name,z0,z1\na,0.5,1\nb,-1,2\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod archive;
mod folder;
mod frame;
mod picture;

use std::path::{Path, PathBuf};

pub use folder::PictureFolder;
pub use frame::Frame;

use super::schema::some_of;
use crate::error::{Error, Result};
use crate::files::write_own;

/// A format that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A picture without loss.
    Png,
    /// A picture with a little loss.
    Jpeg,
    /// A picture without loss.
    Webp,
    /// Rows, with commas between their cells.
    Csv,
    /// Rows, with tabs between their cells.
    Tsv,
    /// An array of NumPy.
    Npy,
    /// Arrays of NumPy with names.
    Npz,
    /// Rows, in columns of types.
    Parquet,
    /// A folder of pictures, one for each row.
    Folder,
}

/// The formats of pictures.
pub const PICTURES: &[FileKind] = &[FileKind::Png, FileKind::Jpeg, FileKind::Webp];

/// The formats of rows.
pub const ROWS: &[FileKind] = &[FileKind::Csv, FileKind::Tsv, FileKind::Npy, FileKind::Parquet];

/// The formats of both.
pub const PICTURES_OR_ROWS: &[FileKind] =
    &[FileKind::Png, FileKind::Jpeg, FileKind::Webp, FileKind::Csv, FileKind::Tsv, FileKind::Npy, FileKind::Parquet];

/// The formats of new pictures: all in one, each in a file of its own, or as rows of numbers.
pub const NEW_PICTURES: &[FileKind] = &[
    FileKind::Png,
    FileKind::Jpeg,
    FileKind::Webp,
    FileKind::Csv,
    FileKind::Tsv,
    FileKind::Npy,
    FileKind::Parquet,
    FileKind::Folder,
];

/// What may not be overwritten.
#[derive(Debug, Clone, Default)]
pub struct Keep {
    /// The folder of a run, whose files are kept.
    pub run: Option<PathBuf>,
    /// Files that are read, and folders that files are read from.
    pub inputs: Vec<PathBuf>,
    /// Whether all that may be overwritten nevertheless.
    pub force: bool,
}

/// A file that can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    path: PathBuf,
    kind: FileKind,
}

impl FileKind {
    /// The endings of its names, the usual one first.
    pub fn endings(self) -> &'static [&'static str] {
        match self {
            FileKind::Png => &["png"],
            FileKind::Jpeg => &["jpg", "jpeg"],
            FileKind::Webp => &["webp"],
            FileKind::Csv => &["csv"],
            FileKind::Tsv => &["tsv"],
            FileKind::Npy => &["npy"],
            FileKind::Npz => &["npz"],
            FileKind::Parquet => &["parquet"],
            FileKind::Folder => &[],
        }
    }

    /// Whether it is one of pictures, and not of rows.
    pub fn is_picture(self) -> bool {
        PICTURES.contains(&self)
    }
}

impl Output {
    /// A file of this name in one of some formats. A name that ends in a slash, or that of a folder, is one of a folder.
    ///
    /// # Errors
    /// If the name ends in none of their endings, it is that of a file that is to be kept, or a folder holds something already.
    pub fn new(path: &Path, takes: &[FileKind], keep: &Keep) -> Result<Output> {
        let is_folder = path.is_dir() || path.as_os_str().to_string_lossy().ends_with(std::path::is_separator);
        if is_folder && takes.contains(&FileKind::Folder) {
            keep.check(path)?;
            folder::check_is_free(path)?;
            return Ok(Output { path: path.to_owned(), kind: FileKind::Folder });
        }
        if path.is_dir() {
            return Err(Error::invalid(format!(
                "cannot write {}: it is a folder, and a file name was expected",
                path.display()
            )));
        }
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let Some(&kind) = takes.iter().find(|kind| kind.endings().contains(&ending.as_str())) else {
            return Err(unknown(path, takes));
        };
        if kind == FileKind::Parquet && cfg!(not(feature = "parquet")) {
            return Err(Error::malformed(
                path,
                "this program was built without Parquet: give a name that ends in .csv, or build it with the feature `parquet`",
            ));
        }
        keep.check(path)?;
        Ok(Output { path: path.to_owned(), kind })
    }

    /// The file that was asked for; where none was, the usual one in the folder of a run, which may be replaced.
    ///
    /// # Errors
    /// As for [`Output::new`].
    pub fn given_or(given: Option<&Path>, usual: &Path, takes: &[FileKind], keep: &Keep) -> Result<Output> {
        match given {
            Some(path) => Output::new(path, takes, keep),
            None => Output::new(usual, takes, &Keep::default()),
        }
    }

    /// Its name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its format.
    pub fn kind(&self) -> FileKind {
        self.kind
    }

    /// Writes a picture.
    ///
    /// # Errors
    /// If its format is one of rows, or it cannot be written.
    pub fn write_picture(&self, picture: &image::RgbImage) -> Result<()> {
        let bytes = picture::encoded(self.kind, picture).map_err(|why| Error::malformed(&self.path, why))?;
        write_own(&self.path, |file| file.write_all(&bytes))
    }

    /// Writes rows.
    ///
    /// # Errors
    /// If its format is one of pictures, or has no place for what a column holds; if it cannot be written.
    pub fn write_rows(&self, frame: &Frame) -> Result<()> {
        frame.check(self.kind).map_err(|why| Error::malformed(&self.path, why))?;
        write_own(&self.path, |file| frame.write(self.kind, file))
    }

    /// Writes so many rows that come in parts, all of the same columns; of a format whose columns have types, all are held until then.
    ///
    /// # Errors
    /// As for [`Output::write_rows`]; if it holds pictures, or a part cannot be made. Then nothing is left of it.
    pub fn write_parts(&self, rows: usize, parts: impl Iterator<Item = Result<Frame>>) -> Result<()> {
        let mut failed = None;
        // What goes wrong with a part is told in its own words.
        let fits = |part: Frame| match part.check(self.kind) {
            Ok(()) => Ok(part),
            Err(why) => Err(Error::malformed(&self.path, why)),
        };
        let mut parts = parts.map_while(|part| part.and_then(fits).map_err(|error| failed = Some(error)).ok());
        let written = write_own(&self.path, |file| {
            let done = match self.kind {
                FileKind::Npz => archive::write(rows, &mut parts, file),
                FileKind::Npy => Frame::write_array(rows, &mut parts, file),
                kind => Frame::write_parts(kind, &mut parts, file),
            };
            done.and_then(|found| {
                (found == rows)
                    .then_some(())
                    .ok_or_else(|| std::io::Error::other(format!("{found} rows of {rows} came")))
            })
        });
        drop(parts);
        failed.map_or(written, Err)
    }
}

impl Keep {
    /// Says so if a file is one of those.
    ///
    /// # Errors
    /// If it is, and they are not to be overwritten.
    pub fn check(&self, path: &Path) -> Result<()> {
        // What does not exist yet takes the place of nothing.
        let Ok(found) = path.canonicalize() else { return Ok(()) };
        if self.force {
            return Ok(());
        }
        let real = |path: &Path| path.canonicalize().ok();
        if self.inputs.iter().filter_map(|input| real(input)).any(|input| found.starts_with(input)) {
            return Err(Error::malformed(
                path,
                "this belongs to the data that is read: give another name, so that nothing is lost, or --force",
            ));
        }
        if self.run.as_deref().and_then(real).is_some_and(|run| found.starts_with(run)) {
            let problem = match found.is_dir() {
                true => "this is a folder of the run: give another name",
                false => "this is a file of the run already: give another name, or --force to replace it",
            };
            return Err(Error::malformed(path, problem));
        }
        Ok(())
    }
}

/// What is said of a name of no format.
fn unknown(path: &Path, takes: &[FileKind]) -> Error {
    let endings: Vec<String> =
        takes.iter().flat_map(|kind| kind.endings()).map(|ending| format!(".{ending}")).collect();
    let what = match (takes.iter().any(|kind| kind.is_picture()), takes.iter().any(|kind| !kind.is_picture())) {
        (true, true) => "the ending of a file's name says its format",
        (true, false) => "this is to hold a picture",
        _ => "this is to hold rows of numbers and texts",
    };
    let folder = if takes.contains(&FileKind::Folder) { "; or in / for a folder of pictures" } else { "" };
    Error::malformed(path, format!("{what}: give a name that ends in {}{folder}", some_of(&endings)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_ending_says_the_format_or_is_refused() {
        let kind = |name: &str, takes| Output::new(Path::new(name), takes, &Keep::default()).map(|out| out.kind());
        assert_eq!(kind("no/such/a.PNG", PICTURES).unwrap(), FileKind::Png);
        assert_eq!(kind("a.jpeg", PICTURES_OR_ROWS).unwrap(), FileKind::Jpeg);
        assert_eq!(kind("a.b.tsv", ROWS).unwrap(), FileKind::Tsv);
        for (name, takes, said) in [
            ("a.png", ROWS, "rows of numbers and texts: give a name that ends in .csv, .tsv, .npy, .parquet"),
            ("a.csv", PICTURES, "hold a picture: give a name that ends in .png, .jpg, .jpeg, .webp"),
            ("a", PICTURES_OR_ROWS, "says its format"),
            ("png", PICTURES, "a picture"),
            ("a.safetensors", PICTURES_OR_ROWS, ".npy"),
        ] {
            let message = kind(name, takes).unwrap_err().to_string();
            assert!(message.contains(said) && message.starts_with(name), "{message}");
        }
    }

    #[test]
    fn files_of_a_run_and_its_data_are_kept() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        for folder in ["run", "photos"] {
            fs::create_dir(path(folder)).unwrap();
        }
        for file in ["run/metrics.csv", "photos/a.png", "rows.csv", "other.csv"] {
            fs::write(path(file), "x").unwrap();
        }
        let keep = Keep { run: Some(path("run")), inputs: vec![path("photos"), path("rows.csv")], force: false };
        let said = |name: &str, keep: &Keep| match Output::new(&path(name), PICTURES_OR_ROWS, keep) {
            Ok(_) => "ok".to_string(),
            Err(error) => error.to_string(),
        };
        assert!(said("run/metrics.csv", &keep).contains("a file of the run"));
        assert!(said("run/../run/metrics.csv", &keep).contains("a file of the run"));
        assert!(said("photos/a.png", &keep).contains("data that is read"));
        assert!(said("rows.csv", &keep).contains("data that is read"));
        for free in ["other.csv", "run/new.csv", "photos/b.png", "none.csv"] {
            assert_eq!(said(free, &keep), "ok", "{free}");
        }
        let force = Keep { force: true, ..keep.clone() };
        assert_eq!(said("rows.csv", &force), "ok");
        let usual = Output::given_or(None, &path("run/metrics.csv"), ROWS, &keep);
        assert!(usual.is_ok(), "what nobody named is replaced");
        assert!(Output::given_or(Some(&path("rows.csv")), &path("run/x.csv"), ROWS, &keep).is_err());
    }
}
