//! NumPy's `.npy`: one array, its first axis being the rows.
//!
//! Read here: booleans, whole numbers and floats of 8 to 64 bits as vectors `[rows, width]` or images `[rows, height, width]`,
//! `[rows, height, width, channels]` and, where the second axis is 1 or 3 and the last two are longer than 4, `[rows, channels, height,
//! width]`; whichever axis varies fastest. Unsigned bytes stand for `byte / 255`, all others for themselves. Bytes that are all 0
//! and 1, or all 0 and 255, are bits.
//! Where NAME.conditions.npy `[rows, numbers]` lies beside NAME.npy, it holds what is known of each row besides; bytes there are numbers.

pub(super) mod numbers;

use std::path::Path;

use npyz::{DType, NpyHeader, Order, TypeChar};

use super::conditions::Conditions;
use super::dataset::Dataset;
use super::format::{Format, Found, Parts};
use super::input::Input;
use super::layout::Layout;
use super::layout::Pixels;
use super::options::Options;
use super::origin::Origin;
use super::shape::Shape;
use super::stored::Part;
use super::stored::Stored;
use super::stored::is_too_large;
use super::stored::too_large;
use super::values::{Values, pack_bits};
use crate::error::{Error, Result};
use numbers::{channels_last, last_axis_fastest, numbers};

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

    fn read_file(&self, path: &Path, options: &Options) -> Result<Found> {
        let mut origin = Origin::of("a NumPy array");
        let mut data = array(path, (Bytes::Levels, options.memory), &mut origin)?;
        let beside = path.with_extension(BESIDE);
        if beside.exists() {
            let found = array(&beside, (Bytes::Numbers, None), &mut origin)?;
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
        Ok(Parts::whole(data, origin).into())
    }

    fn claims_folder(&self, _: &Path) -> bool {
        false
    }

    fn read_folder(&self, folder: &Path, _: &Options) -> Result<Found> {
        Err(Error::malformed(folder, "an array is one file: give the .npy file"))
    }

    fn looks_for(&self) -> String {
        "an array in a .npy file, given by its own name".to_string()
    }
}

/// How bytes are meant.
#[derive(Clone, Copy, PartialEq)]
enum Bytes {
    /// As parts of 255.
    Levels,
    /// As numbers.
    Numbers,
}

