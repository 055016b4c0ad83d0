//! Archives hold what folders hold, and may hold anything else.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

fn zip(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ::zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, ::zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// An entry as it stands in the archive; the library refuses to write names that lead out of a folder.
fn entry(kind: u8, name: &[u8], size: u64, bytes: &[u8]) -> Vec<u8> {
    let mut header = ::tar::Header::new_gnu();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    header.set_entry_type(::tar::EntryType::new(kind));
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    let padding = vec![0; bytes.len().next_multiple_of(512) - bytes.len()];
    [header.as_bytes().to_vec(), bytes.to_vec(), padding].concat()
}

fn tar(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entries = files.iter().flat_map(|(name, bytes)| entry(b'0', name.as_bytes(), bytes.len() as u64, bytes));
    entries.chain([0; 1024]).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn some() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("set/b/2.png", png((4, 4), [2, 0, 0])),
        ("set/a/1.jpg", plain(ImageFormat::Jpeg, (9, 4), RED)),
        ("set/notes.txt", b"words".to_vec()),
        ("set/b/.hidden.png", b"words".to_vec()),
        ("set/a/0.png", png((4, 9), [3, 0, 0])),
    ]
}

#[test]
fn an_archive_is_read_like_its_folder() {
    let unpacked = folder(&some());
    let expected = load(unpacked.path()).unwrap();
    assert_eq!(expected.train.labels.as_ref().unwrap().names, ["a", "b"]);
    let archives = [("pictures.zip", zip(&some())), ("p.tar", tar(&some())), ("p.tar.gz", gzip(&tar(&some())))];
    for (name, bytes) in archives {
        // The name does not matter.
        for name in [name, "other"] {
            let place = folder(&[(name, bytes.clone())]);
            let found = load(&place.path().join(name)).unwrap();
            assert_eq!((&found.train.values, found.train.shape()), (&expected.train.values, expected.train.shape()));
            assert_eq!(found.train.labels, expected.train.labels);
            assert_eq!(found.origin.skipped, expected.origin.skipped);
            assert_eq!(found.train.name, name.split('.').next().unwrap());
            assert!(found.origin.format.contains("archive (1 JPEG, 2 PNG)"), "{}", found.origin.format);
        }
    }
}

#[test]
fn names_are_only_names() {
    let files = [
        ("../../../etc/a/1.png", png((4, 4), [1, 0, 0])),
        ("/etc/b/2.png", png((4, 4), [2, 0, 0])),
        ("./etc/b/\u{e4}\n.png", png((4, 4), [3, 0, 0])),
    ];
    for bytes in [zip(&files), tar(&files)] {
        let place = folder(&[("x", bytes)]);
        let data = rows(&place.path().join("x"), None);
        assert_eq!(data.labels.as_ref().unwrap().names, ["a", "b"]);
        assert_eq!((0..3).map(|row| bytes_of(&data, row)).collect::<Vec<_>>(), [1, 2, 3]);
    }
    let windows = zip(&[("a\\1.png", png((4, 4), RED)), ("b\\2.png", png((4, 4), RED))]);
    let place = folder(&[("x", windows)]);
    assert_eq!(rows(&place.path().join("x"), None).labels.unwrap().names, ["a", "b"]);
}

fn bytes_of(data: &Dataset, row: usize) -> u8 {
    bytes(data, row)[0]
}

#[test]
fn long_names_stand_in_entries_of_their_own() {
    let long = "x".repeat(300);
    let (one, two) = (png((4, 4), [1, 0, 0]), png((4, 4), [2, 0, 0]));
    let name = format!("a/{long}.png\0");
    let pair = |length: usize| format!("{length} path=b/{long}.png\n");
    let pax = pair(pair(999).len());
    let archive = [
        entry(b'L', b"././@LongLink", name.len() as u64, name.as_bytes()),
        entry(b'0', b"short.txt", one.len() as u64, &one),
        entry(b'g', b"global", 0, b""),
        entry(b'x', b"pax", pax.len() as u64, pax.as_bytes()),
        entry(b'0', b"short.txt", two.len() as u64, &two),
        // A link by a long name leaves nothing for the file behind it.
        entry(b'L', b"././@LongLink", name.len() as u64, name.as_bytes()),
        entry(b'2', b"link", 0, b""),
        entry(b'0', b"notes", 5, b"words"),
        vec![0; 1024],
    ];
    let place = folder(&[("x.tar", archive.concat())]);
    let data = rows(&place.path().join("x.tar"), None);
    assert_eq!((data.rows, bytes_of(&data, 0), bytes_of(&data, 1)), (2, 1, 2));
    assert_eq!(data.labels.unwrap().names, ["a", "b"]);
}

#[test]
fn the_last_of_two_files_of_one_name_counts() {
    let files = [("a.png", png((4, 4), [1, 0, 0])), ("a.png", png((4, 4), [2, 0, 0]))];
    let place = folder(&[("x.tar", tar(&files))]);
    let data = rows(&place.path().join("x.tar"), None);
    assert_eq!((data.rows, bytes_of(&data, 0)), (1, 2));
}

#[test]
fn damaged_archives_are_refused() {
    let files = many(30);
    let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    let say = |bytes: &[u8]| {
        let place = folder(&[("x", bytes.to_vec())]);
        complaint(&place.path().join("x"))
    };
    let (zip, tar) = (zip(&files), tar(&files));
    let packed = gzip(&tar);
    assert_says(&say(&zip[..zip.len() / 2]), &["zip archive is damaged or truncated"]);
    assert_says(&say(b"PK\x03\x04rest"), &["zip archive is damaged"]);
    assert_says(&say(&packed[..packed.len() / 2]), &["tar archive is damaged or truncated"]);
    assert_says(&say(&tar[..tar.len() / 2 + 700]), &["tar archive is damaged or truncated"]);
    let mut bent = tar.clone();
    bent[2 * 512 + 20] ^= 1;
    assert_says(&say(&bent), &["tar archive is damaged"]);
    // One picture of many that is bent inside of a sound archive is left out like any other.
    let mut bent = tar.clone();
    let at = bent.windows(4).rposition(|word| word == b"IDAT").unwrap();
    bent[at] ^= 0x20;
    let place = folder(&[("x", bent)]);
    assert_says(&load(&place.path().join("x")).unwrap().origin.skipped[0].to_string(), &["broken pictures (1)"]);
}

#[test]
fn an_archive_without_pictures_says_so() {
    let say = |bytes: Vec<u8>| {
        let place = folder(&[("x", bytes)]);
        complaint(&place.path().join("x"))
    };
    assert_says(
        &say(zip(&[("data.txt", vec![1, 2, 3]), ("b/", vec![])])),
        &["zip archive holds 1 files and no picture"],
    );
    assert_says(&say(zip(&[])), &["zip archive holds no files"]);
    assert_says(&say(tar(&[("a.txt", b"x".to_vec())])), &["tar archive holds 1 files and no picture"]);
}

#[test]
fn a_name_that_never_ends_is_not_read_into_memory() {
    let endless = entry(b'L', b"././@LongLink", 8 << 30, &[b'x'; 1 << 20]);
    let place = folder(&[("x.tar.gz", gzip(&endless)), ("y.tar", endless)]);
    for name in ["x.tar.gz", "y.tar"] {
        assert_says(&complaint(&place.path().join(name)), &["tar archive is damaged", "more than 65536 bytes"]);
    }
}
