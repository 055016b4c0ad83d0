//! The latent space seen from above: one dot for the posterior mean of each example, coloured by its label.

use std::path::Path;

use super::axes::{Axis, padded};
use super::palette::{DISTINCT_CLASSES, class};
use super::plane::{Plane, Span};
use super::scatter::{Colours, Scatter};
use crate::error::{Error, Result};

/// Names of classes are cut to this many characters.
const LONGEST_NAME: usize = 22;

/// Saves a scatter plot of posterior means, `points` = `[n, latent]`, as a PNG under a title.
///
/// Two latent dimensions are drawn as they are; of more, the two principal axes, with the share of the variance that each
/// explains; one becomes a strip. `labels` are a class number for each point and the names of the classes (a class without
/// a name goes by its number). Up to twenty classes have a colour each, more are drawn along a ramp. Points that are not
/// finite are left out, and the picture says how many.
///
/// # Errors
/// When `points` does not hold whole rows, there is not one label a point, or the file cannot be written.
pub fn save_latent_map(
    path: &Path,
    title: &str,
    (points, latent): (&[f32], usize),
    labels: Option<(&[u32], &[String])>,
) -> Result<()> {
    check(points, latent, labels)?;
    let (rows, labels) = finite(points, latent, labels);
    let (count, left_out) = (points.len() / latent, points.len() / latent - rows.len());
    let scatter = Scatter {
        title: title.to_owned(),
        warning: match left_out {
            0 => String::new(),
            n => format!("{n} of {count} points are not finite and not drawn"),
        },
        ..match latent {
            1 => strip(&rows, labels),
            _ => over(&Plane::of(&rows, latent)?, &rows, labels),
        }
    };
    scatter.save(path)
}

/// Saves points that are in a plane already as a PNG under a title, on one scale, the axes being called so; otherwise as [`save_latent_map`].
///
/// # Errors
/// As for [`save_latent_map`].
pub fn save_points(
    path: &Path,
    title: &str,
    (points, names): (&[[f64; 2]], [String; 2]),
    labels: Option<(&[u32], &[String])>,
) -> Result<()> {
    let flat: Vec<f32> = points.iter().flatten().map(|&value| value as f32).collect();
    check(&flat, 2, labels)?;
    let (rows, labels) = finite(&flat, 2, labels);
    Scatter { title: title.to_owned(), ..over(&Plane::named(names), &rows, labels) }.save(path)
}

/// The class of each point and the names of the classes, where they are known.
pub type Labels<'a> = Option<(Vec<usize>, &'a [String])>;

/// Says so if `points` are not whole rows of `latent` values, or do not have one label each.
pub(super) fn check(points: &[f32], latent: usize, labels: Option<(&[u32], &[String])>) -> Result<()> {
    if latent == 0 || !points.len().is_multiple_of(latent) {
        return Err(Error::invalid(format!(
            "cannot draw the latent space: {} values are not whole rows of {latent} latent dimensions",
            points.len()
        )));
    }
    let count = points.len() / latent;
    if let Some((labels, _)) = labels.filter(|(labels, _)| labels.len() != count) {
        return Err(Error::invalid(format!(
            "cannot colour the latent space: {count} points need {count} labels, and {} were given",
            labels.len()
        )));
    }
    Ok(())
}

