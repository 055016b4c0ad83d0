//! Which settings rows want that nobody has chosen any for.

use super::preset::convolutions;
use super::{Binarise, Config, Preset};
use crate::catalogue::Spec;
use crate::data::{Dataset, Shape, Splits};

/// Steps of the optimiser that a run takes, about; fewer epochs of many rows, more of few.
const STEPS: usize = 8_000;
/// Epochs that it takes whatever the number of rows.
const EPOCHS: (usize, usize) = (10, 300);
/// The part of a run over which the weight of the KL term grows, one in so many.
const WARM_UP: usize = 5;
/// Batches of data with fewer rows than this are small: so few would otherwise be moved by too few steps.
const SMALL: (usize, usize) = (10_000, 32);
/// Few rows are soon learnt by heart: where some are held out for validation, such a run ends when those have become no better over
/// this part of it, one in so many, and keeps the weights of the best epoch.
const PATIENCE: usize = 4;
/// Grey and colour pictures of so many pixels along each axis, or more, are learnt by convolutions. Smaller ones and drawings, which
/// have few shades, are learnt as well and sooner by a multilayer perceptron.
const LARGE: usize = 28;
/// Rows that are looked at to see whether a picture is a drawing.
const LOOKED_AT: usize = 1_000;
/// The share of values that are nearly 0 or 1 in drawings, and what is near.
const DRAWN: (f64, f32) = (0.8, 0.1);

/// A preset that was chosen by what the rows are, and how long such a run should take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The preset.
    pub preset: Preset,
    /// What it is chosen for, as in "grey pictures".
    pub why: &'static str,
    /// Whether the pictures are learnt by convolutions, whatever network the preset has.
    pub is_convolved: bool,
    /// Whether their channels are scaled to standard deviation 1, so that a spread that is learnt begins there.
    pub is_scaled: bool,
    /// Passes over the rows.
    pub epochs: usize,
    /// Rows per step.
    pub batch: usize,
    /// Epochs without a better loss of the validation rows after which the run ends.
    pub patience: Option<usize>,
}

impl Chosen {
    /// What the training rows want, drawn black and white or as they are, scaled if that was asked for.
    pub fn for_rows(splits: &Splits, binarise: Binarise, is_scaled: bool) -> Chosen {
        let data = &splits.train;
        let shape = data.shape();
        let (preset, why) = match () {
            () if data.schema.is_table() => (Preset::Table, "lines of a table"),
            () if !shape.is_picture() => (Preset::Vectors, "vectors"),
            () if shape.channels != 1 => (Preset::Colour, "colour pictures"),
            () if binarise == Binarise::Dynamic || is_drawn(data) => {
                (Preset::Drawings, "pictures nearly black and white")
            }
            () => (Preset::Grey, "grey pictures"),
        };
        let usual = preset.config().training.batch;
        let is_small = data.rows < SMALL.0;
        let batch = if is_small { SMALL.1 } else { usual };
        let epochs = (STEPS * batch).div_ceil(data.rows.max(1)).clamp(EPOCHS.0, EPOCHS.1);
        let patience = (is_small && splits.validation.is_some()).then_some(epochs / PATIENCE);
        let Shape { height, width, .. } = shape;
        let is_convolved = matches!(preset, Preset::Grey | Preset::Colour) && height.min(width) >= LARGE;
        Chosen { preset, why, is_convolved, is_scaled, epochs, batch, patience }
    }

    /// Its settings.
    pub fn config(&self) -> Config {
        let mut config = self.preset.config();
        (config.training.epochs, config.training.batch) = (self.epochs, self.batch);
        config.training.patience = self.patience;
        if self.is_convolved {
            config.model.encoder = convolutions();
        }
        if self.is_scaled && config.model.likelihood.id == "gaussian-shared" {
            // Its usual start is 1.
            config.model.likelihood = Spec::new("gaussian-shared");
        }
        if config.training.kl_warmup_epochs > 0 {
            config.training.kl_warmup_epochs = self.epochs / WARM_UP;
        }
        config
    }
}

impl Chosen {
    /// Puts a likelihood for what a model learns in place of the one that was chosen for densities, where nobody gave another: what
    /// minimises an error has a squared one, and what plays a game has a mean alone, which is held to the range of pictures.
    pub fn fit_likelihood(&self, config: &mut Config) {
        if config.model.likelihood != self.config().model.likelihood {
            return;
        }
        let kind = &config.model.kind;
        let is_drawn = self.preset == Preset::Drawings;
        let is_picture = is_drawn || matches!(self.preset, Preset::Grey | Preset::Colour);
        let fitting = match kind.training {
            Some(_) => (is_picture && !self.is_scaled).then_some("bernoulli"),
            None => (!kind.is_variational && !is_drawn && self.preset != Preset::Table).then_some("gaussian"),
        };
        if let Some(likelihood) = fitting {
            config.model.likelihood = Spec::new(likelihood);
        }
    }
}

