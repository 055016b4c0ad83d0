//! From files to files: `-` stands for the standard streams.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write, stdin, stdout};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use npyz::WriterBuilder;
use serde::Serialize;

use super::{Compressed, Plain, Reader, embedded};
use crate::apps::Saved;
use crate::apps::uses::score::{png_bits, webp_bits};
use crate::apps::uses::write::{ending, write_file};
use crate::cpu::Cpu;
use crate::data::{Dataset, PackingKind, PictureFolder};
use crate::error::{Error, Result};

/// The standard streams.
const STREAM: &str = "-";

/// Compresses rows into a file.
///
/// # Errors
/// As for [`Saved::compress`].
pub fn compress_to(saved: &mut Saved, data: &Dataset, with_model: bool, to: &Path) -> Result<Compressed> {
    if to == Path::new(STREAM) {
        let mut out = BufWriter::new(stdout().lock());
        let done = saved.compress(data, with_model, &mut out)?;
        out.flush().map_err(Error::io("write to", Path::new("the standard output")))?;
        return Ok(done);
    }
    ending(to, "compressed rows", &["elbo"])?;
    write_file(to, |file| saved.compress(data, with_model, file))
}

/// Gives the rows of a compressed file: an array in a `.npy` file, on the standard output as well, or a new folder of PNG pictures. The
/// model is that of a run, or the one in the file.
///
/// # Errors
/// As for [`Saved::decompress`]; if no model is named and there is none in the file.
pub fn decompress_to(from: &Path, run: Option<&Path>, to: &Path) -> Result<Compressed> {
    let input: Box<dyn Read> = match from == Path::new(STREAM) {
        true => Box::new(stdin().lock()),
        false => Box::new(BufReader::new(File::open(from).map_err(Error::io("read", from))?)),
    };
    let is_stream = to == Path::new(STREAM);
    let is_folder = to.extension().is_none() && !is_stream;
    if !is_folder && !is_stream {
        ending(to, "rows", &["npy"])?;
    }
    let named = |error: Error| match error {
        Error::Invalid(message) if from != Path::new(STREAM) => Error::malformed(from, message),
        other => other,
    };
    let reader = Reader::begin(input).map_err(named)?;
    let mut saved = match run {
        Some(run) => Saved::load(run, Box::new(Cpu::exact()))?,
        None if reader.model.is_empty() => {
            return Err(Error::malformed(
                from,
                format!(
                    "the model is not in the file: give the run that the rows were compressed with (--run); its model is {}…",
                    &reader.head.model[..12]
                ),
            ));
        }
        None => embedded(&reader.model)?,
    };
    if is_folder {
        return to_folder(&mut saved, reader, to).map_err(named);
    }
    let to_array = |file: &mut dyn Write| {
        let plain = reader.head.plain()?;
        to_npy(&mut saved, reader, &plain, file)
    };
    match is_stream {
        true => {
            let mut out = BufWriter::new(stdout().lock());
            let done = to_array(&mut out).map_err(named)?;
            out.flush().map_err(Error::io("write to", Path::new("the standard output")))?;
            Ok(done)
        }
        false => write_file(to, to_array).map_err(named),
    }
}

/// Bits as booleans, bytes as bytes, all else as the numbers that levels stand for.
fn to_npy(saved: &mut Saved, reader: Reader<impl Read>, plain: &Plain, file: &mut dyn Write) -> Result<Compressed> {
    let failed = |error: std::io::Error| Error::invalid(format!("the array cannot be written: {error}"));
    let sides: Vec<u64> = std::iter::once(plain.rows).chain(plain.shape.sides()).map(|side| side as u64).collect();
    macro_rules! array {
        ($kind:ty, $of:expr) => {{
            let options = npyz::WriteOptions::<$kind>::new().default_dtype().shape(&sides);
            let mut writer = options.writer(file).begin_nd().map_err(failed)?;
            let done = saved.decompress(reader, |_, levels| writer.extend(levels.iter().map($of)).map_err(failed))?;
            writer.finish().map_err(failed)?;
            Ok(done)
        }};
    }
    let top = (plain.levels - 1) as f32;
    match (plain.kind, plain.levels) {
        (PackingKind::Bits, levels) => array!(bool, |&level| usize::from(level) == levels - 1),
        (PackingKind::Bytes, 256) => array!(u8, |&level| level as u8),
        _ => array!(f32, |&level| f32::from(level) / top),
    }
}

/// One picture for each row, in a new folder.
fn to_folder(saved: &mut Saved, reader: Reader<impl Read>, to: &Path) -> Result<Compressed> {
    let plain = reader.head.plain()?;
    let shape = plain.shape;
    if plain.levels > 256 {
        return Err(Error::invalid(format!(
            "rows of {} levels are no pictures that a PNG holds: give a file that ends in .npy",
            plain.levels
        )));
    }
    let mut folder = PictureFolder::begin(to, shape, plain.rows)?;
    let top = (plain.levels - 1) as f32;
    let done = saved.decompress(reader, |_, levels| {
        levels.chunks_exact(shape.features()).try_for_each(|row| {
            let values: Vec<f32> = row.iter().map(|&level| f32::from(level) / top).collect();
            folder.add(&values, None)
        })
    })?;
    folder.finish()?;
    Ok(done)
}

/// What other compressors make of the same rows, in bits of a value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Beside {
    /// All rows behind each other, as gzip packs them; bits eight to a byte.
    pub gzip: f64,
    /// Every row by itself as a PNG; of pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub png: Option<f64>,
    /// Every row by itself as WebP without loss; of pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webp: Option<f64>,
}

/// What other compressors make of rows of values from 0 to 1 in 256 levels.
///
/// # Errors
/// If there is no memory for it.
pub fn beside(data: &Dataset) -> Result<Beside> {
    let shape = data.shape();
    let (mut gzip, mut png, mut webp) = (GzEncoder::new(Vec::new(), Compression::best()), 0.0, 0.0);
    let is_bits = data.values.kind() == PackingKind::Bits;
    let mut row = vec![0.0; shape.features()];
    for i in 0..data.rows {
        data.copy_row(i, &mut row);
        let bytes: Vec<u8> = match is_bits {
            true => {
                row.chunks(8).map(|bits| bits.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit > 0.5))).collect()
            }
            false => row.iter().map(|value| (value.clamp(0.0, 1.0) * 255.0).round() as u8).collect(),
        };
        gzip.write_all(&bytes).map_err(Error::invalid)?;
        if shape.height > 1 {
            png += png_bits(&row, shape);
            webp += webp_bits(&row, shape);
        }
    }
    let values = (data.rows * shape.features()) as f64;
    let gzip = 8.0 * gzip.finish().map_err(Error::invalid)?.len() as f64 / values;
    let [png, webp] = [png, webp].map(|bits| (shape.height > 1).then_some(bits / values));
    Ok(Beside { gzip, png, webp })
}
