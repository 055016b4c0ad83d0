//! Reading files that may be compressed, without trusting them.
//!
//! Gzip is known by its first two bytes, not by the file's name. Nothing is allocated because a header says so: a plain
//! file is as long as the system says, and a compressed one is unpacked as far as was promised and one byte further.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::error::{Error, Result};

/// How many of a file's first bytes formats are shown.
pub(crate) const HEAD: usize = 512;

/// Deflate cannot pack more than this many bytes into one (two bits for 258 bytes).
const MAX_RATIO: u64 = 1032;

/// The first two bytes of gzip.
pub(crate) const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A file being read, unpacked on the way if it is compressed.
pub(crate) struct Input<'a> {
    path: PathBuf,
    reader: Box<dyn Read + 'a>,
    /// What it is packed in.
    packing: Option<&'static str>,
    /// The file's length on disk.
    stored: u64,
    /// Bytes handed out so far, after unpacking.
    taken: u64,
}

impl<'a> Input<'a> {
    /// A file in a zip archive of so many bytes.
    pub(crate) fn of_zip(path: &Path, reader: Box<dyn Read + 'a>, stored: u64) -> Input<'a> {
        Input { path: path.to_owned(), reader, packing: Some("zip"), stored, taken: 0 }
    }

    /// Opens a file and looks whether it is compressed.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path).map_err(Error::io("read", path))?;
        let stored = file.metadata().map_err(Error::io("read", path))?.len();
        let mut start = Vec::new();
        file.by_ref().take(2).read_to_end(&mut start).and_then(|_| file.rewind()).map_err(Error::io("read", path))?;
        let gzip = start == GZIP;
        let file = BufReader::with_capacity(1 << 16, file);
        Ok(Self {
            path: path.to_owned(),
            reader: if gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) },
            packing: gzip.then_some("gzip"),
            stored,
            taken: 0,
        })
    }

    /// The next bytes, at most `limit` of them; fewer only at the end.
    pub(crate) fn up_to(&mut self, limit: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let end = self.reader.by_ref().take(limit).read_to_end(&mut bytes);
        self.taken += bytes.len() as u64;
        match end {
            Ok(_) => Ok(bytes),
            Err(error) => Err(match self.packing {
                Some(packing) => self.broken(packing, error),
                None => Error::io("read", &self.path)(error),
            }),
        }
    }

    /// All that is left, which must be `promised` bytes: `what` describes them, as in `10 images of 28×28`.
    pub(crate) fn rest(&mut self, promised: u128, what: &str) -> Result<Vec<u8>> {
        let left = u128::from(self.stored.saturating_sub(self.taken));
        let most = u128::from(self.stored) * u128::from(MAX_RATIO);
        if self.packing.is_none() && left != promised {
            return Err(self.wrong_length(promised, what, &left.to_string()));
        }
        if self.packing.is_some() && promised > most {
            let found = format!("at most {most}, being compressed into {} bytes", self.stored);
            return Err(self.wrong_length(promised, what, &found));
        }
        let promised = u64::try_from(promised).unwrap_or(u64::MAX);
        let bytes = self.up_to(promised.saturating_add(1))?;
        match bytes.len() as u64 {
            found if found == promised => Ok(bytes),
            found if found > promised => Err(self.wrong_length(promised.into(), what, "more")),
            found => Err(self.wrong_length(promised.into(), what, &found.to_string())),
        }
    }

    /// The place of all that is left, as for [`Input::rest`]; `None` where it has none, being compressed.
    pub(crate) fn offset(&self, promised: u128, what: &str) -> Result<Option<u64>> {
        let left = u128::from(self.stored.saturating_sub(self.taken));
        match self.packing {
            Some(_) => Ok(None),
            None if left == promised => Ok(Some(self.taken)),
            None => Err(self.wrong_length(promised, what, &left.to_string())),
        }
    }

    fn wrong_length(&self, promised: u128, what: &str, found: &str) -> Error {
        Error::malformed(
            &self.path,
            format!(
                "the header promises {what}, {promised} bytes, but after it the file holds {found}: it is truncated or \
                 damaged, so fetch or write it again"
            ),
        )
    }

    fn broken(&self, packing: &str, error: std::io::Error) -> Error {
        let trouble = match error.kind() {
            ErrorKind::UnexpectedEof => format!("the {packing} data is truncated"),
            ErrorKind::InvalidInput | ErrorKind::InvalidData => {
                format!("the {packing} data is damaged ({error})")
            }
            _ => return Error::io("read", &self.path)(error),
        };
        Error::malformed(
            &self.path,
            format!(
                "{trouble}, after {} unpacked bytes; fetch the file again, or check it with `{packing} -t`",
                self.taken
            ),
        )
    }
}

