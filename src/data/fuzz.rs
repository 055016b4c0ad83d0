//! Readers are given damaged files: none panics, and none holds more than a stated multiple of what the file has.
//!
//! `ELBO_FUZZ=1000000 cargo test --lib data::fuzz -- --nocapture` gives each a million. What was given is the same every time.

use std::fs;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use flate2::{Compression, write::GzEncoder};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use zip::write::{SimpleFileOptions, ZipWriter};

use super::{Options, Source, open};

/// A byte of a file becomes at most so many in memory: deflate packs 1,032 into one, of which each may be a bit that is kept as a
/// number of four bytes.
const FACTOR: usize = 1032 * 4;

fn times() -> u32 {
    std::env::var("ELBO_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(1_500)
}

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
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
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

/// One of them, damaged: bytes changed, cut out, put in or repeated, or the end cut off.
fn damaged(seeds: &[Vec<u8>], rng: &mut Xoshiro256PlusPlus) -> Vec<u8> {
    const TELLING: [u8; 16] = *b"\0\x01\x7f\x80\xff09,;\"'([{\n-";
    let mut bytes = seeds[rng.random_range(0..seeds.len())].clone();
    for _ in 0..rng.random_range(1..6) {
        let at = rng.random_range(0..bytes.len().max(1)).min(bytes.len());
        let end = (at + rng.random_range(1..9usize)).min(bytes.len());
        match rng.random_range(0..6) {
            0 if at < bytes.len() => bytes[at] = rng.random(),
            1 if at < bytes.len() => bytes[at] = TELLING[rng.random_range(0..TELLING.len())],
            2 => drop(bytes.drain(at..end)),
            3 => bytes.insert(at, TELLING[rng.random_range(0..TELLING.len())]),
            4 => {
                let part = bytes[at..end].repeat(rng.random_range(1..20));
                drop(bytes.splice(at..at, part));
            }
            _ if rng.random_range(0..8) == 0 => bytes.truncate(at),
            _ => {}
        }
    }
    bytes
}

fn read(name: &str, seeds: &[Vec<u8>]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let whole =
        |path: &Path| open(&Source::Path(path.to_owned()), &Options { standardise: true, ..Options::default() });
    for seed in seeds {
        fs::write(&path, seed).unwrap();
        whole(&path).unwrap_or_else(|error| panic!("undamaged: {error}"));
    }
    let (mut rng, mut taken) = (Xoshiro256PlusPlus::seed_from_u64(7), 0);
    for time in 0..times() {
        let bytes = damaged(seeds, &mut rng);
        fs::write(&path, &bytes).unwrap();
        match catch_unwind(AssertUnwindSafe(|| whole(&path))) {
            Err(_) => panic!("{name}: a panic at the damaged file {time}: {:?}", String::from_utf8_lossy(&bytes)),
            Ok(Ok(splits)) => {
                taken += 1;
                let parts = [Some(&splits.train), splits.validation.as_ref(), splits.test.as_ref()];
                let held: usize = parts.into_iter().flatten().map(|data| data.values.byte_len()).sum();
                assert!(held <= FACTOR * bytes.len(), "{name}: {held} bytes of a file of {}", bytes.len());
            }
            Ok(Err(error)) => assert!(!error.to_string().is_empty()),
        }
    }
    eprintln!("{name}: {taken} of {} damaged files were read nevertheless", times());
    assert!(taken > 0 && taken < times(), "all or none are no trial: {taken}");
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
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/parquet");
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
