//! Colours and greys.

use image::Pixel;

/// Keeps the luminance of red, green and blue (Rec. 709), which of three equal values is that value; gives how many channels are
/// left.
pub(super) fn to_grey(bytes: &mut Vec<u8>) -> usize {
    for pixel in 0..bytes.len() / 3 {
        let colour = [bytes[3 * pixel], bytes[3 * pixel + 1], bytes[3 * pixel + 2]];
        bytes[pixel] = image::Rgb(colour).to_luma().0[0];
    }
    bytes.truncate(bytes.len() / 3);
    bytes.shrink_to_fit();
    1
}
