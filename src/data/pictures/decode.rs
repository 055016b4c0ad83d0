//! From the bytes of a picture to a row of pixels.
//!
//! A picture is turned as its EXIF orientation says, laid over white where it is transparent, cut around its middle to the wanted
//! proportions, and scaled by Lanczos resampling of radius 3 (Turkowski 1990) in the encoded values. 16 bits become 8. Of
//! several pictures in a file, the first counts. A picture that has the size already keeps its pixels to the bit.

use std::io::Cursor;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3};
use fast_image_resize::{PixelTrait, ResizeOptions, Resizer};
use image::error::ImageError;
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageBuffer, ImageDecoder, ImageFormat, ImageReader, Limits, Pixel, RgbImage};

use super::jpeg;
use super::size::PictureSize;

/// The most bytes that one decoded picture may take; none is allocated for a picture whose header claims more.
const MOST_BYTES: u64 = 512 << 20;
/// The most pixels that a side may have.
const MOST_SIDE: u32 = 1 << 16;

/// Why a picture is none, as the end of a sentence about it.
pub(super) type Why = String;

/// A picture as a row.
pub(super) struct Row {
    /// Red, green and blue of each pixel, `[height, width, 3]`.
    pub(super) rgb: Vec<u8>,
    /// Whether no pixel has a colour.
    pub(super) is_grey: bool,
}

/// Height and width as the picture is looked at.
pub(super) fn size(format: ImageFormat, bytes: &[u8]) -> Result<(u32, u32), Why> {
    let mut decoder = decoder(format, bytes)?;
    let (width, height) = decoder.dimensions();
    let lies = turns(orientation(&mut decoder));
    Ok(if lies { (width, height) } else { (height, width) })
}

/// A picture as a row of this size.
pub(super) fn row(format: ImageFormat, bytes: &[u8], size: PictureSize) -> Result<Row, Why> {
    if format == ImageFormat::Jpeg && !jpeg::is_whole(bytes) {
        return Err("is truncated".to_owned());
    }
    let mut decoder = decoder(format, bytes)?;
    let orientation = orientation(&mut decoder);
    let picture = DynamicImage::from_decoder(decoder).map_err(why)?;
    let (height, width) = (size.height as u32, size.width as u32);
    // Scaled first, as there is less to turn then.
    let wanted = if turns(orientation) { (height, width) } else { (width, height) };
    let mut scaled = match over_white(picture) {
        DynamicImage::ImageLuma8(grey) => DynamicImage::from(scale::<_, U8>(grey, wanted)?),
        picture => DynamicImage::from(scale::<_, U8x3>(picture.into_rgb8(), wanted)?),
    };
    scaled.apply_orientation(orientation);
    let rgb = scaled.into_rgb8().into_raw();
    let is_grey = rgb.chunks_exact(3).all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]);
    Ok(Row { rgb, is_grey })
}

fn decoder(format: ImageFormat, bytes: &[u8]) -> Result<impl ImageDecoder, Why> {
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MOST_SIDE), Some(MOST_SIDE));
    limits.max_alloc = Some(MOST_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(why)?;
    let (width, height) = decoder.dimensions();
    if decoder.total_bytes() > MOST_BYTES {
        return Err(format!("is too large: {width}x{height} pixels take more than {} MiB", MOST_BYTES >> 20));
    }
    if width == 0 || height == 0 {
        return Err("has no pixels".to_owned());
    }
    Ok(decoder)
}

/// How the picture lies in the file. What cannot be understood is left as it is.
fn orientation(decoder: &mut impl ImageDecoder) -> Orientation {
    decoder.orientation().unwrap_or(Orientation::NoTransforms)
}

/// Whether height and width change places.
fn turns(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

/// Eight bits a channel, grey or red, green and blue, with white behind what is transparent.
fn over_white(picture: DynamicImage) -> DynamicImage {
    let over = |value: u8, alpha: u8| {
        let (value, alpha) = (u32::from(value), u32::from(alpha));
        ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    };
    match (picture.color().has_color(), picture.color().has_alpha()) {
        (false, false) => picture.into_luma8().into(),
        (true, false) => picture.into_rgb8().into(),
        (false, true) => {
            let picture = picture.into_luma_alpha8();
            GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
                let [grey, alpha] = picture.get_pixel(x, y).0;
                image::Luma([over(grey, alpha)])
            })
            .into()
        }
        (true, true) => {
            let picture = picture.into_rgba8();
            RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
                let [red, green, blue, alpha] = picture.get_pixel(x, y).0;
                image::Rgb([red, green, blue].map(|value| over(value, alpha)))
            })
            .into()
        }
    }
}

/// The largest part around the middle that has the wanted proportions, at the wanted width and height. `R` is the pixel `P` as those who
/// scale it call it.
fn scale<P, R>(picture: ImageBuffer<P, Vec<u8>>, (width, height): (u32, u32)) -> Result<ImageBuffer<P, Vec<u8>>, Why>
where
    P: Pixel<Subpixel = u8>,
    R: PixelTrait,
{
    if picture.dimensions() == (width, height) {
        return Ok(picture);
    }
    let failed = |error: &dyn std::fmt::Display| format!("cannot be scaled: {error}");
    let from = TypedImageRef::<R>::from_buffer(picture.width(), picture.height(), picture.as_raw());
    let mut scaled = ImageBuffer::new(width, height);
    let to = TypedImage::<R>::from_buffer(width, height, &mut scaled);
    let (from, mut to) = (from.map_err(|e| failed(&e))?, to.map_err(|e| failed(&e))?);
    let options = ResizeOptions::new().fit_into_destination(Some((0.5, 0.5)));
    Resizer::new().resize_typed(&from, &mut to, &options).map_err(|e| failed(&e))?;
    Ok(scaled)
}

/// What a decoder says, as the end of a sentence.
fn why(error: ImageError) -> Why {
    match error {
        ImageError::Limits(_) => {
            format!("is too large: a picture may have {MOST_SIDE} pixels on a side, and take {} MiB", MOST_BYTES >> 20)
        }
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => "is truncated".to_owned(),
        ImageError::Unsupported(error) => format!("is of a kind that is not read: {error}"),
        error => format!("is damaged: {error}"),
    }
}