/// Whether nearly all values of a picture are nearly 0 or nearly 1.
fn is_drawn(data: &Dataset) -> bool {
    let (share, near) = DRAWN;
    let step = data.rows.div_ceil(LOOKED_AT).max(1);
    let (mut drawn, mut all) = (0_usize, 0_usize);
    for row in (0..data.rows).step_by(step) {
        let values = data.row(row);
        let is_near = |value: &&f32| (-near..=near).contains(*value) || (1.0 - near..=1.0 + near).contains(*value);
        drawn += values.iter().filter(is_near).count();
        all += values.len();
    }
    drawn as f64 >= share * all as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Origin, Shape, Values};

    fn splits(train: Dataset, validation: Option<Dataset>) -> Splits {
        Splits { train, validation, test: None, origin: Origin::default() }
    }

    fn rows(shape: Shape, rows: usize, value: impl Fn(usize) -> f32) -> Dataset {
        Dataset::new("some", Values::Floats((0..rows * shape.features()).map(value).collect()), shape).unwrap()
    }

    fn chosen(shape: Shape, count: usize, value: impl Fn(usize) -> f32) -> Chosen {
        Chosen::for_rows(&splits(rows(shape, count, value), None), Binarise::Never, false)
    }

    fn picture(channels: usize) -> Shape {
        Shape { height: 5, width: 2, channels }
    }

    #[test]
    fn rows_decide() {
        // Eight values of ten near an end make a drawing, seven do not.
        let inked = |dark: usize| move |i: usize| if i % 10 < dark { 0.95 } else { 0.5 };
        assert_eq!(chosen(picture(1), 100, inked(8)).preset, Preset::Drawings);
        assert_eq!(chosen(picture(1), 100, inked(7)).preset, Preset::Grey);
        assert_eq!(chosen(picture(3), 100, inked(8)).preset, Preset::Colour);
        assert_eq!(chosen(Shape::vector(4), 100, inked(8)).preset, Preset::Vectors);
        // What training draws black and white needs probabilities of black and white.
        let grey = splits(rows(picture(1), 4, |_| 0.5), None);
        assert_eq!(Chosen::for_rows(&grey, Binarise::Dynamic, false).preset, Preset::Drawings);
        assert_eq!(Chosen::for_rows(&grey, Binarise::Never, false).preset, Preset::Grey);
    }

    #[test]
    fn a_spread_begins_at_the_size_of_what_is_learnt() {
        let start = |is_scaled: bool| {
            let splits = splits(rows(picture(3), 4, |_| 0.5), None);
            let likelihood = Chosen::for_rows(&splits, Binarise::Never, is_scaled).config().model.likelihood;
            likelihood.to_string()
        };
        assert_eq!([false, true].map(start), ["gaussian-shared:start=0.2", "gaussian-shared"]);
    }

    #[test]
    fn large_pictures_are_convolved() {
        let network = |shape: Shape, ink: usize| {
            let value = move |i: usize| if i % 10 < ink { 0.95 } else { 0.5 };
            chosen(shape, 2, value).config().model.encoder.id
        };
        let shape = |height, width, channels| Shape { height, width, channels };
        assert_eq!([shape(28, 28, 3), shape(90, 28, 4), shape(28, 40, 1)].map(|shape| network(shape, 0)), ["conv"; 3]);
        let small = [shape(27, 28, 3), shape(64, 27, 1), Shape::vector(5000)];
        assert_eq!(small.map(|shape| network(shape, 0)), ["mlp"; 3]);
        assert_eq!(network(shape(28, 28, 1), 10), "mlp", "a drawing");
    }

    #[test]
    fn runs_take_about_as_many_steps_and_warm_up_within_them() {
        // 8,000 steps of 32 rows are 256,000 rows, and of 128 rows 1,024,000.
        for (rows, batch, epochs) in
            [(100, 32, 300), (2_560, 32, 100), (10_240, 128, 100), (60_000, 128, 18), (200_000, 128, 10)]
        {
            let chosen = chosen(Shape::vector(1), rows, |_| 0.5);
            assert_eq!((chosen.batch, chosen.epochs), (batch, epochs), "{rows}");
            let config = chosen.config();
            assert_eq!((config.training.epochs, config.training.kl_warmup_epochs), (epochs, epochs / 5));
            config.validate().unwrap();
        }
    }

    #[test]
    fn what_few_rows_teach_is_watched_where_some_are_held_out() {
        let vector = Shape::vector(1);
        let patience = |count: usize, held_out: Option<Dataset>| {
            let chosen = Chosen::for_rows(&splits(rows(vector, count, |_| 0.5), held_out), Binarise::Never, false);
            assert_eq!(chosen.config().training.patience, chosen.patience);
            chosen.patience
        };
        let held_out = || Some(rows(vector, 10, |_| 0.5));
        assert_eq!(
            (patience(2_560, held_out()), patience(2_560, None), patience(10_000, held_out())),
            (Some(25), None, None)
        );
    }
}
