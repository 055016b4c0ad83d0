//! NumPy's `.npy`: one array, its first axis being the rows.
//!
//! Read here: bytes, booleans and floats of 16 to 64 bits as vectors `[rows, width]` or images `[rows, height, width]` and
//! `[rows, height, width, channels]`, row-major. Bytes that are all 0 and 1, or all 0 and 255, are bits.
//! Where NAME.conditions.npy `[rows, numbers]` lies beside NAME.npy, it holds what is known of each row besides.

use std::path::Path;

use npyz::{DType, NpyFile, NpyHeader, Order};

use super::conditions::Conditions;
use super::dataset::{Dataset, Shape};
use super::formats::{Format, Found, Parts};
use super::input::Input;
use super::values::{Values, pack_bits};
use crate::error::{Error, Result};

/// The format of NumPy's arrays.
pub(crate) struct Npy;

/// How the array of what is known of each row besides is called, where the rows are NAME.npy: NAME.conditions.npy.
const BESIDE: &str = "conditions.npy";
const MAGIC: &[u8] = b"\x93NUMPY";
/// More than any header of an array of numbers.
const MAX_HEADER: u64 = 1 << 16;

impl Format for Npy {
    fn name(&self) -> &'static str {
        "NumPy arrays (.npy)"
    }

    fn claims_file(&self, _: &Path, head: &[u8]) -> bool {
        head.starts_with(MAGIC)
    }

    fn read_file(&self, path: &Path) -> Result<Found> {
        let mut data = array(path)?;
        let beside = path.with_extension(BESIDE);
        if beside.exists() {
            let found = array(&beside)?;
            if found.rows != data.rows {
                return Err(Error::malformed(
                    &beside,
                    format!(
                        "the array has {} rows, and {} beside it {}: give one row of numbers for each",
                        found.rows,
                        path.display(),
                        data.rows
                    ),
                ));
            }
            data.conditions =
                Some(Conditions { width: found.shape().features(), values: found.values, classes: vec![] });
        }
        Ok(Parts { train: data, test: None }.into())
    }

    fn claims_folder(&self, _: &Path) -> bool {
        false
    }

    fn read_folder(&self, folder: &Path) -> Result<Found> {
        Err(Error::malformed(folder, "an array is one file: give the .npy file"))
    }

    fn looks_for(&self) -> String {
        "an array in a .npy file, given by its own name".to_string()
    }
}

/// One array.
fn array(path: &Path) -> Result<Dataset> {
    let mut input = Input::open(path)?;
    let header = header(path, &mut input)?;
    let (rows, shape) = sizes(path, header.shape())?;
    if header.order() != Order::C && header.shape().len() > 1 {
        return Err(Error::malformed(
            path,
            "the array lies column by column, and rows are wanted: save numpy.ascontiguousarray of it",
        ));
    }
    let width = match header.dtype() {
        DType::Plain(kind) => kind.num_bytes(),
        _ => None,
    };
    let Some(width) = width else { return Err(other_kind(path, &header)) };
    let count = rows as u128 * shape.features() as u128;
    let bytes = input.rest(count * width as u128, &format!("{rows} rows of {shape}"))?;
    let values = values(path, header, bytes, shape.features())?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Dataset::new(name, values, shape)
}

/// Reads the header, which says how long it is.
fn header(path: &Path, input: &mut Input) -> Result<NpyHeader> {
    let broken = |e: &dyn std::fmt::Display| {
        Error::malformed(path, format!("the header of the array cannot be read ({e}): write it again with numpy.save"))
    };
    let mut bytes = input.up_to(8)?;
    let length = input.up_to(if bytes.get(6) == Some(&1) { 2 } else { 4 })?;
    let mut size = [0; 8];
    size[..length.len()].copy_from_slice(&length);
    let size = u64::from_le_bytes(size);
    if size > MAX_HEADER {
        return Err(broken(&format!("it claims to be {size} bytes long")));
    }
    bytes.extend(length);
    bytes.extend(input.up_to(size)?);
    if !can_be_counted(&bytes) {
        return Err(broken(&"its shape holds more values than can be counted"));
    }
    NpyHeader::from_reader(bytes.as_slice()).map_err(|e| broken(&e))
}

/// Whether the numbers behind the word `shape` have a product: the reader of headers takes that for granted.
fn can_be_counted(header: &[u8]) -> bool {
    let text = String::from_utf8_lossy(header);
    let Some((_, shape)) = text.split_once("shape") else { return true };
    let numbers = shape.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    numbers.map(|digits| digits.parse::<u64>().ok()).try_fold(1u64, |all, n| all.checked_mul(n?)).is_some()
}

/// Rows, and the shape of one.
fn sizes(path: &Path, axes: &[u64]) -> Result<(usize, Shape)> {
    let sizes: Vec<usize> = axes.iter().map(|&n| usize::try_from(n).unwrap_or(usize::MAX)).collect();
    let (rows, shape) = match sizes[..] {
        [rows, width] => (rows, Shape::vector(width)),
        [rows, height, width] => (rows, Shape { height, width, channels: 1 }),
        [rows, height, width, channels] => (rows, Shape { height, width, channels }),
        _ => {
            return Err(Error::malformed(
                path,
                format!(
                    "the array has the shape {axes:?}: expected [rows, width], [rows, height, width] or [rows, height, \
                     width, channels]"
                ),
            ));
        }
    };
    let features = [shape.height, shape.width, shape.channels].into_iter().try_fold(1usize, usize::checked_mul);
    match features {
        Some(1..=16_777_216) if rows > 0 => Ok((rows, shape)),
        _ => Err(Error::malformed(
            path,
            format!("the array has the shape {axes:?}, which holds no rows that could be learnt from"),
        )),
    }
}

