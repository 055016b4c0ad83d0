//! The very deep VAE by name: its settings, and what they go with.

use super::{Depths, VeryDeep};
use crate::catalogue::{About, Bounds, Kind, Setting, Settings, Usual};
use crate::data::Shape;
use crate::error::{Error, Result};
use crate::models::checks::{check_not_chosen, check_objective};
use crate::models::layers::MOST_LAYERS;
use crate::models::very_deep::pyramid::resolutions;
use crate::models::{LabelUse, Model, ModelConfig, ModelEntry, RowForm, StochasticLayers};
use crate::nn::{ACTIVATION, UNITS};
use crate::problems::Problems;

/// The model `very-deep`.
pub(in crate::engine::models) static ENTRY: ModelEntry = ModelEntry {
    about: About {
        kind: Kind::Model,
        id: "very-deep",
        aliases: &["vdvae"],
        name: "very deep VAE of pictures: many stochastic layers along a convolutional network, inferred from the top down",
        formula: "p(x|z) Π p(z_l|z_{l+1..L}), q(z|x) = Π q(z_l|z_{l+1..L}, x), each a diagonal Gaussian at each pixel of a layer",
        source: "Child 2021, Very Deep VAEs Generalize Autoregressive Models and Can Outperform Them on Images",
        settings: &[
            Setting {
                name: "blocks",
                default: Usual::Numbers(&[1.0, 2.0, 3.0, 2.0, 1.0, 1.0]),
                bounds: Bounds::UpTo(12, &Bounds::Whole(1, MOST_LAYERS as u64)),
                meaning: "blocks and stochastic layers at a picture's own size, at half of it, a quarter, …",
            },
            Setting { name: "width", default: Usual::Number(64.0), bounds: UNITS, meaning: "channels between blocks" },
            Setting { name: "inner", default: Usual::Number(16.0), bounds: UNITS, meaning: "channels within a block" },
            Setting {
                name: "channels",
                default: Usual::Number(8.0),
                bounds: UNITS,
                meaning: "numbers of a code at each pixel of a layer",
            },
            Setting { default: Usual::Word("gelu"), ..ACTIVATION },
        ],
        example: "elbo train --data cifar --preset very-deep",
    },
    labels: LabelUse::Ignored,
    is_variational: true,
    layers: Some(StochasticLayers::TopDown),
    stands_on_vae: false,
    explains_gaps: false,
    quantises: false,
    training: None,
    build,
    check,
};

/// The depths that settings describe.
fn depths(settings: Settings) -> Depths {
    let [width, inner, channels] = ["width", "inner", "channels"].map(|name| settings.whole(name));
    let activation = settings.word(ACTIVATION.name);
    Depths { blocks: settings.wholes("blocks"), width, inner, channels, activation }
}

fn build(config: &ModelConfig, form: RowForm) -> Result<Box<dyn Model>> {
    let (shape, depths) = (form.schema.shape(), depths(config.kind.settings()));
    if let Some(why) = refusal(shape, &depths) {
        return Err(Error::invalid(why));
    }
    Ok(Box::new(VeryDeep::new(shape, depths, config.parts_for(form.schema)?)))
}

/// Why rows of a shape cannot have these depths, if they cannot.
fn refusal(shape: Shape, depths: &Depths) -> Option<String> {
    if !shape.is_picture() {
        return Some(format!(
            "a very-deep is of pictures, and rows of {} numbers are none: train a ladder or a hierarchical",
            shape.features()
        ));
    }
    let (most, given) = (resolutions([shape.height, shape.width]).len(), depths.blocks.len());
    (given > most).then(|| {
        format!(
            "`blocks` has numbers for {given} sizes, each half of the one before it, and a picture of {shape} is one pixel at the {}: give \
             {most} at most",
            match most {
                1 => "first".to_string(),
                2 => "second".to_string(),
                3 => "third".to_string(),
                most => format!("{most}th"),
            }
        )
    })
}

/// Notes what does not go with such layers.
fn check(config: &ModelConfig, batch: usize, problems: &mut Problems) {
    let layers = depths(config.kind.settings()).layers();
    problems.note(
        layers > MOST_LAYERS,
        format!("`blocks` of a model of `kind` {} come to {layers} layers: give {MOST_LAYERS} at most", config.kind),
    );
    check_not_chosen(config, &[Kind::Posterior, Kind::Prior], problems);
    problems.note(
        config.decoder.is_some(),
        format!(
            "`decoder` is given, and a model of `kind` {} has networks of its own, which its settings blocks, width, inner and channels \
             shape: leave it out",
            config.kind
        ),
    );
    if let Ok(parts) = config.parts() {
        check_objective(config, &parts, batch, problems);
    }
}

/// The layers of such a model of pictures in a line, from the data upwards.
///
/// # Errors
/// If pictures of the shape cannot have them.
pub fn described(config: &ModelConfig, shape: Shape) -> Result<String> {
    let depths = depths(config.kind.settings());
    if let Some(why) = refusal(shape, &depths) {
        return Err(Error::invalid(why));
    }
    let images = resolutions([shape.height, shape.width]);
    let of = |(blocks, [h, w]): (&usize, &[usize; 2])| format!("{blocks} of {h}×{w}×{}", depths.channels);
    let all: Vec<String> = depths.blocks.iter().zip(&images).map(of).collect();
    Ok(format!("{} stochastic layers: {}", depths.layers(), all.join(", ")))
}
