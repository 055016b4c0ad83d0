//! Folders and archives of pictures, whole and broken.

mod archives;
mod decoding;
mod folders;

use std::fs;
use std::path::{Path, PathBuf};

use image::{ImageFormat, RgbImage};
use tempfile::TempDir;

use super::super::{Dataset, Options, PictureOptions, PictureSize, Source, Splits, open};
use super::*;

const RED: [u8; 3] = [200, 40, 40];
const BLUE: [u8; 3] = [40, 40, 200];

/// The bytes of a picture of one colour.
fn plain(format: ImageFormat, (width, height): (u32, u32), colour: [u8; 3]) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    RgbImage::from_pixel(width, height, image::Rgb(colour)).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn png(size: (u32, u32), colour: [u8; 3]) -> Vec<u8> {
    plain(ImageFormat::Png, size, colour)
}

/// A PNG that claims to have so many pixels, and has none.
fn claiming(width: u32, height: u32) -> Vec<u8> {
    let chunk = |kind: &[u8], data: &[u8]| {
        let sum = crate::user_cache::crc32(&[kind, data]);
        [&(data.len() as u32).to_be_bytes()[..], kind, data, &sum.to_be_bytes()].concat()
    };
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &header),
        chunk(b"IDAT", b"x\x9c\x03\0\0\0\0\x01"),
        chunk(b"IEND", b""),
    ]
    .concat()
}

/// A folder with these files in it.
fn folder(files: &[(&str, Vec<u8>)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

/// As many small pictures as are needed for some broken ones to be few.
fn many(count: usize) -> Vec<(String, Vec<u8>)> {
    (0..count).map(|i| (format!("p{i:03}.png"), png((4, 4), [i as u8, 0, 255]))).collect()
}

fn options(size: Option<&str>, cache: Option<PathBuf>) -> Options {
    let size = size.map(|size| size.parse().unwrap());
    Options { pictures: PictureOptions { size, cache }, ..Options::default() }
}

fn load(path: &Path) -> Result<Splits> {
    open(&Source::Path(path.to_owned()), &options(None, None))
}

/// All rows as one, in order: fewer than ten are not split.
fn rows(path: &Path, size: Option<&str>) -> Dataset {
    let splits = open(&Source::Path(path.to_owned()), &options(size, None)).unwrap();
    assert!(splits.test.is_none());
    splits.train
}

fn complaint(path: &Path) -> String {
    load(path).unwrap_err().to_string()
}

#[track_caller]
fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "no `{part}` in: {message}");
    }
}

/// The bytes of a row.
fn bytes(data: &Dataset, row: usize) -> Vec<u8> {
    data.row(row).iter().map(|value| (value * 255.0).round() as u8).collect()
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pictures")
}
