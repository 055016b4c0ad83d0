//! What becomes of the pixels of one picture.

use super::*;

/// The colours of the left and of the right half of a picture that another program wrote.
fn halves(name: &str) -> [[u8; 3]; 2] {
    let bytes = fs::read(fixtures().join(name)).unwrap();
    let format = name::format(name.as_bytes(), &bytes).unwrap();
    assert_eq!(decode::size(format, &bytes), Ok((8, 16)), "{name}");
    let row = decode::row(format, &bytes, PictureSize { height: 8, width: 16 }).unwrap();
    let at = |x: usize| [0, 1, 2].map(|channel| row.rgb[(4 * 16 + x) * 3 + channel]);
    [at(2), at(13)]
}

#[test]
fn pictures_of_another_program_are_what_they_were_meant_to_be() {
    let white = [255; 3];
    // Half of red over white: (200·128 + 255·127) / 255, and likewise of 40.
    let pink = [227, 147, 147];
    for (name, left, right, tolerance) in [
        ("halves.bmp", RED, BLUE, 0),
        ("halves.tga", RED, BLUE, 0),
        ("frames.gif", RED, BLUE, 0),
        ("palette_transparent.png", RED, white, 0),
        ("alpha.png", pink, white, 0),
        ("alpha.webp", pink, white, 0),
        // 40·51/255 + 255·204/255
        ("grey_alpha.png", [40; 3], [212; 3], 0),
        ("sixteen_bit.png", [40; 3], [200; 3], 0),
        ("sixteen_bit.tif", [40; 3], [200; 3], 0),
        ("one_bit.png", [0; 3], white, 0),
        ("progressive.jpg", RED, BLUE, 3),
        ("cmyk.jpg", RED, BLUE, 3),
        ("orientation_6.jpg", RED, BLUE, 3),
        ("orientation_2.jpg", RED, BLUE, 3),
    ] {
        for (found, expected) in halves(name).iter().zip([left, right]) {
            let off = found.iter().zip(expected).map(|(&a, b)| a.abs_diff(b)).max().unwrap();
            assert!(off <= tolerance, "{name}: {found:?} for {expected:?}");
        }
    }
}

#[test]
fn all_formats_are_read() {
    for format in [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::WebP,
        ImageFormat::Gif,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
        ImageFormat::Pnm,
        ImageFormat::Qoi,
        ImageFormat::Tga,
    ] {
        let bytes = plain(format, (5, 3), RED);
        let row = decode::row(format, &bytes, PictureSize { height: 3, width: 5 }).unwrap();
        assert!(row.rgb.iter().zip(RED.iter().cycle()).all(|(a, b)| a.abs_diff(*b) <= 3), "{format:?}");
        assert!(!row.is_grey);
        assert!(
            decode::row(format, &plain(format, (5, 3), [9; 3]), PictureSize::square(4)).unwrap().is_grey,
            "{format:?}"
        );
    }
    // Farbfeld has 16 bits and an alpha.
    let pixel = [0xc8c8u16, 0x2828, 0x2828, 0xffff].map(u16::to_be_bytes).concat();
    let bytes = [b"farbfeld".to_vec(), 1u32.to_be_bytes().to_vec(), 1u32.to_be_bytes().to_vec(), pixel].concat();
    assert_eq!(decode::row(ImageFormat::Farbfeld, &bytes, PictureSize::square(1)).unwrap().rgb, RED);
}

#[test]
fn the_middle_is_kept() {
    // Red, green and blue squares side by side; on end, with green in the middle as well.
    let colours = [RED, [40, 200, 40], BLUE];
    for lying in [true, false] {
        let (width, height) = if lying { (30, 10) } else { (10, 30) };
        let at = |x, y| image::Rgb(colours[if lying { x } else { y } as usize / 10]);
        let mut bytes = std::io::Cursor::new(Vec::new());
        RgbImage::from_fn(width, height, at).write_to(&mut bytes, ImageFormat::Png).unwrap();
        let row = decode::row(ImageFormat::Png, bytes.get_ref(), PictureSize::square(10)).unwrap();
        assert!(row.rgb.chunks(3).all(|pixel| pixel == colours[1]), "{:?}", row.rgb);
        // A third of it at half the size keeps the middle of all three.
        let (width, height) = if lying { (15, 5) } else { (5, 15) };
        let row = decode::row(ImageFormat::Png, bytes.get_ref(), PictureSize { height, width }).unwrap();
        assert_eq!((&row.rgb[..3], &row.rgb[row.rgb.len() - 3..]), (&RED[..], &BLUE[..]));
    }
}

