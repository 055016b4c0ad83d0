//! Readers of data are given damaged files: what they hold in the end is a stated multiple of what the file has, too.

use std::fs;
use std::io::{Cursor, Write};

use flate2::{Compression, write::GzEncoder};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use zip::write::{SimpleFileOptions, ZipWriter};

use super::{Options, PictureOptions, PictureSize, Source, open};
use crate::fuzz::{Bounds, attack};

/// A byte of a file becomes at most so many in memory: deflate packs 1,032 into one, of which each may be a bit that is kept as a
/// number of four bytes.
const FACTOR: usize = 1032 * 4;

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn npy(descr: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    [&b"\x93NUMPY\x01\x00"[..], &(text.len() as u16).to_le_bytes(), text.as_bytes(), data].concat()
}

fn npz() -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, how, bytes) in [
        ("x_train", zip::CompressionMethod::Stored, npy("|u1", "False", "(6, 2)", &[3; 12])),
        ("y_train", zip::CompressionMethod::Deflated, npy("<U1", "False", "(6,)", &[65, 0, 0, 0].repeat(6))),
        ("mask_train", zip::CompressionMethod::Deflated, npy("|b1", "False", "(6, 2)", &[1; 12])),
    ] {
        zip.start_file(format!("{name}.npy"), SimpleFileOptions::default().compression_method(how)).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// What a reader may hold for a moment, whatever the file's size: a table of a decoder, a page of a Parquet file, a small picture.
const BASE: usize = 64 << 20;

/// Files of this name, in a folder of their own.
fn read(name: &str, seeds: &[Vec<u8>]) {
    read_with(name, (BASE, 1), &Options { standardise: true, ..Options::default() }, seeds);
}

/// The same, read with other options, and with another bound of what is held for a moment; one in so many is tried.
fn read_with(name: &str, (base, one_in): (usize, u32), options: &Options, seeds: &[Vec<u8>]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    // A picture is read as the folder that it lies in.
    let source =
        if let Some(("pictures", _)) = name.split_once('/') { folder.path().join("pictures") } else { path.clone() };
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    attack(name, Bounds { base, factor: FACTOR, one_in }, seeds, |bytes| {
        fs::write(&path, bytes).unwrap();
        let splits = open(&Source::Path(source.clone()), options)?;
        let parts = [Some(&splits.train), splits.validation.as_ref(), splits.test.as_ref()];
        let held: usize = parts.into_iter().flatten().map(|data| data.values.byte_len()).sum();
        assert!(held <= FACTOR * bytes.len(), "{name}: {held} bytes of a file of {}", bytes.len());
        Ok::<_, crate::Error>(())
    });
}

#[test]
fn arrays() {
    let floats: Vec<u8> = (0..24).flat_map(|i| (i as f32 / 4.0).to_le_bytes()).collect();
    let plain = [npy("<f4", "True", "(12, 2)", &floats), npy("|u1", "False", "(4, 1, 5, 5)", &[7; 100])];
    read("a.npy", &[plain.to_vec(), vec![gz(&plain[0])]].concat());
}

#[test]
fn archives_of_arrays() {
    read("a.npz", &[npz()]);
}

#[test]
fn cifar() {
    let rows: Vec<u8> = (0..2 * 3073u32).map(|i| if i % 3073 == 0 { 7 } else { (i * 37 % 251) as u8 }).collect();
    read("data_batch_1.bin", &[rows]);
}

#[cfg(feature = "parquet")]
#[test]
fn parquet() {
    let seed = |name: &str| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/parquet");
        fs::read(folder.join(name)).unwrap()
    };
    read(
        "a.parquet",
        &["plain", "snappy", "zstd", "gzip", "lz4", "deltas"].map(|name| seed(&format!("{name}.parquet"))),
    );
}

#[test]
fn idx() {
    let head = |kind: u8, sizes: &[u32]| -> Vec<u8> {
        [vec![0, 0, kind, sizes.len() as u8], sizes.iter().flat_map(|n| n.to_be_bytes()).collect()].concat()
    };
    let bytes = [head(8, &[10, 2, 3]), vec![9; 60]].concat();
    read("a-idx", &[bytes.clone(), gz(&bytes), [head(0x0d, &[3, 2]), vec![0; 24]].concat()]);
}

#[test]
fn tables() {
    let rows: String = (0..30).map(|i| format!("{i},{},2024-03-{:02},\"a,{}\"\n", i % 4, i + 1, i % 3)).collect();
    let table = format!("id,mark,seen,kind\n{rows}");
    let other = table.replace(',', ";").replace("kind", "größe");
    read("a.csv", &[table.clone().into_bytes(), other.into_bytes(), gz(table.as_bytes())]);
}

/// A small picture with edges and colours.
fn picture(format: ImageFormat) -> Vec<u8> {
    let picture = RgbImage::from_fn(7, 5, |x, y| Rgb([(x * 36) as u8, (y * 50) as u8, if x > y { 255 } else { 9 }]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Pictures of four pixels, of which a decoder may hold 512 MiB three times for a moment, as a header may say that they are large.
fn read_pictures(name: &str, seeds: &[Vec<u8>]) {
    let pictures = PictureOptions { size: Some(PictureSize::square(2)), ..PictureOptions::default() };
    read_with(name, (3 << 29, 5), &Options { pictures, ..Options::default() }, seeds);
}

#[test]
fn pictures() {
    for (name, format) in [
        ("png", ImageFormat::Png),
        ("jpg", ImageFormat::Jpeg),
        ("gif", ImageFormat::Gif),
        ("bmp", ImageFormat::Bmp),
        ("webp", ImageFormat::WebP),
        ("tiff", ImageFormat::Tiff),
        ("qoi", ImageFormat::Qoi),
        ("tga", ImageFormat::Tga),
        ("ppm", ImageFormat::Pnm),
    ] {
        read_pictures(&format!("pictures/a.{name}"), &[picture(format)]);
    }
}

#[test]
fn archives_of_pictures() {
    let files = [("a/0.png", picture(ImageFormat::Png)), ("b/1.jpg", picture(ImageFormat::Jpeg))];
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut tar = tar::Builder::new(Vec::new());
    for ((name, bytes), how) in files.iter().zip([zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated]) {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(how)).unwrap();
        zip.write_all(bytes).unwrap();
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    let tar = tar.into_inner().unwrap();
    read_pictures("a.zip", &[zip.finish().unwrap().into_inner()]);
    read_pictures("a.tar", &[tar.clone(), gz(&tar)]);
}
