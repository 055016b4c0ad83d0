//! How badly rows are rebuilt against how much their codes say, for several weights of the KL term.

use std::path::Path;

use plotters::prelude::{Circle, PathElement};
use plotters::style::Color;

use super::axes::{Axis, frame, padded};
use super::palette::{INK, MUTED, class};
use super::plot::{colour, px, save_plot, width_of, write_text};
use crate::error::Result;

/// Saves rate against distortion (Alemi et al. 2018) as a PNG: a dot for each run, those of a name in one colour, and a line through the
/// means of names. Both are in nats per row: the rate KL(q(z | x) ‖ p(z)), the distortion the reconstruction term −ln p(x | z). What is not
/// finite is left out.
///
/// # Errors
/// When the file cannot be written.
pub fn save_rate_distortion(path: &Path, names: &[(String, Vec<[f64; 2]>)]) -> Result<()> {
    let finite = |points: &Vec<[f64; 2]>| -> Vec<[f64; 2]> {
        points.iter().copied().filter(|point| point.iter().all(|value| value.is_finite())).collect()
    };
    let names: Vec<(&str, Vec<[f64; 2]>)> =
        names.iter().map(|(name, points)| (name.as_str(), finite(points))).collect();
    let all = || names.iter().flat_map(|(_, points)| points.iter().copied());
    let x = Axis::new("rate: KL(q(z|x) ‖ p(z)) in nats", padded(all().map(|point| point[0])), 8);
    let y = Axis::new("distortion: reconstruction term in nats", padded(all().map(|point| point[1])), 7);
    let mean = |points: &[[f64; 2]]| {
        let of = |axis: usize| points.iter().map(|point| point[axis]).sum::<f64>() / points.len() as f64;
        (of(0), of(1))
    };
    let mut means: Vec<(f64, f64)> =
        names.iter().filter(|(_, all)| !all.is_empty()).map(|(_, all)| mean(all)).collect();
    means.sort_by(|a, b| a.0.total_cmp(&b.0));
    let widest = names.iter().map(|(name, _)| width_of(name, 14) / px(1)).max().unwrap_or(0);
    save_plot(path, (760 + widest as u32, 520), |sheet| {
        write_text(sheet, "Rate and distortion of held-out rows", 17, INK, (px(16), px(22)))?;
        let right = widest + 48;
        let mut chart = frame(sheet, (46, right), (72, 46), &x, &y)?;
        chart.draw_series(
            means.windows(2).map(|pair| PathElement::new(pair.to_vec(), colour(MUTED).stroke_width(px(1) as u32))),
        )?;
        for (index, (_, points)) in names.iter().enumerate() {
            let dot = |point: &[f64; 2]| Circle::new((point[0], point[1]), px(5), colour(class(index)).filled());
            chart.draw_series(points.iter().map(dot))?;
        }
        let left = sheet.dim_in_pixel().0 as i32 - px(right - 18);
        names.iter().enumerate().try_for_each(|(index, (name, _))| {
            let middle = px(58 + 24 * index as i32);
            sheet.draw(&Circle::new((left, middle), px(5), colour(class(index)).filled()))?;
            write_text(sheet, name, 14, INK, (left + px(14), middle))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_has_a_dot_of_its_colour() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plot.png");
        let names = [
            ("first".to_string(), vec![[1.0, 90.0], [2.0, 91.0]]),
            ("second".to_string(), vec![[20.0, 50.0], [f64::NAN, 1.0]]),
        ];
        let dots = |names: &[(String, Vec<[f64; 2]>)], index: usize| {
            save_rate_distortion(&path, names).unwrap();
            let picture = image::open(&path).unwrap().to_rgb8();
            picture.pixels().filter(|pixel| pixel.0 == class(index)).count()
        };
        // With the one in the key: three of the first, two of the second.
        let [first, second] = [0, 1].map(|index| dots(&names, index));
        assert!(first > 150 && (first as f64 / second as f64 - 1.5).abs() < 0.2, "{first} {second}");
        assert_eq!(dots(&names[..1], 1), 0);
        save_rate_distortion(&path, &[]).unwrap();
    }
}