/// One line of pixels scaled by the formula, in f64; `kernel` has the radius `support`.
fn scaled(line: &[u8], to: usize, support: f64, kernel: impl Fn(f64) -> f64) -> Vec<f64> {
    let scale = line.len() as f64 / to as f64;
    let stretch = scale.max(1.0);
    (0..to)
        .map(|i| {
            let centre = (i as f64 + 0.5) * scale;
            let weights = line.iter().enumerate().map(|(j, &value)| {
                let x = (j as f64 + 0.5 - centre) / stretch;
                (if x.abs() < support { kernel(x) } else { 0.0 }, f64::from(value))
            });
            let (sum, all) =
                weights.fold((0.0, 0.0), |(sum, all), (weight, value)| (sum + weight * value, all + weight));
            (sum / all).clamp(0.0, 255.0)
        })
        .collect()
}

fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) };
    sinc(x) * sinc(x / 3.0)
}

#[test]
fn scaling_is_that_of_the_formula() {
    let line: Vec<u8> = (0..24).map(|i| if i % 7 < 3 { 210 - 3 * i } else { 30 + 2 * i }).collect();
    let picture = image::GrayImage::from_fn(24, 24, |x, _| image::Luma([line[x as usize]]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    for to in [5, 12, 23, 40] {
        let row = decode::row(ImageFormat::Png, bytes.get_ref(), PictureSize::square(to)).unwrap();
        let found: Vec<f64> = row.rgb.chunks(3).take(to).map(|pixel| f64::from(pixel[0])).collect();
        let off = |expected: Vec<f64>| found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off(scaled(&line, to, 3.0, lanczos)) <= 1.0, "{to}: {found:?}");
        // Bilinear weights would be noticed.
        assert!(off(scaled(&line, to, 1.0, |x| 1.0 - x.abs())) > 3.0, "{to}");
    }
}

#[test]
fn a_picture_of_the_size_keeps_its_pixels() {
    let noise = RgbImage::from_fn(7, 5, |x, y| {
        image::Rgb([(x * 91) ^ (y * 57), x * 13 + y * 211, x * y * 77].map(|v| v as u8))
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    noise.write_to(&mut bytes, ImageFormat::Png).unwrap();
    let row = decode::row(ImageFormat::Png, bytes.get_ref(), PictureSize { height: 5, width: 7 }).unwrap();
    assert_eq!(row.rgb, noise.into_raw());
}

#[test]
fn colours_become_their_luminance() {
    let mut pixels = vec![255, 0, 0, 0, 255, 0, 7, 7, 7, 255, 255, 255];
    assert_eq!(crate::data::colour::to_grey(&mut pixels), 1);
    // 0.2126 and 0.7152 of 255.
    assert_eq!(pixels, [54, 182, 7, 255]);
}

#[test]
fn bombs_are_refused_by_their_headers() {
    for (width, height) in [(60_000, 60_000), (100_000, 1), (1, u32::MAX >> 1), (30_000, 30_000)] {
        let why = decode::row(ImageFormat::Png, &claiming(width, height), PictureSize::square(8)).err().unwrap();
        assert!(why.contains("too large"), "{why}");
    }
    let why = decode::row(ImageFormat::Png, &claiming(20, 20), PictureSize::square(8)).err().unwrap();
    assert!(why.contains("truncated") || why.contains("damaged"), "{why}");
}

/// Whatever a file holds, it is a picture or it is refused: nothing panics, and nothing takes long.
#[test]
fn damage_does_no_harm() {
    let mut state = 1u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let (mut refused, mut read) = (0, 0);
    for name in fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()) {
        let whole = fs::read(fixtures().join(&name)).unwrap();
        let Some(format) = name::format(name.as_bytes(), &whole) else { continue };
        let mut attempt = |bytes: &[u8]| match decode::row(format, bytes, PictureSize::square(8)) {
            Ok(row) => {
                assert_eq!(row.rgb.len(), 8 * 8 * 3);
                read += 1;
            }
            Err(why) => {
                assert!(!why.is_empty());
                refused += 1;
            }
        };
        for end in 0..whole.len() {
            attempt(&whole[..end]);
        }
        for _ in 0..300 {
            let mut bent = whole.clone();
            for _ in 0..1 + random() % 4 {
                let at = random() % bent.len();
                bent[at] = random() as u8;
            }
            attempt(&bent);
        }
    }
    assert!(refused > 1000 && read > 100, "{refused} {read}");
}

#[test]
fn a_truncated_picture_is_none() {
    for format in
        [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Qoi]
    {
        let noise = RgbImage::from_fn(40, 40, |x, y| {
            image::Rgb([(x * 91) ^ (y * 57), x * 13 + y * 211, x * y].map(|v| v as u8))
        });
        let mut bytes = std::io::Cursor::new(Vec::new());
        noise.write_to(&mut bytes, format).unwrap();
        let whole = bytes.into_inner();
        assert!(decode::row(format, &whole, PictureSize::square(8)).is_ok());
        for part in [1, 2, 3] {
            let cut = &whole[..whole.len() * part / 4];
            assert!(decode::row(format, cut, PictureSize::square(8)).is_err(), "{part} quarters of a {format:?}");
        }
    }
}
