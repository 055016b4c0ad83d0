//! Against a server on this machine that does as it is told.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use super::*;

/// What a server has, and how it gives it.
#[derive(Clone, Default)]
struct Shelf {
    files: BTreeMap<String, Vec<u8>>,
    /// Bytes after which the first answer breaks off.
    breaks_after: Option<usize>,
    /// Whether it does not know how to begin in the middle.
    whole_only: bool,
    /// What was asked for: the name, and where to begin.
    asked: Vec<(String, Option<usize>)>,
}

/// Starts a server; gives its address and what it was asked for.
fn serve(shelf: Shelf) -> (String, Arc<Mutex<Shelf>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let shelf = Arc::new(Mutex::new(shelf));
    let shared = shelf.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(std::result::Result::ok);
            let Some(name) =
                lines.next().and_then(|line| Some(line.split(' ').nth(1)?.trim_start_matches('/').to_string()))
            else {
                continue;
            };
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let range = head.iter().find_map(|line| {
                let value = line.to_lowercase().strip_prefix("range: bytes=")?.trim_end_matches('-').parse::<usize>();
                value.ok()
            });
            answer(stream, &mut shared.lock().unwrap(), name, range);
        }
    });
    (address, shelf)
}

fn answer(mut stream: std::net::TcpStream, shelf: &mut Shelf, name: String, range: Option<usize>) {
    shelf.asked.push((name.clone(), range));
    let Some(bytes) = shelf.files.get(&name).cloned() else {
        let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return;
    };
    let range = range.filter(|_| !shelf.whole_only);
    if range.is_some_and(|from| from >= bytes.len()) {
        let _ = stream.write_all(b"HTTP/1.1 416 Range\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return;
    }
    let status = if range.is_some() { "206 Partial Content" } else { "200 OK" };
    let rest = &bytes[range.unwrap_or(0)..];
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", rest.len());
    let upto = shelf.breaks_after.take().unwrap_or(rest.len()).min(rest.len());
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&rest[..upto]));
}

/// Two files: "first file" and "second".
static PAIR: Known = Known {
    name: "pair",
    about: "two files",
    terms: "nobody's",
    bytes: 16,
    at: &["http://127.0.0.1:1"],
    files: &[
        Remote { name: "a.bin", md5: "79ffed91dea0b50d7b7fd966672b0d5e" },
        Remote { name: "b.bin", md5: "a9f0e61a137d86aa9db53465e0801612" },
    ],
    is_archive: false,
};

fn shelf() -> Shelf {
    let files = [("a.bin", &b"first file"[..]), ("b.bin", b"second")];
    Shelf { files: files.map(|(name, bytes)| (name.to_string(), bytes.to_vec())).into(), ..Shelf::default() }
}

#[test]
fn files_come_whole_and_are_not_asked_for_again() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("pair");
    let (address, shelf) = serve(shelf());
    let mut told = vec![];
    let mut look = |at: Fetching| told.push((at.done, at.of));
    assert_eq!(fetch(&PAIR, &folder, Some(&address), &mut look).unwrap(), folder);
    assert_eq!(fs::read(folder.join("a.bin")).unwrap(), b"first file");
    assert_eq!(fs::read(folder.join("b.bin")).unwrap(), b"second");
    assert_eq!((told.first(), told.last()), (Some(&(10, 10)), Some(&(6, 6))));
    assert!(!place.path().join("pair.partial").exists());
    fetch(&PAIR, &folder, Some(&address), &mut |_| panic!("it is there")).unwrap();
    assert_eq!(shelf.lock().unwrap().asked.len(), 2);
}

#[test]
fn a_download_that_broke_off_goes_on_where_it_was() {
    for whole_only in [false, true] {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("pair");
        let (address, shelf) = serve(Shelf { breaks_after: Some(4), whole_only, ..shelf() });
        let said = fetch(&PAIR, &folder, Some(&address), &mut |_| ()).unwrap_err().to_string();
        assert!(said.contains("a.bin could not be downloaded") && said.contains("--from"), "{said}");
        assert!(!folder.exists() && fs::read(place.path().join("pair.partial/a.bin")).unwrap() == b"firs");
        fetch(&PAIR, &folder, Some(&address), &mut |_| ()).unwrap();
        assert_eq!(fs::read(folder.join("a.bin")).unwrap(), b"first file");
        let asked = &shelf.lock().unwrap().asked;
        assert_eq!(asked[..2], [("a.bin".to_string(), None), ("a.bin".to_string(), Some(4))]);
    }
}

