//! Files that are right come back bit by bit; files that are wrong are refused, with the reason.

use super::*;
use std::fs::File;

fn sample() -> Checkpoint {
    let odd = [f32::from_bits(0x7fa0_1234), f32::from_bits(0xffc0_0001), -0.0, f32::INFINITY, f32::from_bits(1)];
    let tensors = vec![
        ("encoder.0.weight".to_owned(), vec![5, 1], odd.to_vec()),
        ("b".to_owned(), vec![0, 7], vec![]),
        ("a".to_owned(), vec![], vec![2.5]),
        ("große Schicht".to_owned(), vec![20_000], (0..20_000).map(|i| i as f32).collect()),
    ];
    let mut checkpoint = Checkpoint { tensors, ..Checkpoint::default() };
    checkpoint.set_metadata("step", u64::MAX);
    checkpoint.set_metadata("loss", 0.1 + 0.2);
    checkpoint.set_metadata("note", "quotes \" and\nlines");
    checkpoint
}

fn file(name: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    (folder, path)
}

/// Loads a file that holds `bytes`.
fn load(bytes: &[u8]) -> Result<Checkpoint> {
    let (_folder, path) = file("x.safetensors");
    std::fs::write(&path, bytes).unwrap();
    Checkpoint::load(&path)
}

/// A file with the given header text and `data` bytes of zeros.
fn with_header(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

#[track_caller]
fn refused(bytes: &[u8], expected: &str) {
    let error = load(bytes).unwrap_err().to_string();
    assert!(error.contains(expected) && error.contains("x.safetensors"), "{error}");
    assert!(error.len() < 600 && !error.contains('\u{1b}'), "{error}");
}

fn bits(checkpoint: &Checkpoint) -> Vec<(&str, &[usize], Vec<u32>)> {
    let tensors = checkpoint.tensors.iter();
    tensors.map(|(name, shape, values)| (&**name, &**shape, values.iter().map(|v| v.to_bits()).collect())).collect()
}

#[test]
fn every_bit_comes_back() {
    let (_folder, path) = file("a.safetensors");
    let saved = sample();
    saved.save(&path).unwrap();
    let loaded = Checkpoint::load(&path).unwrap();
    assert_eq!(bits(&loaded), bits(&saved));
    assert_eq!(loaded.metadata, saved.metadata);

    assert_eq!(loaded.tensor("a"), Some((&[][..], &[2.5][..])));
    assert_eq!(loaded.tensor("missing"), None);
    assert_eq!(loaded.metadata_u64("step").unwrap(), u64::MAX);
    assert_eq!(loaded.metadata_f64("loss").unwrap(), 0.1 + 0.2);
    for (key, expected) in [("note", "a whole number was expected"), ("missing", "does not say its `missing`")] {
        let error = loaded.metadata_u64(key).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    // Nothing at all is a checkpoint too.
    Checkpoint::default().save(&path).unwrap();
    assert_eq!(Checkpoint::load(&path).unwrap(), Checkpoint::default());
}

#[test]
fn the_same_contents_make_the_same_bytes_and_the_library_reads_them() {
    let (_folder, path) = file("a.safetensors");
    let mut files = Vec::new();
    for _ in 0..3 {
        sample().save(&path).unwrap();
        files.push(std::fs::read(&path).unwrap());
    }
    assert!(files[0] == files[1] && files[1] == files[2]);
    let read = safetensors::SafeTensors::deserialize(&files[0]).unwrap();
    assert_eq!(read.len(), 4);
    let weight = read.tensor("encoder.0.weight").unwrap();
    assert_eq!((weight.shape(), &weight.data()[..4]), (&[5, 1][..], &0x7fa0_1234_u32.to_le_bytes()[..]));
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&files[0]).unwrap();
    assert_eq!(metadata.metadata().as_ref().unwrap()["step"], u64::MAX.to_string());
}

#[test]
fn values_are_of_the_expected_shape_or_refused() {
    let checkpoint = sample();
    assert_eq!(checkpoint.values("a", &[]).unwrap(), [2.5]);
    for (name, shape, expected) in [("a", vec![1], "has shape []"), ("z", vec![2, 3], "no tensor \"z\" (shape [2, 3])")]
    {
        let error = checkpoint.values(name, &shape).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("another model"), "{error}");
    }
}

