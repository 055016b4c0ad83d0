//! Whether the prior and the posteriors agree: codes drawn from one beside codes drawn from the others, in the same axes.
//!
//! The ELBO is highest where the posteriors of all examples together, the aggregate posterior, are the prior. Where the
//! prior has mass that the posteriors do not reach, samples of the model come from codes that the decoder never saw.

use std::path::Path;

use super::axes::Axis;
use super::latent_map::{check, finite, over, strip};
use super::palette::INK;
use super::plane::{Plane, Span, on_one_scale};
use super::scatter::{Colours, Scatter, save_side_by_side};
use crate::error::Result;

/// Saves codes drawn from the prior beside codes drawn from the posteriors of examples, each `[n, latent]`, as a PNG.
///
/// Two latent dimensions are drawn as they are; of more, the two principal axes of the posteriors' codes; one becomes a
/// strip. Both sides have the same axes, which show all but a few in a thousand of the codes. `labels` colour the
/// posteriors' codes as in [`super::save_latent_map`]. Codes that are not shown are counted in the picture.
///
/// # Errors
/// When there are not whole rows, not one label for each of the posteriors' codes, or the file cannot be written.
pub fn save_prior_map(
    path: &Path,
    prior: &[f32],
    posterior: &[f32],
    latent: usize,
    labels: Option<(&[u32], &[String])>,
) -> Result<()> {
    check(prior, latent, None)?;
    check(posterior, latent, labels)?;
    let (from_prior, _) = finite(prior, latent, None);
    let (from_posterior, labels) = finite(posterior, latent, labels);
    let broken = [prior.len() / latent - from_prior.len(), posterior.len() / latent - from_posterior.len()];
    let mut sides = match latent {
        1 => [strip(&from_prior, None), strip(&from_posterior, labels)],
        _ => {
            let plane = Plane::of(&from_posterior, latent)?;
            [over(&plane, &from_prior, None), over(&plane, &from_posterior, labels)]
        }
    };
    share_axes(&mut sides, latent);
    sides[0].colours = Colours::One(INK);
    let titles = ["Codes drawn from the prior p(z)", "Codes drawn from the posterior q(z|x), one for each row of data"];
    for ((side, title), broken) in sides.iter_mut().zip(titles).zip(broken) {
        side.title = title.to_owned();
        side.note = match (side.points.len(), side.crop()) {
            (_, 0) => String::new(),
            (count, outside) => format!("{outside} of {count} lie outside"),
        };
        if broken > 0 {
            side.warning = format!("{broken} are not finite and not drawn");
        }
    }
    let [left, right] = &sides;
    save_side_by_side(path, &[left, right])
}