#[test]
fn what_is_not_the_file_is_not_kept() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("pair");
    let mut other = shelf();
    other.files.insert("b.bin".to_string(), b"Second".to_vec());
    let (address, _) = serve(other);
    let said = fetch(&PAIR, &folder, Some(&address), &mut |_| ()).unwrap_err().to_string();
    assert!(said.contains("b.bin") && said.contains("a9f0e61a137d86aa9db53465e0801612 was expected"), "{said}");
    assert!(!folder.exists() && !place.path().join("pair.partial/b.bin").exists());
    // A right one elsewhere completes it, and the first is not fetched again.
    let (address, shelf) = serve(shelf());
    fetch(&PAIR, &folder, Some(&address), &mut |_| ()).unwrap();
    assert_eq!(shelf.lock().unwrap().asked, [("b.bin".to_string(), None)]);
}

#[test]
fn servers_that_do_not_answer_are_named() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("pair");
    let (address, _) = serve(Shelf::default());
    let said = fetch(&PAIR, &folder, Some(&address), &mut |_| ()).unwrap_err().to_string();
    assert!(said.contains(&address) && said.contains("404"), "{said}");
    let said = fetch(&PAIR, &folder, None, &mut |_| ()).unwrap_err().to_string();
    assert!(said.contains("http://127.0.0.1:1/a.bin"), "{said}");
}

#[test]
fn archives_are_unpacked_without_their_folders() {
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(vec![], flate2::Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(3);
    header.set_mode(0o644);
    archive.append_data(&mut header, "folder/one.bin", &b"one"[..]).unwrap();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.tar.gz");
    fs::write(&path, archive.into_inner().unwrap().finish().unwrap()).unwrap();
    unpack(&path, place.path()).unwrap();
    assert_eq!(fs::read(place.path().join("one.bin")).unwrap(), b"one");
    assert!(!path.exists());
}

/// An archive that is laid out as dSprites is, from the server to rows with factors.
#[test]
fn sprites_come_with_their_factors() {
    let npy = |descr: &str, shape: &str, bytes: &[u8]| {
        let text = format!("{:<117}\n", format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"));
        [&b"\x93NUMPY\x01\x00"[..], &(text.len() as u16).to_le_bytes(), text.as_bytes(), bytes].concat()
    };
    let classes: Vec<u8> = (0..12i64).flat_map(|i| [0, i % 3, i % 2, 0, i / 6, 0]).flat_map(i64::to_le_bytes).collect();
    let values: Vec<u8> = (0..72).flat_map(|i| f64::from(i).to_le_bytes()).collect();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    for (name, bytes) in [
        ("metadata.npy", npy("|O", "()", b"\x80\x02}q\x00.")),
        ("imgs.npy", npy("|u1", "(12, 4, 4)", &[0, 1, 1].repeat(64))),
        ("latents_classes.npy", npy("<i8", "(12, 6)", &classes)),
        ("latents_values.npy", npy("<f8", "(12, 6)", &values)),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    let bytes = zip.finish().unwrap().into_inner();
    let md5: String = Md5::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let published = Known::find("dsprites").unwrap();
    let files = vec![Remote { name: published.files[0].name, md5: md5.leak() }].leak();
    let known = Known { files, at: &[], ..*published };
    let shelf = Shelf { files: [(files[0].name.to_owned(), bytes)].into(), ..Shelf::default() };
    let place = tempfile::tempdir().unwrap();
    let opened = fetch(&known, &place.path().join("dsprites"), Some(&serve(shelf).0), &mut |_| ()).unwrap();
    let splits = crate::data::open(&crate::data::Source::Path(opened), &crate::data::Options::default()).unwrap();
    assert_eq!((splits.train.rows, splits.train.shape().features()), (10, 16));
    assert!(splits.train.is_black_and_white());
    let factors = splits.train.factors.as_ref().unwrap();
    assert_eq!(factors.names, ["colour", "shape", "scale", "orientation", "x", "y"]);
    assert_eq!(factors.sizes, [1, 3, 2, 1, 2, 1]);
    assert_eq!(splits.origin.skipped[0].first, ["latents_values", "metadata"]);
}
