//! Reading one file that may be a picture: its first bytes decide whether the rest is read.

use std::io::{self, Read};

use image::ImageFormat;

use super::name::{Says, format, says};
use crate::data::input::seems;

/// How many bytes a picture may have in its file.
const MOST_BYTES: u64 = 256 << 20;

/// What was read of a file.
pub(super) enum Taken {
    /// A picture, not yet decoded.
    Picture(ImageFormat, Vec<u8>),
    /// Something that does not claim to be a picture.
    Other,
    /// Something that claims to be a picture and is none, or could not be read.
    Broken(String),
}

/// Reads a file of this name.
pub(super) fn take(name: &[u8], file: io::Result<&mut dyn Read>) -> Taken {
    file.and_then(|file| read(name, file)).unwrap_or_else(|error| Taken::Broken(format!("cannot be read: {error}")))
}

fn read(name: &[u8], file: &mut dyn Read) -> io::Result<Taken> {
    let mut bytes = Vec::new();
    (&mut *file).take(64).read_to_end(&mut bytes)?;
    let Some(format) = format(name, &bytes) else {
        let claims = says(name) == Says::Picture;
        return Ok(if claims { Taken::Broken(seems(&bytes)) } else { Taken::Other });
    };
    let most = MOST_BYTES - bytes.len() as u64;
    if file.take(most + 1).read_to_end(&mut bytes)? as u64 > most {
        return Ok(Taken::Broken(format!("has more than the {} MiB that a picture may have", MOST_BYTES >> 20)));
    }
    Ok(Taken::Picture(format, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(name: &str, mut file: impl Read) -> String {
        match take(name.as_bytes(), Ok(&mut file)) {
            Taken::Picture(format, bytes) => format!("{format:?} of {}", bytes.len()),
            Taken::Other => "other".to_owned(),
            Taken::Broken(why) => why,
        }
    }

    #[test]
    fn the_first_bytes_decide() {
        let png = [b"\x89PNG\r\n\x1a\n".to_vec(), vec![0; 1000]].concat();
        assert_eq!(taken("a.png", &png[..]), "Png of 1008");
        assert_eq!(taken("a", &png[..]), "Png of 1008");
        assert_eq!(taken("a", &b"#!/bin/sh"[..]), "other");
        assert_eq!(taken("a.jpg", &b"<!DOCTYPE html>"[..]), "is a web page: the download went wrong");
        assert_eq!(taken("a.jpg", &b""[..]), "is an empty file");
        assert!(taken("a.png", png.chain(io::repeat(0))).contains("256 MiB"));
        let refused: io::Result<&mut dyn Read> = Err(io::ErrorKind::PermissionDenied.into());
        assert!(matches!(take(b"a", refused), Taken::Broken(why) if why.contains("permission denied")));
    }
}
