//! The names of files in folders and archives: bytes, of which only some are text.

use std::fmt::Write;

use image::ImageFormat;

/// Which pictures are read, for messages.
pub(super) const KINDS: &str =
    "PNG, JPEG, WebP, GIF, BMP, TIFF, PNM, QOI, farbfeld or TGA files, by themselves or in folders";

/// The endings by which a file says that it is a picture.
const ENDINGS: [&str; 20] = [
    "png", "apng", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp", "dib", "tif", "tiff", "pnm", "pbm", "pgm",
    "ppm", "pam", "qoi", "ff", "tga",
];

/// What systems leave in folders by themselves.
const LEFT_BY_SYSTEMS: [&[u8]; 3] = [b"__MACOSX", b"Thumbs.db", b"desktop.ini"];

/// What a file's name says of what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// A picture.
    Picture,
    /// Nothing: it has no ending.
    Nothing,
    /// Something else.
    Other,
}

/// What the end of a name says of the file.
pub(super) fn says(name: &[u8]) -> Says {
    match ending(name) {
        Some(ending) if ENDINGS.contains(&ending.as_str()) => Says::Picture,
        Some(_) => Says::Other,
        None => Says::Nothing,
    }
}

/// The format of a file that starts with `head`; TGA, which does not begin with a word of its own, is known by its name.
pub(super) fn format(name: &[u8], head: &[u8]) -> Option<ImageFormat> {
    let by_name = || (ending(name)? == "tga").then_some(ImageFormat::Tga);
    image::guess_format(head).ok().filter(ImageFormat::reading_enabled).or_else(by_name)
}

fn ending(name: &[u8]) -> Option<String> {
    let last = name.rsplit(|&byte| byte == b'/').next()?;
    let dot = last.iter().rposition(|&byte| byte == b'.').filter(|&dot| dot > 0)?;
    Some(String::from_utf8_lossy(&last[dot + 1..]).to_ascii_lowercase())
}

/// Whether a part of the path is hidden, or was left by a system.
pub(super) fn is_hidden(name: &[u8]) -> bool {
    name.split(|&byte| byte == b'/').any(|part| part.starts_with(b".") || LEFT_BY_SYSTEMS.contains(&part))
}

/// A path with `/` between its parts and without those that lead nowhere: what an archive calls a file is only a name.
pub(super) fn plain(path: &[u8]) -> Vec<u8> {
    let parts = path.split(|&byte| byte == b'/').filter(|part| ![&b""[..], b".", b".."].contains(part));
    parts.collect::<Vec<_>>().join(&b'/')
}

/// A name for people and for one line: what is no text, or would move the cursor, is written as an escape.
pub(super) fn readable(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() { text.extend(c.escape_default()) } else { text.push(c) }
        }
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_tell_pictures() {
        for (name, expected) in [
            (&b"a/b.JPG"[..], Says::Picture),
            (b"b.c.webp", Says::Picture),
            (b"a.png/readme", Says::Nothing),
            (b"a.tar.gz", Says::Other),
            (b".png", Says::Nothing),
            (b"x.", Says::Other),
            (b"\xff\xfe.tif", Says::Picture),
        ] {
            assert_eq!(says(name), expected, "{}", readable(name));
        }
    }

    #[test]
    fn content_goes_before_the_name() {
        assert_eq!(format(b"a.png", b"\xff\xd8\xff\xe0"), Some(ImageFormat::Jpeg));
        assert_eq!(format(b"a.tga", b"\0\0\x02\0"), Some(ImageFormat::Tga));
        assert_eq!(format(b"a.png", b"\0\0\x02\0"), None);
        // Known by their first bytes, and not read.
        assert_eq!(format(b"a.dds", b"DDS ...."), None);
    }

    #[test]
    fn hidden_is_what_starts_with_a_dot_or_comes_from_a_system() {
        for (name, expected) in [
            (&b"a/.git/x.png"[..], true),
            (b"a/._b.jpg", true),
            (b"__MACOSX/a.png", true),
            (b"a/Thumbs.db", true),
            (b"a.b/c.png", false),
        ] {
            assert_eq!(is_hidden(name), expected, "{}", readable(name));
        }
    }

    #[test]
    fn names_lead_nowhere_and_are_fit_for_a_line() {
        assert_eq!(plain(b"/../../etc//./a.png"), b"etc/a.png");
        assert_eq!(plain(b"../.."), b"");
        assert_eq!(readable("gr\u{fc}n/a\n\x1b[2J".as_bytes()), "gr\u{fc}n/a\\n\\u{1b}[2J");
        assert_eq!(readable(b"a\xff\xfeb"), "a\\xff\\xfeb");
    }
}