/// The first bytes of a file, behind gzip if it is compressed; at most [`HEAD`].
pub(crate) fn head(path: &Path) -> Result<Vec<u8>> {
    Input::open(path)?.up_to(HEAD as u64)
}

/// The end of the sentence "this …": what a file that starts with `head` seems to be.
pub(crate) fn seems(head: &[u8]) -> String {
    const KNOWN: &[(&[u8], &str)] = &[
        (b"\x89PNG", "is a PNG picture"),
        (b"\xff\xd8\xff", "is a JPEG picture"),
        (b"GIF8", "is a GIF picture"),
        (b"PK\x03\x04", "is a zip archive without pictures or arrays in it"),
        (&GZIP, "is gzip inside gzip, to be unpacked once with `gunzip`"),
        (b"BZh", "is a bzip2 archive, to be unpacked first"),
        (b"\xfd7zXZ\0", "is an xz archive, to be unpacked first"),
        (b"\x28\xb5\x2f\xfd", "is a zstd archive, to be unpacked first"),
        (b"7z\xbc\xaf\x27\x1c", "is a 7z archive, to be unpacked first"),
        (b"\x93NUMPY", "is a NumPy array (.npy)"),
        (b"\x89HDF", "is an HDF5 file"),
        (b"%PDF", "is a PDF document"),
    ];
    if head.is_empty() {
        return "is an empty file".into();
    }
    if let Some((_, name)) = KNOWN.iter().find(|(start, _)| head.starts_with(start)) {
        return (*name).into();
    }
    let start = head.trim_ascii_start().to_ascii_lowercase();
    if start.starts_with(b"<!doctype") || start.starts_with(b"<html") {
        return "is a web page: the download went wrong".into();
    }
    if head.iter().all(|&byte| (b' '..=b'~').contains(&byte) || b"\t\r\n".contains(&byte)) {
        return "is text".into();
    }
    let first: Vec<String> = head.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("starts with the bytes {}", first.join(" "))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// What `rest(promised)` says about a file with these bytes.
    fn rest(bytes: &[u8], promised: u128) -> Result<Vec<u8>> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        Input::open(file.path())?.rest(promised, "numbers")
    }

    #[test]
    fn gzip_is_known_by_its_bytes_and_members_are_joined() {
        assert_eq!(rest(b"plain", 5).unwrap(), b"plain");
        assert_eq!(rest(&gzip(b"packed"), 6).unwrap(), b"packed");
        let two = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(rest(&two, 7).unwrap(), b"one two");
    }

    #[test]
    fn a_length_that_is_not_the_promised_one_is_said() {
        for bytes in [b"1234567890".to_vec(), gzip(b"1234567890")] {
            for promised in [0, 9, 11, u128::MAX] {
                let message = rest(&bytes, promised).unwrap_err().to_string();
                assert!(message.contains("promises numbers"), "{message}");
            }
            assert!(rest(&bytes, 10).is_ok());
        }
    }

    #[test]
    fn a_bomb_is_unpacked_no_further_than_its_header_promises() {
        let bomb = gzip(&vec![0; 64 << 20]);
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bomb).unwrap();
        let mut input = Input::open(file.path()).unwrap();
        assert!(input.rest(1000, "numbers").is_err());
        assert_eq!(input.taken, 1001);
    }

    #[test]
    fn a_promise_no_gzip_can_keep_is_refused_before_unpacking() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&gzip(&[0; 1000])).unwrap();
        let mut input = Input::open(file.path()).unwrap();
        let message = input.rest(1 << 60, "numbers").unwrap_err().to_string();
        assert!(message.contains("at most"), "{message}");
        assert_eq!(input.taken, 0);
    }

    #[test]
    fn truncated_and_damaged_gzip_are_told_apart() {
        let whole = gzip(b"some bytes that will not all arrive");
        for end in [2, 5, 12, whole.len() - 1] {
            let message = rest(&whole[..end], 35).unwrap_err().to_string();
            assert!(message.contains("gzip data is truncated"), "{end}: {message}");
        }
        let mut damaged = whole.clone();
        let checksum = damaged.len() - 8;
        damaged[checksum] ^= 1;
        let message = rest(&damaged, 35).unwrap_err().to_string();
        assert!(message.contains("gzip data is damaged"), "{message}");
    }

    #[test]
    fn files_are_recognised() {
        for (head, expected) in [
            (&b""[..], "empty"),
            (b"PK\x03\x04..", "zip"),
            (b"\x1f\x8b\x08", "gzip inside gzip"),
            (b"\n <!DOCTYPE html>", "web page"),
            (b"1.5,2.5\n", "text"),
            (b"\0\x01\x02\x03\x04", "00 01 02 03"),
        ] {
            assert!(seems(head).contains(expected), "{}", seems(head));
        }
    }
}