#[test]
fn what_cannot_be_read_back_is_not_written() {
    let (folder, path) = file("a.safetensors");
    let tensor = |name: &str, shape: &[usize]| (name.to_owned(), shape.to_vec(), vec![1.0, 2.0]);
    for (tensors, expected) in [
        (vec![tensor("a", &[2]), tensor("a", &[1, 2])], "two tensors are named \"a\""),
        (vec![tensor("a", &[3])], "shape [3] and 2 values"),
        (vec![tensor("a", &[usize::MAX, 4])], "and 2 values"),
        (vec![tensor("__metadata__", &[2])], "reserved"),
    ] {
        let error = Checkpoint { tensors, ..Checkpoint::default() }.save(&path).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("not written"), "{error}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn every_cut_off_file_is_refused() {
    let (_folder, path) = file("a.safetensors");
    let mut small = sample();
    small.tensors.truncate(3);
    small.save(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    assert!(load(&whole).is_ok());
    for length in 0..whole.len() {
        assert!(load(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
    }
    refused(&whole[..whole.len() - 1], "24 bytes, and 23 are there: the file is cut off");
    refused(&[whole, vec![0]].concat(), "24 bytes, and 25 are there: the file has been added to");
    refused(&[], "the file is empty");
    refused(b"abc", "only 3 bytes");
}

/// Any one damaged byte gives an error or a checkpoint, never a panic; in the header, mostly errors.
#[test]
fn any_damaged_byte_is_survived() {
    let (_folder, path) = file("a.safetensors");
    let mut small = sample();
    small.tensors.truncate(3);
    small.save(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let mut refusals = 0;
    for position in 0..whole.len() {
        for change in [1, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[position] ^= change;
            refusals += usize::from(load(&damaged).is_err());
        }
    }
    assert!(refusals > whole.len(), "{refusals} of {}", 3 * whole.len());
}

#[test]
fn a_header_that_lies_is_refused() {
    let tensor = |shape: &str, start: &str, end: &str| {
        format!(r#"{{"dtype":"F32","shape":{shape},"data_offsets":[{start},{end}]}}"#)
    };
    let one = |shape: &str, start: &str, end: &str| format!(r#"{{"a":{}}}"#, tensor(shape, start, end));
    assert!(load(&with_header(&one("[2]", "0", "8"), 8)).is_ok(), "the frame of these tests");

    refused(&u64::MAX.to_le_bytes(), "announce a header of 18446744073709551615 bytes, and only 0 follow");
    let mut long = (1_u64 << 40).to_le_bytes().to_vec();
    long.extend([b' '; 100]);
    refused(&long, "and only 100 follow");
    let mut by_one = 101_u64.to_le_bytes().to_vec();
    by_one.extend([b' '; 100]);
    refused(&by_one, "announce a header of 101 bytes, and only 100 follow");
    refused(&with_header(&" ".repeat((16 << 20) + 8), 0), "is the most");

    refused(&with_header(&one("[2]", "0", "8"), 4), "8 bytes, and 4 are there");
    refused(&with_header(&one("[1099511627776]", "0", "4398046511104"), 4), "the file is cut off");
    refused(&with_header(&one("[2]", "4", "12"), 12), "leaves a gap");
    refused(&with_header(&one("[2]", "8", "0"), 8), "overlaps");
    refused(&with_header(&one("[3]", "0", "8"), 8), "contradicts itself");
    refused(&with_header(&one("[2]", "0", "7"), 7), "contradicts itself");
    refused(&with_header(&one("[4294967296,4294967296,2]", "0", "8"), 8), "overflow");
    refused(&with_header(&one("[18446744073709551615]", "0", "8"), 8), "overflow");
    refused(&with_header(&one("[18446744073709551616]", "0", "8"), 8), "header is damaged");
    refused(&with_header(&one("[-2]", "0", "8"), 8), "header is damaged");
    refused(&with_header(&one("[2.0]", "0", "8"), 8), "header is damaged");
    let overlapping = format!(r#"{{"a":{},"b":{}}}"#, tensor("[2]", "0", "8"), tensor("[2]", "4", "12"));
    refused(&with_header(&overlapping, 12), "tensor \"b\" overlaps");
}

#[test]
fn a_header_of_the_wrong_kind_is_refused() {
    let tensor = r#"{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
    refused(&with_header(&format!(r#"{{"a":{tensor},"a":{tensor}}}"#), 4), "\"a\" appears twice");
    refused(&with_header(r#"{"__metadata__":{"k":"1","k":"2"}}"#, 0), "\"k\" appears twice");
    refused(&with_header(r#"{"__metadata__":{"k":1}}"#, 0), "expected a string");
    refused(&with_header(&format!("{{\"a\":{}}}", tensor.replace("F32", "F16")), 4), "holds F16 values");
    refused(&with_header(&format!("{{\"a\":{}}}", tensor.replace("F32", "F33")), 4), "unknown variant `F33`");
    for header in ["", "{", "[]", "null", "{\"a\":{}}", "{} x", "{\"a\":1}"] {
        refused(&with_header(header, 0), "header is damaged");
    }
    refused(&with_header(&"[".repeat(100_000), 0), "header is damaged");
    let mut not_text = with_header("{\"aa\":1}", 0);
    not_text[10] = 0xff;
    refused(&not_text, "not UTF-8 text (byte 10)");
    // A name may be long, or try to write on the terminal.
    refused(
        &with_header(&format!("{{\"{}\\u001b[2J\":{}}}", "n".repeat(9999), tensor.replace('4', "5")), 5),
        "contradicts",
    );
    refused(&with_header(&format!("{{\"\\u001b[2J\":{}}}", tensor.replace("F32", "U32")), 4), "U32");
}

#[test]
fn other_things_are_named() {
    refused(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG picture");
    refused(b"PK\x03\x04\0\0\x08\x08 and more", "as PyTorch");
    refused(b"{\"step\": 1}", "JSON text");
    let (folder, path) = file("missing.safetensors");
    let error = Checkpoint::load(&path).unwrap_err().to_string();
    assert!(error.contains("cannot read") && error.contains("missing.safetensors"), "{error}");
    let error = Checkpoint::load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("this is a folder"), "{error}");
}

#[cfg(unix)]
#[test]
fn devices_and_giants_are_refused() {
    let error = Checkpoint::load(Path::new("/dev/zero")).unwrap_err().to_string();
    assert!(error.contains("device"), "{error}");
    let (_folder, path) = file("giant.safetensors");
    // Sparse: takes no room on the disk.
    File::create(&path).unwrap().set_len(MAX_BYTES + 1).unwrap();
    let error = Checkpoint::load(&path).unwrap_err().to_string();
    assert!(error.contains("at most 17179869184"), "{error}");
}
