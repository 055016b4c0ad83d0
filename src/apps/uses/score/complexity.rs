//! How much there is in a picture: what a general compressor makes of it.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use crate::data::Shape;

/// Bits of a picture as a PNG, of values from 0 to 1 with 256 levels; of channels that are neither one nor three, one grey picture
/// each.
pub fn png_bits(picture: &[f32], shape: Shape) -> f64 {
    let byte = |&value: &f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    let bytes: Vec<u8> = picture.iter().map(byte).collect();
    let size = |bytes: &[u8], colour| {
        let mut png = Vec::new();
        let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::Adaptive);
        let written = encoder.write_image(bytes, shape.width as u32, shape.height as u32, colour);
        // A picture in memory is always written; its own size would be the most.
        if written.is_ok() { 8.0 * png.len() as f64 } else { 8.0 * bytes.len() as f64 }
    };
    match shape.channels {
        1 => size(&bytes, ExtendedColorType::L8),
        3 => size(&bytes, ExtendedColorType::Rgb8),
        channels => (0..channels)
            .map(|channel| {
                let one: Vec<u8> = bytes.iter().skip(channel).step_by(channels).copied().collect();
                size(&one, ExtendedColorType::L8)
            })
            .sum(),
    }
}
