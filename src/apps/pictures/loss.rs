//! Loss curves: the negative ELBO of every split, and beside it the two terms it is made of.

use std::path::Path;

use super::curves::{Curve, panel};
use super::palette::{Rgb, class};
use super::plot::{px, save_plot};
use crate::distributions::Measure;
use crate::error::Result;
use crate::training::metrics::{EpochRecord, Split};

/// The figures of one epoch and split, in nats per example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochPoint {
    /// Epochs finished; the first is 1.
    pub epoch: u64,
    /// Which part of the data.
    pub split: Split,
    /// What was minimised.
    pub loss: f64,
    /// The evidence lower bound.
    pub elbo: f64,
    /// Mean negative log-likelihood.
    pub reconstruction: f64,
    /// KL divergence, unweighted.
    pub kl: f64,
    /// The weight of the KL in the loss, where it is known.
    pub beta: Option<f64>,
}

impl From<&EpochRecord> for EpochPoint {
    fn from(record: &EpochRecord) -> EpochPoint {
        EpochPoint {
            epoch: record.epoch,
            split: record.split,
            loss: record.loss,
            elbo: record.elbo,
            reconstruction: record.reconstruction,
            kl: record.kl,
            beta: record.beta,
        }
    }
}

/// Saves the loss curves of a run as a PNG. Of a variational model: on the left the negative ELBO of each split, on the right the
/// reconstruction term and the KL of each, and below them the weight of the KL where it changed. Of another model: its loss. `measure`
/// says what the reconstruction term is.
///
/// Values that are not finite are left out, and the picture says how many. A few early or wild values do not squeeze the
/// rest: the axis follows the bulk, and curves run out of the frame.
///
/// # Errors
/// When the file cannot be written.
pub fn save_loss(path: &Path, history: &[EpochPoint], measure: Measure, variational: bool) -> Result<()> {
    let mut history = history.to_vec();
    history.sort_by_key(|point| point.epoch);
    let curve = |split: Split, name: String, ink: Rgb, value: fn(&EpochPoint) -> f64| Curve {
        name,
        ink,
        points: history
            .iter()
            .filter(|point| point.split == split)
            .map(|point| (point.epoch as f64, value(point)))
            .collect(),
    };
    let splits = [Split::Train, Split::Validation, Split::Test];
    let of_each = |named: bool, value: fn(&EpochPoint) -> f64| -> Vec<Curve> {
        let curves = splits.into_iter().zip([class(0), class(2), class(1)]);
        let name = |split: Split| if named { split.to_string() } else { String::new() };
        let curves = curves.map(|(split, ink)| curve(split, name(split), ink, value));
        curves.filter(|curve| !curve.points.is_empty()).collect()
    };
    let totals = of_each(true, if variational { |point| -point.elbo } else { |point| point.loss });
    // The colours are those of the panel on the left, which names them.
    let (reconstruction, kl) = (of_each(false, |point| point.reconstruction), of_each(false, |point| point.kl));
    let trained = history.iter().filter(|point| point.split == Split::Train);
    let weights: Vec<(f64, f64)> = trained.filter_map(|point| Some((point.epoch as f64, point.beta?))).collect();
    let warms_up = variational && weights.windows(2).any(|pair| pair[0].1 != pair[1].1);
    let weight = Curve { name: String::new(), ink: class(4), points: weights };

    let (unit, measure) = (measure.unit(), measure.to_string());
    let height = if warms_up { 640 } else { 460 };
    save_plot(path, (1120, height), |sheet| {
        if !variational {
            return panel(sheet, (&format!("Loss: {measure}"), unit), &totals, 7);
        }
        let (left, right) = sheet.split_horizontally(px(600));
        let (above, below) = right.split_vertically(px(222));
        let (below, last) = below.split_vertically(px(if warms_up { 222 } else { 238 }));
        panel(&left, ("Negative ELBO", unit), &totals, 7)?;
        panel(&above, (&format!("Reconstruction, {measure}"), unit), &reconstruction, 5)?;
        panel(&below, ("KL(q(z|x) ‖ p(z))", unit), &kl, 5)?;
        if warms_up {
            panel(&last, ("Weight of the KL in the loss", "β"), &[weight], 3)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(epochs: u64, elbo: impl Fn(u64) -> f64) -> Vec<EpochPoint> {
        (1..=epochs)
            .flat_map(|epoch| {
                [Split::Train, Split::Test].map(|split| EpochPoint {
                    epoch,
                    split,
                    loss: -elbo(epoch),
                    elbo: elbo(epoch),
                    reconstruction: -elbo(epoch) - 25.0,
                    kl: 25.0,
                    beta: None,
                })
            })
            .collect()
    }

    #[test]
    fn any_history_gives_a_picture() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loss.png");
        let wild = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 0.0, 5e-324];
        for (epochs, elbo) in [
            (0, Box::new(|_| 0.0) as Box<dyn Fn(u64) -> f64>),
            (1, Box::new(|_| -105.6)),
            (3, Box::new(|_| 0.0)),
            (2, Box::new(|_| f64::NAN)),
            (14, Box::new(move |epoch| wild[epoch as usize % 7])),
            (1000, Box::new(|epoch| -100.0 - 400.0 / epoch as f64)),
        ] {
            let history = history(epochs, elbo);
            for (measure, variational) in [(Measure::CrossEntropy, true), (Measure::SquaredError, false)] {
                save_loss(&path, &history, measure, variational).unwrap();
                assert_eq!(image::image_dimensions(&path).unwrap(), (1120, 460));
            }
        }
        // While the weight of the KL grows there is a panel more.
        let mut warm = history(4, |_| -1.0);
        warm.iter_mut().for_each(|point| point.beta = Some(point.epoch as f64 / 4.0));
        save_loss(&path, &warm, Measure::CrossEntropy, true).unwrap();
        assert_eq!(image::image_dimensions(&path).unwrap(), (1120, 640));
        let far = EpochPoint { epoch: u64::MAX, ..history(1, |_| -1.0)[0] };
        save_loss(&path, &[far], Measure::Density, true).unwrap();
    }
}