/// Gives both sides the axes in which nearly all of both is seen.
fn share_axes(sides: &mut [Scatter; 2], latent: usize) {
    let along = |i: usize| Span::of_most(sides.iter().flat_map(|side| side.points.iter().map(move |point| point[i])));
    let spans = [along(0), along(1)];
    for side in sides {
        if latent == 1 {
            // Upwards each side has the bands of its classes.
            side.x = Axis::new(side.x.name.as_str(), spans[0].range, 8);
        } else {
            let names = [&side.x, &side.y].map(|axis| axis.name.clone());
            [side.x, side.y] = on_one_scale(names, spans);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::palette::{Rgb, class};
    use super::*;

    /// Where a frame begins on either side, and how large it is.
    const FRAMES: [u32; 2] = [78, 800];
    const SIDE: u32 = 620;

    fn saved(prior: &[f32], posterior: &[f32], latent: usize, labels: Option<(&[u32], &[String])>) -> image::RgbImage {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prior.png");
        save_prior_map(&path, prior, posterior, latent, labels).unwrap();
        image::open(&path).unwrap().to_rgb8()
    }

    /// How many pixels in a side's frame are nearly of a colour, and their mean place as shares of the frame.
    fn blot(picture: &image::RgbImage, side: usize, wanted: Rgb) -> (usize, f64, f64) {
        let near = |pixel: [u8; 3]| (0..3).all(|i| pixel[i].abs_diff(wanted[i]) < 45);
        let inside = |x: u32, y: u32| (FRAMES[side]..FRAMES[side] + SIDE).contains(&x) && (52..52 + SIDE).contains(&y);
        let share = |at: u32, first: u32| f64::from(at - first) / f64::from(SIDE);
        let found: Vec<(f64, f64)> = picture
            .enumerate_pixels()
            .filter(|(x, y, pixel)| inside(*x, *y) && near(pixel.0))
            .map(|(x, y, _)| (share(x, FRAMES[side]), share(y, 52)))
            .collect();
        let n = found.len().max(1) as f64;
        let sum = found.iter().fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
        (found.len(), sum.0 / n, sum.1 / n)
    }

    #[test]
    fn both_sides_have_their_codes_in_the_same_axes() {
        let names = ["a".to_owned(), "b".to_owned()];
        let labels: (&[u32], &[String]) = (&[0, 1], &names);
        // The prior lies in the lower left of what both span, the posterior's codes in the other corners.
        let (prior, posterior) = ([-1.0, -1.0], [1.0, 1.0, 1.0, -1.0]);
        let picture = saved(&prior, &posterior, 2, Some(labels));
        let left = blot(&picture, 0, INK);
        assert!(left.0 > 30 && left.1 < 0.1 && left.2 > 0.9, "{left:?}");
        let [a, b] = [0, 1].map(|label| blot(&picture, 1, class(label)));
        assert!(a.0 > 30 && a.1 > 0.9 && a.2 < 0.1, "{a:?}");
        assert!(b.0 > 30 && b.1 > 0.9 && b.2 > 0.9, "{b:?}");
        assert!(blot(&picture, 1, INK).0 == 0 && blot(&picture, 0, class(1)).0 == 0, "each on its side");
        // Exchanged, the other side of the picture shows the other corners.
        let exchanged = saved(&posterior, &prior, 2, None);
        assert!(blot(&exchanged, 0, INK).1 > 0.9 && blot(&exchanged, 1, class(0)).1 < 0.1);
    }

    #[test]
    fn more_dimensions_are_seen_along_the_axes_of_the_posterior() {
        // The posterior's codes spread along the last dimension, then the first; the prior's along the second, which is
        // not seen: all of them fall on one place.
        let posterior: Vec<f32> = (0..300).flat_map(|i| [(i % 15) as f32, 0.0, 3.0 * (i / 15) as f32]).collect();
        let prior: Vec<f32> = (0..300).flat_map(|i| [0.0, i as f32, 0.0]).collect();
        let picture = saved(&prior, &posterior, 3, None);
        let (left, right) = (blot(&picture, 0, INK), blot(&picture, 1, class(0)));
        assert!((10..200).contains(&left.0) && left.1 < 0.1, "{left:?}");
        assert!(right.0 > 2000 && (right.1 - 0.5).abs() < 0.05 && (right.2 - 0.5).abs() < 0.05, "{right:?}");
        // Along the last dimension it is seen.
        let seen: Vec<f32> = (0..300).flat_map(|i| [0.0, 0.0, i as f32 / 5.0]).collect();
        assert!(blot(&saved(&seen, &posterior, 3, None), 0, INK).0 > 1000);
    }

    #[test]
    fn any_codes_give_a_picture() {
        let cloud: Vec<f32> = (0..600).map(|i| (i as f32 * 0.7).sin()).collect();
        for latent in [1, 2, 5] {
            for other in [&cloud[..], &[][..], &[f32::NAN; 60], &[3.0; 120], &[f32::MAX; 60], &[f32::MIN; 60]] {
                saved(&cloud, other, latent, None);
                saved(other, &cloud, latent, None);
                let labels: Vec<u32> = (0..(other.len() / latent) as u32).map(|i| i % 30).collect();
                saved(&cloud, other, latent, Some((&labels, &[])));
            }
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let nowhere = Path::new("never-written.png");
        assert!(save_prior_map(nowhere, &[0.0; 3], &[0.0; 4], 2, None).is_err());
        assert!(save_prior_map(nowhere, &[0.0; 4], &[0.0; 3], 2, None).is_err());
        assert!(save_prior_map(nowhere, &[0.0; 4], &[0.0; 4], 2, Some((&[0], &[]))).is_err());
        assert!(!nowhere.exists());
    }
}