/// The rows that are finite, and their labels.
pub(super) fn finite<'a, 'b>(
    points: &'a [f32],
    latent: usize,
    labels: Option<(&[u32], &'b [String])>,
) -> (Vec<&'a [f32]>, Labels<'b>) {
    let finite = |row: &[f32]| row.iter().all(|value| value.is_finite());
    let (kept, rows): (Vec<usize>, Vec<&[f32]>) =
        points.chunks_exact(latent).enumerate().filter(|(_, row)| finite(row)).unzip();
    let labels = labels.map(|(labels, names)| (kept.iter().map(|&index| labels[index] as usize).collect(), names));
    (rows, labels)
}

/// Rows in a plane, on one scale.
pub fn over(plane: &Plane, rows: &[&[f32]], labels: Labels) -> Scatter {
    let points: Vec<[f64; 2]> = rows.iter().map(|row| plane.place(row)).collect();
    let [x, y] = plane.axes([0, 1].map(|i| Span::of(points.iter().map(|point| point[i]))));
    Scatter {
        points,
        colours: colours(labels),
        x,
        y,
        title: String::new(),
        note: String::new(),
        warning: String::new(),
    }
}

/// One coordinate across; upwards the classes, each a band in which the points are spread to be seen.
pub fn strip(rows: &[&[f32]], labels: Labels) -> Scatter {
    let colours = colours(labels);
    let bands = match &colours {
        Colours::Classes(_, names) => names.len(),
        _ => 1,
    };
    let points = rows
        .iter()
        .enumerate()
        .map(|(index, row)| {
            let band = match &colours {
                Colours::Classes(of, _) => of[index],
                _ => 0,
            };
            [f64::from(row[0]), band as f64 + 0.7 * (scattered(index) - 0.5)]
        })
        .collect::<Vec<_>>();
    let ticks = match &colours {
        Colours::Classes(_, names) => {
            names.iter().enumerate().map(|(i, name)| (i as f64, name.chars().take(6).collect())).collect()
        }
        _ => Vec::new(),
    };
    let range = padded(points.iter().map(|point| point[0]));
    Scatter {
        x: Axis::new("latent dimension 1", range, 8),
        y: Axis { name: String::new(), range: (-0.6, bands as f64 - 0.4), ticks },
        points,
        colours,
        title: String::new(),
        note: String::new(),
        warning: String::new(),
    }
}

/// The fractional parts of the multiples of the golden ratio: evenly spread, and the same every time.
fn scattered(index: usize) -> f64 {
    (index as f64 * 0.618_033_988_749_894_9).fract()
}

fn colours(labels: Labels) -> Colours {
    let Some((of, names)) = labels else {
        return Colours::One(class(0));
    };
    let classes = of.iter().map(|&label| label + 1).max().unwrap_or(0);
    let name = |label: usize| match names.get(label) {
        Some(name) if name.chars().count() > LONGEST_NAME => name.chars().take(LONGEST_NAME - 1).chain(['…']).collect(),
        Some(name) => name.clone(),
        None => label.to_string(),
    };
    if classes > DISTINCT_CLASSES {
        let last = classes - 1;
        let places = of.iter().map(|&label| label as f32 / last as f32).collect();
        return Colours::Ramp(places, [name(0), name(last)]);
    }
    Colours::Classes(of, (0..classes).map(name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(points: &[f32], latent: usize, labels: Option<(&[u32], &[String])>) -> image::RgbImage {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.png");
        save_latent_map(&path, "Latent space", (points, latent), labels).unwrap();
        image::open(&path).unwrap().to_rgb8()
    }

    /// Pixels that are nearly of a class's colour, left of the key, and their mean place as shares of the frame.
    fn blot(picture: &image::RgbImage, class: usize) -> (usize, f64, f64) {
        let wanted = super::super::palette::class(class);
        let near = |pixel: [u8; 3]| (0..3).all(|i| pixel[i].abs_diff(wanted[i]) < 45);
        let found: Vec<(f64, f64)> = picture
            .enumerate_pixels()
            .filter(|(x, _, pixel)| *x < 78 + 620 && near(pixel.0))
            .map(|(x, y, _)| ((f64::from(x) - 78.0) / 620.0, (f64::from(y) - 52.0) / 620.0))
            .collect();
        let n = found.len().max(1) as f64;
        let sum = found.iter().fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
        (found.len(), sum.0 / n, sum.1 / n)
    }

    #[test]
    fn points_stand_where_they_are_in_the_colour_of_their_class() {
        let names = ["a".to_owned(), "b".to_owned()];
        let picture = saved(&[-1.0, -1.0, 1.0, 1.0], 2, Some((&[0, 1], &names)));
        let (first, second) = (blot(&picture, 0), blot(&picture, 1));
        assert!(first.0 > 30 && first.1 < 0.1 && first.2 > 0.9, "{first:?}");
        assert!(second.0 > 30 && second.1 > 0.9 && second.2 < 0.1, "{second:?}");
        // The other way round, the colours change places.
        let swapped = saved(&[-1.0, -1.0, 1.0, 1.0], 2, Some((&[1, 0], &names)));
        assert!(blot(&swapped, 0).1 > 0.9);
    }

    #[test]
    fn any_cloud_gives_a_picture() {
        let cloud: Vec<f32> = (0..600).map(|i| (i as f32 * 0.7).sin()).collect();
        for latent in [1, 2, 5] {
            for points in [&cloud[..], &cloud[..latent], &[][..], &[f32::NAN; 60], &[3.0; 120], &[f32::MAX; 60]] {
                let count = points.len() / latent;
                saved(points, latent, None);
                for classes in [10, 100] {
                    let labels: Vec<u32> = (0..count as u32).map(|i| i % classes).collect();
                    saved(points, latent, Some((&labels, &[])));
                }
            }
        }
        saved(&[1.0, 2.0], 2, Some((&[u32::MAX], &["only".to_owned()])));
    }

    #[test]
    fn a_collapsed_dimension_keeps_the_scale_of_the_other() {
        let points: Vec<[f32; 2]> = (0..50).map(|i| [0.001 * i as f32, 7.0]).collect();
        let rows: Vec<&[f32]> = points.iter().map(|point| &point[..]).collect();
        let found = over(&Plane::of(&rows, 2).unwrap(), &rows, None);
        let span = |axis: &Axis| axis.range.1 - axis.range.0;
        assert!(span(&found.x) < 0.06 && (span(&found.x) - span(&found.y)).abs() < 1e-9);
    }

    #[test]
    fn classes_have_names_and_many_classes_a_ramp() {
        let names = ["zero".to_owned(), "a name much longer than any legend can hold".to_owned()];
        let Colours::Classes(_, found) = colours(Some((vec![0, 2], &names))) else {
            panic!("expected classes");
        };
        assert_eq!(found, ["zero", "a name much longer th…", "2"]);
        assert!(matches!(colours(Some((vec![20], &[]))), Colours::Ramp(..)));
        assert!(matches!(colours(None), Colours::One(_)));
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let nowhere = Path::new("never-written.png");
        for (points, latent, labels) in [(5, 2, None), (4, 0, None), (4, 2, Some((&[0, 1, 2][..], &[][..])))] {
            assert!(save_latent_map(nowhere, "", (&vec![0.0; points], latent), labels).is_err());
        }
        assert!(!nowhere.exists());
    }
}