fn other_kind(path: &Path, header: &NpyHeader) -> Error {
    Error::malformed(
        path,
        format!(
            "the array holds values of the type {}: expected bytes (uint8), booleans, or floats; convert it, for example \
             with array.astype('float32')",
            header.dtype().descr()
        ),
    )
}

fn values(path: &Path, header: NpyHeader, bytes: Vec<u8>, features: usize) -> Result<Values> {
    let unreadable = |e: std::io::Error| Error::malformed(path, format!("the array cannot be read ({e})"));
    let DType::Plain(kind) = header.dtype() else { return Err(other_kind(path, &header)) };
    let name = kind.to_string();
    let kind = name.trim_start_matches(['<', '>', '|', '=']);
    match kind {
        "u1" => {
            let one = if bytes.contains(&255) { 255 } else { 1 };
            let binary = bytes.iter().all(|&byte| byte == 0 || byte == one);
            Ok(if binary { Values::Bits(pack_bits(&bytes, features)) } else { Values::Bytes(bytes) })
        }
        "b1" => Ok(Values::Bits(pack_bits(&bytes, features))),
        "f4" => {
            let file = NpyFile::with_header(header, bytes.as_slice());
            Ok(Values::Floats(file.into_vec::<f32>().map_err(unreadable)?))
        }
        "f8" => {
            let file = NpyFile::with_header(header, bytes.as_slice());
            let wide = file.into_vec::<f64>().map_err(unreadable)?;
            Ok(Values::Floats(wide.into_iter().map(|value| value as f32).collect()))
        }
        _ => Err(other_kind(path, &header)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A file as NumPy writes it.
    fn file(descr: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let text = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
        let text = format!("{text:<117}\n");
        [MAGIC, &[1, 0], &(text.len() as u16).to_le_bytes(), text.as_bytes(), data].concat()
    }

    fn read(bytes: &[u8]) -> Result<Dataset> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        fs::write(&path, bytes).unwrap();
        super::super::formats::read_file(&path).map(|found| match found {
            Found::Rows(parts) => parts.train,
            Found::Tables(_) => panic!("an array is no table"),
        })
    }

    #[test]
    fn arrays_of_all_kinds() {
        let bytes = read(&file("|u1", "False", "(2, 1, 3)", &[0, 51, 255, 1, 2, 3])).unwrap();
        assert_eq!((bytes.rows, bytes.shape()), (2, Shape { height: 1, width: 3, channels: 1 }));
        assert_eq!(bytes.row(0), [0.0, 0.2, 1.0]);
        let bits = read(&file("|b1", "False", "(2, 2)", &[0, 1, 1, 0])).unwrap();
        assert_eq!((bits.row(0), bits.row(1)), (vec![0.0, 1.0], vec![1.0, 0.0]));
        let bits = read(&file("|u1", "False", "(1, 2)", &[0, 255])).unwrap();
        assert!(matches!(bits.values, Values::Bits(_)));
        let floats: Vec<u8> = [1.5f32, -2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(read(&file("<f4", "False", "(1, 2)", &floats)).unwrap().row(0), [1.5, -2.0]);
        let big: Vec<u8> = [1.5f64, -2.0].iter().flat_map(|v| v.to_be_bytes()).collect();
        assert_eq!(read(&file(">f8", "False", "(1, 1, 2, 1)", &big)).unwrap().row(0), [1.5, -2.0]);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for (bytes, expected) in [
            (file("<i8", "False", "(1, 1)", &[0; 8]), "<i8"),
            (file("|O", "False", "(1, 1)", &[0; 8]), "expected bytes"),
            (file("|u1", "True", "(2, 3)", &[0; 6]), "column by column"),
            (file("|u1", "False", "(3,)", &[0; 3]), "the shape [3]"),
            (file("|u1", "False", "(0, 3)", &[]), "no rows"),
            (file("|u1", "False", "(4294967296, 4294967296, 4294967296)", &[]), "can be counted"),
            (file("|u1", "False", "(2, 4294967296)", &[]), "no rows"),
            (file("|u1", "False", "(2, 3)", &[0; 5]), "promises 2 rows of 3, 6 bytes, but after it the file holds 5"),
            (file("|u1", "False", "(99999999999, 3)", &[0; 5]), "promises"),
            (file("|u1", "False", "nonsense", &[0; 5]), "header of the array"),
            (MAGIC.to_vec(), "header of the array"),
            ([MAGIC, &[1, 0, 255, 255], b"{"].concat(), "header of the array"),
            ([MAGIC, &[2, 0, 255, 255, 255, 255], b"{"].concat(), "4294967295 bytes long"),
        ] {
            let error = read(&bytes).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
