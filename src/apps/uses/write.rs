//! Files by the ending of their name: tables of text, arrays of numbers, several of them.

use std::io::{Cursor, Seek, Write};
use std::path::Path;

use npyz::WriterBuilder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::data::parquet_of;
use crate::data::schema::Cell;
use crate::error::{Error, Result};
use crate::files::write_own;

/// The ending of a file's name in small letters, one of some. `parquet` is allowed where `csv` is and counts as that, as
/// [`write_file`] makes the one of the other.
///
/// # Errors
/// If it is another; `what` is to be written.
pub fn ending<'a>(path: &Path, what: &str, allowed: &[&'a str]) -> Result<&'a str> {
    let found = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    let wanted = if is_parquet(path) && cfg!(feature = "parquet") { Some("csv") } else { found.as_deref() };
    allowed.iter().find(|known| Some(**known) == wanted).copied().ok_or_else(|| {
        let mut known: Vec<String> = allowed.iter().map(|ending| format!(".{ending}")).collect();
        known.extend((cfg!(feature = "parquet") && allowed.contains(&"csv")).then(|| ".parquet".to_owned()));
        let all = match known.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        };
        Error::invalid(format!("{} is to hold {what}: give it a name that ends in {all}", path.display()))
    })
}

fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"))
}

/// Writes a file all at once, with work that may fail in its own way. Into one that is called `.parquet` the work writes lines of commas
/// below a line of names.
///
/// # Errors
/// What the work says, or if the file cannot be written. Then nothing is left of it.
pub fn write_file<T>(path: &Path, work: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
    let (mut done, mut failed) = (None, None);
    let written = write_own(path, |file| {
        let mut text = vec![];
        let mut file = Watched { file, failed: None };
        let outcome = if is_parquet(path) { work(&mut text) } else { work(&mut file) };
        failed = file.failed.take();
        let is_done = outcome.is_ok();
        done = Some(outcome);
        if is_done && is_parquet(path) {
            return file.write_all(&parquet_of(&text)?);
        }
        if is_done { Ok(()) } else { Err(std::io::Error::other("its content could not be made")) }
    });
    // A file that takes no more is why the work could not be done, whatever that says of it.
    if let (Some(Err(_)), Some(why)) = (&done, failed) {
        return Err(Error::io("write", path)(why));
    }
    match (done, written) {
        (Some(Err(error)), _) => Err(error),
        (_, Err(error)) => Err(error),
        (Some(done), Ok(())) => done,
        (None, Ok(())) => unreachable!("a file that was written was filled"),
    }
}

/// A file, and why it took no more.
struct Watched<'a> {
    file: &'a mut dyn Write,
    failed: Option<std::io::Error>,
}

impl Watched<'_> {
    fn note<T>(&mut self, outcome: std::io::Result<T>) -> std::io::Result<T> {
        let again = |error: &std::io::Error| match error.raw_os_error() {
            Some(code) => std::io::Error::from_raw_os_error(code),
            None => error.kind().into(),
        };
        outcome.inspect_err(|error| self.failed = Some(again(error)))
    }
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes);
        self.note(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let flushed = self.file.flush();
        self.note(flushed)
    }
}

/// Lines of comma-separated cells below a line of names.
pub struct Lines<'a>(csv::Writer<&'a mut dyn Write>);

impl<'a> Lines<'a> {
    /// Begins with the names.
    pub fn new(to: &'a mut dyn Write, names: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Lines<'a>> {
        let mut lines = Lines(csv::Writer::from_writer(to));
        lines.line(names)?;
        Ok(lines)
    }

    /// One more line.
    pub fn line(&mut self, cells: impl IntoIterator<Item = impl AsRef<str>>) -> Result<()> {
        for cell in cells {
            self.0.write_field(cell.as_ref()).map_err(failed)?;
        }
        self.0.write_record(None::<&[u8]>).map_err(failed)
    }

    /// The end.
    pub fn finish(mut self) -> Result<()> {
        self.0.flush().map_err(|error| failed(error.into()))
    }
}

fn failed(error: csv::Error) -> Error {
    Error::invalid(format!("the table cannot be written: {error}"))
}

/// A number as the shortest text that reads as the same; nothing where it is NaN.
pub fn number(value: f64) -> String {
    if value.is_nan() { String::new() } else { Cell::Number(value).to_string() }
}

/// Writes one array of 32-bit floats in NumPy's format; `values` come row by row and fill the shape.
///
/// # Errors
/// If it cannot be written.
pub fn write_npy(to: &mut dyn Write, shape: &[usize], parts: impl IntoIterator<Item = Result<Vec<f32>>>) -> Result<()> {
    let io = |error: std::io::Error| Error::invalid(format!("the array cannot be written: {error}"));
    let shape: Vec<u64> = shape.iter().map(|&side| side as u64).collect();
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(to).begin_nd().map_err(io)?;
    for part in parts {
        writer.extend(part?).map_err(io)?;
    }
    writer.finish().map_err(io)
}

/// An array with its name and shape.
pub struct Array {
    /// As it is asked for.
    pub name: &'static str,
    /// Sides.
    pub shape: Vec<usize>,
    /// The numbers, the last axis the fastest.
    pub values: Vec<f32>,
}

/// Writes several arrays as NumPy's `.npz`.
///
/// # Errors
/// If they cannot be written.
pub fn write_npz(to: &mut dyn Write, arrays: Vec<Array>) -> Result<()> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for Array { name, shape, values } in arrays {
        entry(&mut zip, &format!("{name}.npy"))?;
        write_npy(&mut zip, &shape, [Ok(values)])?;
    }
    let bytes = zip.finish().map_err(zipped)?.into_inner();
    to.write_all(&bytes).map_err(|error| zipped(error.into()))
}

fn entry(zip: &mut ZipWriter<impl Write + Seek>, name: &str) -> Result<()> {
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.start_file(name, options).map_err(zipped)
}

fn zipped(error: zip::result::ZipError) -> Error {
    Error::invalid(format!("the arrays cannot be written: {error}"))
}
