//! What sprites must be: their factors, their places, their number, and the same everywhere.

use std::collections::HashSet;

use super::*;

fn options(resolution: usize, count: usize) -> SpriteOptions {
    SpriteOptions { resolution, count: Some(count), ..SpriteOptions::default() }
}

/// The row of the grid with these factors.
fn row_of(factors: [usize; 5]) -> usize {
    factors.iter().zip(SIZES).fold(0, |row, (factor, size)| row * size + factor)
}

/// One grey sprite, `[resolution, resolution]`.
fn picture(factors: [usize; 5], resolution: usize) -> Vec<f32> {
    render(&[row_of(factors)], resolution, false).unwrap().row(0)
}

/// Mass, and centre of mass as `(x, y)` in pixels.
fn centre_of_mass(picture: &[f32], resolution: usize) -> (f32, f32, f32) {
    let (mut mass, mut x, mut y) = (0.0, 0.0, 0.0);
    for (i, value) in picture.iter().enumerate() {
        mass += value;
        x += value * ((i % resolution) as f32 + 0.5);
        y += value * ((i / resolution) as f32 + 0.5);
    }
    (mass, x / mass, y / mass)
}

#[test]
fn the_grid_is_in_the_order_of_dsprites() {
    assert_eq!(SIZES.iter().product::<usize>(), GRID);
    assert_eq!(factors_of(0), [0; 5]);
    assert_eq!(factors_of(1), [0, 0, 0, 0, 1]);
    assert_eq!(factors_of(32), [0, 0, 0, 1, 0]);
    assert_eq!(factors_of(1024), [0, 0, 1, 0, 0]);
    assert_eq!(factors_of(40 * 1024), [0, 1, 0, 0, 0]);
    assert_eq!(factors_of(GRID - 1), [2, 5, 39, 31, 31]);
    for row in [0, 1, 123_456, GRID - 1] {
        assert_eq!(row_of(factors_of(row).map(|factor| factor as usize)), row);
    }
}

#[test]
fn leaving_out_the_last_orientation_leaves_each_other_row_once() {
    let rows: HashSet<usize> = (0..DISTINCT).map(distinct_to_grid).collect();
    assert_eq!(rows.len(), DISTINCT);
    assert!(rows.iter().all(|&row| row < GRID && factors_of(row)[2] != 39));
}

#[test]
fn the_last_orientation_looks_like_the_first_and_no_other_does() {
    for shape in 0..3 {
        let first = picture([shape, 5, 0, 16, 16], 32);
        assert_eq!(first, picture([shape, 5, 39, 16, 16], 32));
        let sprite = |orientation| Sprite::new([shape as u32, 5, orientation, 16, 16]);
        assert_eq!(sprite(0), sprite(39));
        for orientation in 1..39 {
            assert_ne!(first, picture([shape, 5, orientation, 16, 16], 32), "{shape} {orientation}");
        }
    }
}

#[test]
fn centres_are_where_the_factors_say() {
    for shape in [0, 1] {
        for [x, y] in [[0, 0], [31, 31], [3, 20]] {
            let (_, found_x, found_y) = centre_of_mass(&picture([shape, 5, 7, x, y], 64), 64);
            assert!((found_x - (16.5 + x as f32)).abs() < 0.05, "{found_x} for {x}");
            assert!((found_y - (16.5 + y as f32)).abs() < 0.05, "{found_y} for {y}");
        }
    }
}

#[test]
fn scale_acts_on_length_so_mass_goes_with_its_square() {
    for shape in 0..3 {
        let mass = |scale| centre_of_mass(&picture([shape, scale, 3, 16, 16], 64), 64).0;
        for (scale, length) in [(0, 0.5f32), (2, 0.7), (4, 0.9)] {
            let ratio = mass(scale) / mass(5);
            assert!((ratio - length * length).abs() < 0.01, "{shape} {scale}: {ratio}");
        }
    }
}

#[test]
fn hearts_stand_upright_and_turn_counter_clockwise() {
    let symmetric = picture([2, 5, 0, 16, 16], 64);
    let (_, x, y) = centre_of_mass(&symmetric, 64);
    assert!((x - 32.5).abs() < 0.05 && y < 32.4, "the lobes are above the tip: {x} {y}");
    // A quarter turn and a little more takes the lobes from above to the left.
    let (_, x, y) = centre_of_mass(&picture([2, 5, 10, 16, 16], 64), 64);
    assert!(x < 32.4 && (y - 32.5).abs() < 0.1, "{x} {y}");
}

#[test]
fn nothing_touches_the_border() {
    for resolution in [32, 64, 65] {
        for shape in 0..3 {
            for orientation in 0..39 {
                for [x, y] in [[0, 0], [31, 31]] {
                    let drawn = picture([shape, 5, orientation, x, y], resolution);
                    let border = drawn.iter().enumerate().filter(|(i, _)| {
                        let (column, line) = (i % resolution, i / resolution);
                        [column, line].iter().any(|&at| at == 0 || at == resolution - 1)
                    });
                    assert!(border.map(|(_, value)| value).sum::<f32>() == 0.0);
                }
            }
        }
    }
}

