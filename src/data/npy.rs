//! NumPy's `.npy`: one array, its first axis being the rows.
//!
//! Read here: booleans, whole numbers and floats of 8 to 64 bits as vectors `[rows, width]` or images `[rows, height, width]`,
//! `[rows, height, width, channels]` and, where the second axis is 1 or 3 and the last two are longer than 4, `[rows, channels, height,
//! width]`; whichever axis varies fastest. Unsigned bytes, and images of whole numbers from 0 to 255, are levels (see [`levels`]), all
//! others stand for themselves.
//! Where NAME.conditions.npy `[rows, numbers]` lies beside NAME.npy, it holds what is known of each row besides; bytes there are numbers.
//! NAME.labels.npy `[rows]` holds the class of each row, as a number or a text, and NAME.weights.npy `[rows]` by how much it counts. Each of the files may be gzipped, with `.gz` behind its name.

mod array;
mod axes;
mod beside;
pub(super) mod numbers;
mod stored;

use std::path::Path;

pub(super) use array::{Array, MAGIC};
pub(super) use axes::Axes;
pub(super) use beside::{conditions, labels, weights};

use super::array::Numbers;
use super::dataset::Dataset;
use super::format::{Format, Found, Parts};
use super::input::Input;
use super::levels;
use super::options::Options;
use super::origin::Origin;
use super::shape::Shape;
use super::standardise::{are_unscaled, is_of_columns};
use super::stored::is_too_large;
use super::values::{Values, pack_bits};
use crate::error::{Error, Result};

/// The format of NumPy's arrays.
pub(crate) struct Npy;

