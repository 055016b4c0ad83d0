//! How much there is in a picture: what general compressors make of it.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageResult};
use rayon::prelude::*;

use crate::data::Shape;

/// The ways in which PNG foretells a pixel from its neighbours, of which a file uses one, or chooses for each line.
const FILTERS: [FilterType; 6] =
    [FilterType::NoFilter, FilterType::Sub, FilterType::Up, FilterType::Avg, FilterType::Paeth, FilterType::Adaptive];
/// Bytes that every PNG has besides its pixels: the signature, the header, the frames of two more chunks.
const PNG_FRAME: usize = 8 + 25 + 12 + 12;
/// Bytes that every WebP file without loss has besides them: the frames of the file and of its only chunk.
const WEBP_FRAME: usize = 12 + 8;

/// Bits of a picture as the smallest PNG that one of its filters gives, of values from 0 to 1 with 256 levels; of channels that are neither
/// one nor three, one grey picture each.
pub fn png_bits(picture: &[f32], shape: Shape) -> f64 {
    sum_of(picture, shape, smallest_png)
}

/// The same as WebP without loss.
pub fn webp_bits(picture: &[f32], shape: Shape) -> f64 {
    sum_of(picture, shape, webp)
}

/// Bits of each picture, L(x) = min(L₁(x), L₂(x)) of two general compressors (Serrà et al. 2020, section 3), PNG and WebP without loss, what
/// every file has being left out. WebP takes one channel off the others, which makes grey pictures in three channels as small as in one.
pub fn smallest_bits(pictures: &[f32], shape: Shape) -> Vec<f64> {
    let smallest = |bytes: &[u8], size: (u32, u32), colour| {
        let png = smallest_png(bytes, size, colour).saturating_sub(PNG_FRAME);
        let webp = webp(bytes, size, colour).saturating_sub(WEBP_FRAME);
        png.min(webp)
    };
    pictures.par_chunks_exact(shape.features()).map(|picture| sum_of(picture, shape, smallest)).collect()
}

/// Bits of what a way makes of the bytes of a picture, or of those of each channel.
fn sum_of(picture: &[f32], shape: Shape, of: impl Fn(&[u8], (u32, u32), ExtendedColorType) -> usize) -> f64 {
    let byte = |&value: &f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    let bytes: Vec<u8> = picture.iter().map(byte).collect();
    let size = (shape.width as u32, shape.height as u32);
    let all = match shape.channels {
        1 => of(&bytes, size, ExtendedColorType::L8),
        3 => of(&bytes, size, ExtendedColorType::Rgb8),
        channels => (0..channels)
            .map(|channel| {
                let one: Vec<u8> = bytes.iter().skip(channel).step_by(channels).copied().collect();
                of(&one, size, ExtendedColorType::L8)
            })
            .sum(),
    };
    8.0 * all as f64
}

fn smallest_png(bytes: &[u8], size: (u32, u32), colour: ExtendedColorType) -> usize {
    let with = |filter| {
        length(bytes, |file| {
            PngEncoder::new_with_quality(file, CompressionType::Best, filter).write_image(bytes, size.0, size.1, colour)
        })
    };
    FILTERS.into_iter().map(with).min().unwrap_or(bytes.len())
}

fn webp(bytes: &[u8], size: (u32, u32), colour: ExtendedColorType) -> usize {
    length(bytes, |file| WebPEncoder::new_lossless(file).write_image(bytes, size.0, size.1, colour))
}

/// The length of a file. A picture in memory is always written; its own size would be the most.
fn length(bytes: &[u8], write: impl FnOnce(&mut Vec<u8>) -> ImageResult<()>) -> usize {
    let mut file = Vec::new();
    match write(&mut file) {
        Ok(()) => file.len(),
        Err(_) => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREY: Shape = Shape { height: 32, width: 32, channels: 1 };
    const COLOURED: Shape = Shape { channels: 3, ..GREY };

    /// Values without order.
    fn noise(count: usize) -> Vec<f32> {
        let mixed = |i: u32| {
            let a = i.wrapping_mul(0x9e37_79b9);
            let b = (a ^ a >> 15).wrapping_mul(0x85eb_ca6b);
            (b ^ b >> 13).wrapping_mul(0xc2b2_ae35) >> 24
        };
        (1..=count as u32).map(|i| mixed(i) as f32 / 255.0).collect()
    }

    #[test]
    fn what_has_more_in_it_is_larger_and_a_frame_does_not_count() {
        let one = vec![0.5; 1024];
        let bits = smallest_bits(&[one.clone(), noise(1024)].concat(), GREY);
        // Of one tone hardly anything is left, and noise has its 1,024 bytes or nearly.
        assert!(bits[0] < 32.0 * 8.0 && bits[1] >= 1024.0 * 7.5, "{bits:?}");
        let file = png_bits(&one, GREY);
        assert!(file >= 8.0 * PNG_FRAME as f64 && file < 8.0 * (PNG_FRAME + 40) as f64, "{file}");
    }

    #[test]
    fn no_filter_is_better_than_the_best_of_all() {
        // A slope across is nothing for the filter `Sub`, and many tones without it.
        let slope: Vec<f32> = (0..64 * 64).map(|i| (i % 64 * 3 + i / 64 % 7 * 9) as f32 / 255.0).collect();
        let shape = Shape { height: 64, width: 64, channels: 1 };
        let bytes: Vec<u8> = slope.iter().map(|value| (value * 255.0).round() as u8).collect();
        let with = |filter| {
            length(&bytes, |file| {
                let encoder = PngEncoder::new_with_quality(file, CompressionType::Best, filter);
                encoder.write_image(&bytes, 64, 64, ExtendedColorType::L8)
            })
        };
        let (all, best) = (FILTERS.map(with), png_bits(&slope, shape) as usize / 8);
        assert!(all.contains(&best) && all.iter().all(|&size| size >= best) && all[0] > best, "{all:?} {best}");
    }

    #[test]
    fn a_grey_picture_is_no_larger_in_three_channels() {
        let grey = noise(1024);
        let coloured: Vec<f32> = grey.iter().flat_map(|&value| [value; 3]).collect();
        let (one, three) = (smallest_bits(&grey, GREY)[0], smallest_bits(&coloured, COLOURED)[0]);
        assert!(three < 1.3 * one, "{one} and {three}");
        // Three channels that say different things are three times as large.
        assert!(smallest_bits(&noise(3 * 1024), COLOURED)[0] > 2.0 * one);
    }
}
