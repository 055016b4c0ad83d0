//! Whether a JPEG file is whole: decoders fill what is missing with grey and say nothing.

/// The marker that ends an image.
const END: u8 = 0xd9;

/// Whether the markers of a JPEG file lead to the one that ends it (ITU-T T.81, annex B).
///
/// Coded data never holds a marker: there, `ff` is followed by `00`. So it is passed over like anything between two markers.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((marker, behind)) = next_marker(rest) {
        rest = match marker {
            END => return true,
            // TEM, the restarts and the start of the image come alone; all others say how long they are.
            0x01 | 0xd0..=0xd8 => behind,
            _ => {
                let length = behind.first_chunk().map(|length| usize::from(u16::from_be_bytes(*length)));
                match length.and_then(|length| behind.get(length..)) {
                    Some(rest) => rest,
                    None => return false,
                }
            }
        };
    }
    false
}

/// The next marker, and what lies behind it.
fn next_marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let at = bytes.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xff))?;
    Some((bytes[at + 1], &bytes[at + 2..]))
}

#[cfg(test)]
mod tests {
    use image::codecs::jpeg::JpegEncoder;

    use super::*;

    /// A picture whose coded data holds many an `ff 00`.
    fn jpeg() -> Vec<u8> {
        let noise =
            image::RgbImage::from_fn(40, 30, |x, y| image::Rgb([x * y, (x * 37) ^ (y * 91), y * 201].map(|v| v as u8)));
        let mut bytes = Vec::new();
        noise.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 100)).unwrap();
        assert!(bytes.windows(2).filter(|pair| *pair == [0xff, 0]).count() > 3);
        bytes
    }

    #[test]
    fn a_file_is_whole_with_its_end_and_no_sooner() {
        let whole = jpeg();
        assert!(is_whole(&whole));
        assert!(is_whole(&[&whole[..], b"what a telephone puts behind it \xff\xda"].concat()));
        for end in 0..whole.len() {
            assert!(!is_whole(&whole[..end]), "{end} of {}", whole.len());
        }
    }

    #[test]
    fn the_end_of_a_small_picture_inside_is_not_its_end() {
        let whole = jpeg();
        // An APP1 segment that holds a whole picture, as cameras put there to be shown in a list.
        let length = (whole.len() + 2) as u16;
        let inside = [&[0xff, 0xe1][..], &length.to_be_bytes(), &whole].concat();
        let with = [&whole[..2], &inside, &whole[2..]].concat();
        assert!(is_whole(&with));
        assert!(!is_whole(&with[..with.len() - 20]));
    }
}
