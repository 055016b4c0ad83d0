//! Pictures as bytes of a file.

use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;

use super::FileKind;

/// Of 100, at which people see no difference.
const JPEG_QUALITY: u8 = 92;

/// A picture in a format; else why not.
pub(super) fn encoded(kind: FileKind, picture: &RgbImage) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let done = match kind {
        FileKind::Png => picture.write_with_encoder(PngEncoder::new(&mut bytes)),
        FileKind::Jpeg => picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY)),
        FileKind::Webp => picture.write_with_encoder(WebPEncoder::new_lossless(&mut bytes)),
        _ => return Err("a picture does not go into a file of rows".to_owned()),
    };
    done.map(|()| bytes).map_err(|error| format!("the picture cannot be encoded: {error}"))
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let picture = RgbImage::from_fn(16, 8, |x, y| Rgb([(x * 16) as u8, (y * 30) as u8, 200]));
        for (kind, start, most) in [
            (FileKind::Png, &b"\x89PNG"[..], 0),
            (FileKind::Webp, b"RIFF", 0),
            // It halves the resolution of colours.
            (FileKind::Jpeg, b"\xff\xd8\xff", 20),
        ] {
            let bytes = encoded(kind, &picture).unwrap();
            assert!(bytes.starts_with(start), "{kind:?}");
            let again = image::load_from_memory(&bytes).unwrap().to_rgb8();
            let off = again.iter().zip(picture.iter()).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(again.dimensions() == (16, 8) && off.unwrap() <= most, "{kind:?} {off:?}");
        }
        assert!(encoded(FileKind::Csv, &picture).is_err());
    }
}