impl Format for Npy {
    fn name(&self) -> &'static str {
        "NumPy arrays (.npy)"
    }

    fn claims_file(&self, _: &Path, head: &[u8]) -> bool {
        head.starts_with(MAGIC)
    }

    fn read_file(&self, path: &Path, options: &Options) -> Result<Found> {
        let mut origin = Origin::of("a NumPy array");
        let mut input = Input::open(path)?;
        let header = array::Header::read(path, &mut input)?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let Rows { mut data, is_unscaled } = match options.memory {
            Some(memory) if is_too_large(header.bytes_in_memory(), options.memory) => {
                stored::rows(&header, input, (path, &name), (memory, options), &mut origin)?
            }
            _ => Rows::of(Array::behind(header, &mut input)?, (path, &name), options, &mut origin)?,
        };
        beside::add(path, &mut data, options, &mut origin)?;
        if is_unscaled {
            origin.guesses.push(SCALED.to_owned());
        }
        Ok(Parts { is_unscaled, ..Parts::whole(data, origin) }.into())
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

/// What is said of vectors whose columns are scaled.
pub(super) const SCALED: &str = "the numbers are not all from 0 to 1, so each column is scaled to mean 0 and standard deviation 1 over \
     the training rows, and written in its own units; --standardise=false takes them as they are";

/// What is said of vectors whose columns are not, though they might be.
const UNSCALED: &str = "the numbers are not all from 0 to 1 and are taken as they are: columns of large numbers count for more than \
     others; --standardise=true scales them";

/// An array as rows.
pub(super) struct Rows {
    pub(super) data: Dataset,
    /// Whether they are vectors whose columns are yet to be scaled.
    pub(super) is_unscaled: bool,
}

impl Rows {
    /// The rows of an array, that are called `name` and lie in a file.
    pub(super) fn of(
        array: Array,
        (path, name): (&Path, &str),
        options: &Options,
        origin: &mut Origin,
    ) -> Result<Rows> {
        let axes = Axes::new(path, &array.sizes)?;
        axes.tell(origin);
        let shape = axes.shape;
        let is_ordered = array.is_ordered;
        // Of a run on columns they are numbers, whatever their type.
        let of_columns = options.schema.as_ref().is_some_and(is_of_columns);
        if let Some(bytes) = array.bytes().filter(|_| !of_columns) {
            return Rows::of_bytes(axes.in_order(bytes.to_vec(), is_ordered), (path, name), shape, options, origin);
        }
        if array.is_bool() && !of_columns {
            let bits = axes.in_order(array.raw, is_ordered);
            let values = Values::Bits(pack_bits(&bits, shape.features()));
            return Ok(Rows { data: Dataset::new(name, values, shape)?, is_unscaled: false });
        }
        Rows::of_floats(axes.in_order(array.singles(path)?, is_ordered), (path, name), shape, options, origin)
    }

    /// Rows of bytes, which are levels.
    fn of_bytes(
        bytes: Vec<u8>,
        (path, name): (&Path, &str),
        shape: Shape,
        options: &Options,
        origin: &mut Origin,
    ) -> Result<Rows> {
        let top = levels::top(bytes.iter().copied().max().unwrap_or(0), options, origin);
        let (values, schema) =
            levels::of_bytes(bytes, shape, top, options).map_err(|error| Error::malformed(path, error))?;
        Ok(Rows { data: Dataset::new(name, values, schema)?, is_unscaled: false })
    }

    /// Rows of numbers, which are levels if they look like those of pixels, and else stand for themselves.
    fn of_floats(
        floats: Vec<f32>,
        place: (&Path, &str),
        shape: Shape,
        options: &Options,
        origin: &mut Origin,
    ) -> Result<Rows> {
        let is_picture = shape.is_picture();
        if let Some(bytes) = levels::as_bytes(&floats, options)
            .filter(|bytes| is_picture || options.levels.is_some() || options.schema.is_some() || bytes.contains(&255))
        {
            origin
                .guesses
                .push("all numbers are whole and from 0 to 255, so they were taken for those of pixels".to_owned());
            return Rows::of_bytes(bytes, place, shape, options, origin);
        }
        let may_scale = match &options.schema {
            Some(schema) => is_of_columns(schema),
            None => are_unscaled(shape, &floats),
        };
        if may_scale && !options.standardise && options.schema.is_none() {
            origin.warnings.push(UNSCALED.to_owned());
        }
        let data = Dataset::new(place.1, Values::Floats(floats), shape)?;
        Ok(Rows { data, is_unscaled: may_scale && (options.standardise || options.schema.is_some()) })
    }

    /// The rows of an array in memory whose last axis varies fastest.
    pub(super) fn of_numbers(
        (name, axes, numbers): (&str, &Axes, Numbers),
        options: &Options,
        origin: &mut Origin,
    ) -> Result<Rows> {
        let (place, shape) = ((Path::new(name), name), axes.shape);
        axes.tell(origin);
        match numbers {
            Numbers::Bytes(bytes) => Rows::of_bytes(axes.in_order(bytes, true), place, shape, options, origin),
            Numbers::Floats(floats) => Rows::of_floats(axes.in_order(floats, true), place, shape, options, origin),
        }
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

    /// What lies beside the rows is found however either is packed, and only who wants it is stopped by it.
    #[test]
    fn labels_and_conditions_lie_beside() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut gz, bytes).unwrap();
            fs::write(&path, if name.ends_with(".gz") { gz.finish().unwrap() } else { bytes.to_vec() }).unwrap();
            path
        };
        let read = |path: &Path, options: &Options| super::super::formats::read_file(path, options).map(Found::rows);
        let rows = put("a.npy.gz", &file("|u1", "False", "(3, 1)", &[0, 51, 255]));
        put("a.labels.npy", &file("<i8", "False", "(3,)", &[7i64, -2, 7].map(i64::to_le_bytes).concat()));
        put("a.conditions.npy.gz", &file("<f4", "False", "(3, 1)", &[1.5f32, 0.0, 9.0].map(f32::to_le_bytes).concat()));
        let found = read(&rows, &Options::default()).unwrap();
        let labels = found.train.labels.as_ref().unwrap();
        assert_eq!((&labels.names[..], &labels.values[..]), (&["-2".to_owned(), "7".to_owned()][..], &[1, 0, 1][..]));
        assert_eq!(found.train.condition(2), [9.0]);
        // Texts: "b" and "ä", four bytes a letter.
        let letters: Vec<u8> = ["b", "ä", "b"]
            .iter()
            .flat_map(|s| [s.chars().next().unwrap() as u32, 0])
            .flat_map(u32::to_le_bytes)
            .collect();
        put("a.labels.npy", &file("<U2", "False", "(3, 1)", &letters));
        assert_eq!(read(&rows, &Options::default()).unwrap().train.labels.unwrap().names, ["b", "ä"]);

        put("a.conditions.npy.gz", &file("<f4", "False", "(2, 1)", &[1.5f32, 0.0].map(f32::to_le_bytes).concat()));
        let found = read(&rows, &Options::default()).unwrap();
        assert!(found.train.conditions.is_none() && found.origin.warnings[0].contains("2 rows"), "{:?}", found.origin);
        let wanted = Options { beside: true, ..Options::default() };
        assert!(read(&rows, &wanted).unwrap_err().to_string().contains("2 rows"));
        put("a.labels.npy", &file("<f4", "False", "(3,)", &[0.5f32; 3].map(f32::to_le_bytes).concat()));
        assert!(read(&rows, &wanted).unwrap_err().to_string().contains("0.5 is no class"));
    }

    #[test]
    fn pictures_of_whole_numbers_are_levels_whatever_their_type() {
        let floats: Vec<u8> = [0.0f32, 4.0, 16.0, 0.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        let rows = read(&file("<f4", "False", "(1, 2, 2)", &floats)).unwrap();
        assert_eq!(rows.row(0), [0.0, 0.25, 1.0, 0.0]);
        // Of vectors they are numbers.
        assert_eq!(read(&file("<f4", "False", "(1, 4)", &floats)).unwrap().row(0), [0.0, 4.0, 16.0, 0.0]);
    }

    #[test]
    fn columns_are_scaled_where_that_is_wanted() {
        let floats: Vec<u8> = (0..40).flat_map(|i| (i as f32 * 100.0).to_le_bytes()).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        fs::write(&path, file("<f4", "False", "(20, 2)", &floats)).unwrap();
        let source = super::super::Source::Path(path);
        let open = |options: &Options| super::super::open(&source, options).unwrap();
        let plain = open(&Options::default());
        assert!(!plain.train.schema.is_table() && plain.origin.warnings[0].contains("large numbers count for more"));
        let wanted = Options { standardise: true, ..Options::default() };
        let splits = open(&wanted);
        let mean: f32 = (0..splits.train.rows).map(|i| splits.train.row(i)[1]).sum::<f32>() / splits.train.rows as f32;
        assert!(mean.abs() < 1e-5 && splits.train.schema.is_table(), "{mean}");
        // Later rows are scaled by what the run has learnt.
        let later = Options { schema: Some(splits.train.schema.clone()), ..Options::default() };
        let whole = super::super::open_whole(&source, &later).unwrap();
        let schema = &splits.train.schema;
        assert_eq!(schema.decode(&whole.row(19))[0].to_string(), "3800");
        assert_eq!(whole.rows, 20);
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
            (file("|u1", "False", "(2, 4294967296)", &[]), "promises"),
            (file("<f4", "False", &("[".repeat(20) + &"]".repeat(20)), &[]), "no array of plain numbers"),
            (file("<U2", "False", "(1, 1)", &[0; 8]), "holds texts, and numbers"),
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