/// One array; its rows stay on disk where memory is limited to so many bytes, and they are too large for it.
fn array(path: &Path, (bytes_are, memory): (Bytes, Option<u64>), origin: &mut Origin) -> Result<Dataset> {
    let mut input = Input::open(path)?;
    let header = header(path, &mut input)?;
    let axes = Axes::new(path, header.shape())?;
    let (rows, shape) = (axes.rows, axes.shape);
    let kind = match header.dtype() {
        DType::Plain(kind) => kind,
        _ => return Err(other_kind(path, &header)),
    };
    let Some(width) = kind.num_bytes() else { return Err(other_kind(path, &header)) };
    let count = rows as u128 * shape.features() as u128;
    let (size, what) = (count * width as u128, format!("{rows} rows of {shape}"));
    let ordered = header.order() == Order::C;
    let in_memory = if kind.num_bytes() == Some(1) { count } else { 4 * count };
    if let Some(memory) = memory.filter(|_| is_too_large(in_memory, memory)) {
        if !ordered {
            let advice =
                "its first axis varies fastest, so that no row lies together: write it with numpy.ascontiguousarray";
            return Err(too_large(path, in_memory, memory, advice));
        }
        let Some(offset) = input.offset(size, &what)? else {
            return Err(too_large(path, in_memory, memory, "it is compressed, so that no row can be found: unpack it"));
        };
        if !Layout::can_read(&kind) {
            return Err(other_kind(path, &header));
        }
        let pixels = if axes.is_channels_first { Pixels::Planes(shape.channels) } else { Pixels::Ordered };
        let features = shape.features();
        let layout = Layout { stride: features * width, lead: 0, features, number: kind, pixels };
        let (stored, _) = Stored::open(vec![Part::new(path, offset, rows)?], layout, memory)?;
        axes.tell(origin);
        return Dataset::new(file_name(path), Values::Stored(stored), shape);
    }
    let bytes = input.rest(size, &what)?;
    let values = if (kind.type_char(), kind.size_field(), bytes_are) == (TypeChar::Uint, 1, Bytes::Levels) {
        let bytes = axes.in_order(bytes, ordered);
        let one = if bytes.contains(&255) { 255 } else { 1 };
        let is_binary = bytes.iter().all(|&byte| byte == 0 || byte == one);
        if is_binary { Values::Bits(pack_bits(&bytes, shape.features())) } else { Values::Bytes(bytes) }
    } else if kind.type_char() == TypeChar::Bool {
        Values::Bits(pack_bits(&axes.in_order(bytes, ordered), shape.features()))
    } else {
        let Some(numbers) = numbers(&kind, &bytes) else { return Err(other_kind(path, &header)) };
        let floats = numbers.map(|number| single(path, number)).collect::<Result<Vec<f32>>>()?;
        Values::Floats(axes.in_order(floats, ordered))
    };
    axes.tell(origin);
    Dataset::new(file_name(path), values, shape)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A number in single precision.
fn single(path: &Path, number: f64) -> Result<f32> {
    let single = number as f32;
    if single.is_infinite() && number.is_finite() {
        let message = format!(
            "the array holds {number:e}, and values are kept in single precision, which ends at 3.4e38: scale them down"
        );
        return Err(Error::malformed(path, message));
    }
    Ok(single)
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

/// What the axes of an array are.
struct Axes {
    /// Their lengths.
    sizes: Vec<usize>,
    rows: usize,
    /// The shape of a row.
    shape: Shape,
    /// Whether the channels come before height and width, as some programs have them.
    is_channels_first: bool,
}

impl Axes {
    fn new(path: &Path, axes: &[u64]) -> Result<Axes> {
        let sizes: Vec<usize> = axes.iter().map(|&n| usize::try_from(n).unwrap_or(usize::MAX)).collect();
        // Pictures have few channels, and are wider than that.
        let is_channels_first = matches!(sizes[..], [_, 1 | 3, height, width] if height.min(width) > 4);
        let (rows, shape) = match sizes[..] {
            [rows, width] => (rows, Shape::vector(width)),
            [rows, height, width] => (rows, Shape { height, width, channels: 1 }),
            [rows, channels, height, width] if is_channels_first => (rows, Shape { height, width, channels }),
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
            Some(1..=16_777_216) if rows > 0 => Ok(Axes { sizes, rows, shape, is_channels_first }),
            _ => Err(Error::malformed(
                path,
                format!("the array has the shape {axes:?}, which holds no rows that could be learnt from"),
            )),
        }
    }

    /// Says what was taken for channels.
    fn tell(&self, origin: &mut Origin) {
        if self.is_channels_first {
            let said = "the second axis of the array was taken for channels; where it is none, give it the shape [rows, width]";
            origin.guesses.push(said.to_owned());
        }
    }

    /// The values row by row, `[height, width, channels]` each; `ordered` where the last axis varies fastest already.
    fn in_order<T: Copy>(&self, values: Vec<T>, ordered: bool) -> Vec<T> {
        let values = if ordered { values } else { last_axis_fastest(&values, &self.sizes) };
        match self.shape {
            Shape { height, width, channels } if self.is_channels_first => {
                channels_last(&values, channels, height * width)
            }
            _ => values,
        }
    }
}

fn other_kind(path: &Path, header: &NpyHeader) -> Error {
    Error::malformed(
        path,
        format!(
            "the array holds values of the type {}: expected booleans, whole numbers or floats of 8 to 64 bits; convert it, \
             for example with array.astype('float32')",
            header.dtype().descr()
        ),
    )
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
        super::super::formats::read_file(&path, &Options::default()).map(|found| found.rows().train)
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
    fn numbers_of_every_type_stand_for_themselves() {
        let row = |kind: &str, bytes: &[u8]| {
            let data = read(&file(kind, "False", "(1, 2)", bytes)).unwrap();
            assert!(matches!(data.values, Values::Floats(_)), "{kind}");
            data.row(0)
        };
        assert_eq!(row("|i1", &[255, 7]), [-1.0, 7.0]);
        assert_eq!(row("<u2", &[0, 1, 2, 0]), [256.0, 2.0]);
        assert_eq!(row(">u2", &[0, 1, 2, 0]), [1.0, 512.0]);
        assert_eq!(row("<i2", &[254, 255, 0, 1]), [-2.0, 256.0]);
        assert_eq!(row("<u4", &[u32::MAX, 3].map(u32::to_le_bytes).concat()), [4_294_967_295.0, 3.0]);
        assert_eq!(row(">i4", &[-70_000i32, 3].map(i32::to_be_bytes).concat()), [-70_000.0, 3.0]);
        assert_eq!(row("<u8", &[1u64 << 40, 3].map(u64::to_le_bytes).concat()), [1_099_511_627_776.0, 3.0]);
        assert_eq!(row("<i8", &[-5i64, 3].map(i64::to_le_bytes).concat()), [-5.0, 3.0]);
        // Halves: 0x3c00 is 1, 0xc100 is -2.5.
        assert_eq!(row("<f2", &[0, 0x3c, 0, 0xc1]), [1.0, -2.5]);
    }

    #[test]
    fn the_order_of_axes_does_not_matter() {
        let c = read(&file("|u1", "False", "(2, 2, 3)", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])).unwrap();
        let fortran = read(&file("|u1", "True", "(2, 2, 3)", &[1, 7, 4, 10, 2, 8, 5, 11, 3, 9, 6, 12])).unwrap();
        assert_eq!(c.values, fortran.values);
        let bits = read(&file("|b1", "True", "(2, 2)", &[0, 1, 1, 1])).unwrap();
        assert_eq!((bits.row(0), bits.row(1)), (vec![0.0, 1.0], vec![1.0, 1.0]));
    }

    #[test]
    fn channels_before_the_pixels_are_put_behind_them() {
        let planes: Vec<u8> = (0..3).flat_map(|channel| (0..25).map(move |pixel| 50 * channel + pixel)).collect();
        let data = read(&file("|u1", "False", "(1, 3, 5, 5)", &planes)).unwrap();
        assert_eq!(data.shape(), Shape { height: 5, width: 5, channels: 3 });
        assert_eq!(data.row(0)[3..6], [1.0, 51.0, 101.0].map(|byte: f32| byte / 255.0));
        // Where the last axis may as well be the channels, it is.
        let data = read(&file("|u1", "False", "(1, 3, 5, 4)", &[7; 60])).unwrap();
        assert_eq!(data.shape(), Shape { height: 3, width: 5, channels: 4 });
    }

    #[test]
    fn bytes_beside_rows_are_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        fs::write(&path, file("|u1", "False", "(3, 1)", &[0, 51, 255])).unwrap();
        fs::write(folder.path().join("a.conditions.npy"), file("|u1", "False", "(3, 1)", &[0, 5, 1])).unwrap();
        let data = super::super::formats::read_file(&path, &Options::default()).unwrap().rows().train;
        assert_eq!([0, 1, 2].map(|row| data.condition(row)[0]), [0.0, 5.0, 1.0]);
        assert_eq!(data.row(1), [0.2]);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for (bytes, expected) in [
            (file("<c8", "False", "(1, 1)", &[0; 8]), "<c8"),
            (file("|O", "False", "(1, 1)", &[0; 8]), "expected booleans, whole numbers or floats"),
            (file("<f8", "False", "(1, 2)", &[0.5, 1e300].map(f64::to_le_bytes).concat()), "holds 1e300"),
            (file("<f8", "False", "(1, 1)", &f64::INFINITY.to_le_bytes()), "holds inf in row 0"),
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