#[test]
fn every_resolution_shows_every_sprite() {
    for resolution in [8, 9, 17, 100] {
        let pixels = (resolution * resolution) as f32;
        for shape in 0..3 {
            let (mass, _, _) = centre_of_mass(&picture([shape, 0, 5, 0, 31], resolution), resolution);
            assert!(mass / pixels > 0.02 && mass / pixels < 0.04, "{resolution} {shape}: {mass}");
        }
        let drawn = SpriteOptions { binary: true, ..options(resolution, 50) };
        let train = generate(&drawn, 0).unwrap().0;
        assert!((0..50).all(|i| train.row(i).contains(&1.0)), "{resolution}");
    }
}

#[test]
fn binary_and_grey_agree_where_grey_is_certain() {
    let rows: Vec<usize> = (0..50).map(|i| i * 14_000).collect();
    let (grey, binary) = (render(&rows, 33, false).unwrap(), render(&rows, 33, true).unwrap());
    for i in 0..rows.len() {
        for (grey, binary) in grey.row(i).iter().zip(binary.row(i)) {
            assert!((grey - binary).abs() < 0.9, "{grey} {binary}");
        }
    }
    assert!(matches!(grey.values, Values::Bytes(_)) && matches!(binary.values, Values::Bits(_)));
}

#[test]
fn train_and_test_share_no_sprite() {
    let (train, test) = generate(&options(8, 30_000), 5).unwrap();
    let test = test.unwrap();
    assert_eq!((train.rows, test.rows), (30_000, 2000));
    let rows = |data: &Dataset| -> Vec<Vec<u32>> {
        let factors = data.factors.as_ref().unwrap();
        factors.values.chunks(5).map(<[u32]>::to_vec).collect()
    };
    let mut seen: HashSet<Vec<u32>> = HashSet::new();
    assert!(rows(&train).into_iter().chain(rows(&test)).all(|row| seen.insert(row)));
    assert!(!seen.insert(rows(&test)[0].clone()), "the check notices a repetition");
}

#[test]
fn labels_are_the_shapes_and_all_factors_occur() {
    let (train, _) = generate(&options(8, 5000), 1).unwrap();
    let (labels, factors) = (train.labels.unwrap(), train.factors.unwrap());
    assert_eq!(labels.names, ["square", "ellipse", "heart"]);
    assert!(labels.values.iter().eq(factors.values.iter().step_by(5)));
    for (factor, &size) in factors.sizes.iter().enumerate() {
        let seen: HashSet<u32> = factors.values.iter().skip(factor).step_by(5).copied().collect();
        let expected = if factor == 2 { 39 } else { size };
        assert_eq!(seen.len(), expected, "{}", factors.names[factor]);
    }
}

#[test]
fn the_whole_grid_is_in_order_and_in_bits() {
    let full = SpriteOptions { resolution: 8, full: true, ..SpriteOptions::default() };
    let (grid, test) = generate(&full, 0).unwrap();
    assert_eq!((grid.rows, test), (GRID, None));
    assert_eq!(grid.values.byte_len(), GRID * 8);
    let factors = &grid.factors.as_ref().unwrap().values;
    assert_eq!(factors[5 * 123_456..][..5], factors_of(123_456));
    let alone = render(&[123_456], 8, true).unwrap();
    assert_eq!(grid.row(123_456), alone.row(0));
}

#[test]
fn the_seed_alone_decides() {
    let draw = |seed| generate(&options(8, 100), seed).unwrap();
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}

/// Pins choice and drawing: the data must not change with a machine or a new version of a library.
#[test]
fn the_pictures_are_the_same_everywhere() {
    let (train, _) = generate(&options(32, 100), 0).unwrap();
    let Values::Bytes(bytes) = &train.values else {
        panic!("grey sprites are bytes");
    };
    // FNV-1a.
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    assert_eq!(hash, PINNED, "{hash:#x}");
}

const PINNED: u64 = 0x68b4_eb8b_f224_136a;

#[test]
fn what_cannot_be_drawn_is_said() {
    let message = |options: SpriteOptions| generate(&options, 0).unwrap_err().to_string();
    for resolution in [0, 7, 1025, usize::MAX] {
        assert!(message(options(resolution, 10)).contains("8 to 1024"));
    }
    for count in [0, DISTINCT, usize::MAX] {
        assert!(message(options(32, count)).contains("718848"));
    }
    assert!(message(options(1024, 100_000)).contains("GiB"));
    let both = SpriteOptions { full: true, ..options(32, 10) };
    assert!(message(both).contains("exclude each other"));
    let huge = SpriteOptions { resolution: 512, full: true, ..SpriteOptions::default() };
    assert!(message(huge).contains("GiB"));
}
