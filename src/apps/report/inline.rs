//! What a page holds in itself: pictures and numbers as text, and the hashes by which a browser knows its own scripts.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, RgbImage};
use maud::PreEscaped;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// How good a picture of colours is that is shown small.
const QUALITY: u8 = 80;

/// Bytes as text.
pub fn text_of(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// A picture as the address of itself, without loss.
///
/// # Errors
/// If it cannot be encoded, which a picture in memory is not known to be.
pub fn png(picture: &RgbImage) -> Result<String> {
    let is_grey = picture.pixels().all(|pixel| pixel.0[0] == pixel.0[1] && pixel.0[1] == pixel.0[2]);
    let whole = DynamicImage::ImageRgb8(picture.clone());
    let whole = if is_grey { DynamicImage::ImageLuma8(whole.to_luma8()) } else { whole };
    let mut bytes = Cursor::new(vec![]);
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive);
    whole.write_with_encoder(encoder).map_err(Error::invalid)?;
    Ok(format!("data:image/png;base64,{}", text_of(bytes.get_ref())))
}

/// A sheet of many small pictures: as [`png`] where it is grey, else with a little loss.
///
/// # Errors
/// As for [`png`].
pub fn sheet(picture: &RgbImage, is_grey: bool) -> Result<String> {
    if is_grey {
        return png(picture);
    }
    let mut bytes = vec![];
    picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, QUALITY)).map_err(Error::invalid)?;
    Ok(format!("data:image/jpeg;base64,{}", text_of(&bytes)))
}

/// Data as JSON that may stand in a `<script>`: nothing in it ends that, or begins another.
///
/// # Errors
/// If it is none that JSON can hold.
pub fn json(data: &impl Serialize) -> Result<PreEscaped<String>> {
    let text = serde_json::to_string(data).map_err(Error::invalid)?;
    Ok(PreEscaped(text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")))
}

/// The source of a policy that allows exactly this text.
pub fn hash(text: &str) -> String {
    format!("'sha256-{}'", text_of(&Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_the_script_that_it_stands_in() {
        let names = ["</script><script>alert(1)</script>", "<!--", "a & b", "plain"];
        let text = json(&names).unwrap().0;
        assert!(!text.contains(['<', '>', '&']) && text.contains("plain"), "{text}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).unwrap(), names);
    }

    #[test]
    fn texts_are_known_by_their_hash() {
        // As `printf %s 'alert(1)' | openssl dgst -sha256 -binary | base64` has it.
        assert_eq!(hash("alert(1)"), "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='");
        assert_ne!(hash("alert(2)"), hash("alert(1)"));
    }

    #[test]
    fn pictures_are_pngs_of_their_own_pixels() {
        let picture = RgbImage::from_fn(3, 2, |x, y| image::Rgb([(40 * x) as u8, (90 * y) as u8, 7]));
        let grey = RgbImage::from_fn(3, 2, |x, y| image::Rgb([(40 * x + y) as u8; 3]));
        for picture in [picture, grey] {
            let text = png(&picture).unwrap();
            let bytes = STANDARD.decode(text.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
            assert_eq!(image::load_from_memory(&bytes).unwrap().to_rgb8(), picture);
        }
    }
}
