//! The model `fsq`: its entry in the list, and its settings.

use std::sync::Arc;

use super::build::{Codes, build, check};
use super::grid::Grid;
use super::quantiser::Quantiser;
use super::scalar::Levels;
use super::settings::{MAX_CODES, VQ_VAE};
use crate::catalogue::{About, Bounds, Kind, Setting, Usual};
use crate::error::Error;
use crate::models::ModelEntry;

/// The levels of a number.
const EACH: Bounds = Bounds::Whole(2, 256);

/// The model `fsq`.
pub(in crate::engine::models) static FSQ: ModelEntry = ModelEntry {
    about: About {
        kind: Kind::Model,
        id: "fsq",
        aliases: &["finite-scalar-quantisation"],
        name: "finite scalar quantisation: each number of a code is rounded to one of a few levels, without a codebook",
        formula: "−ln p(x|e), e_j = ⌊f(z_j)⌉/⌊L_j/2⌋, f(z) = h tanh(z + s) − o",
        source: "Mentzer, Minnen, Agustsson & Tschannen 2024, section 3.1 and appendix A.1",
        settings: &[Setting {
            name: "levels",
            default: Usual::Numbers(&[8.0, 5.0, 5.0, 5.0]),
            bounds: Bounds::UpTo(16, &EACH),
            meaning: "L, levels of each number of a vector; a vector of as many numbers is one of their product, at most 65536",
        }],
        example: "elbo train --model fsq:levels=8,6,5 --encoder resnet:code=spatial --latent 192 --data cifar",
    },
    build: |config, form| {
        let levels = Levels(config.kind.settings().wholes("levels"));
        let dimensions = levels.0.len();
        let codes = levels.0.iter().try_fold(1_u64, |product, &levels| product.checked_mul(levels as u64));
        if codes.is_none_or(|codes| codes > MAX_CODES) {
            return Err(Error::invalid(format!(
                "the product of the levels of `{}` is more than {MAX_CODES}: give fewer numbers, or fewer levels of each; a code has \
                 as many vectors as `latent` makes room for",
                config.kind
            )));
        }
        let grid = |latent, image| Grid::of_dimensions(latent, image, dimensions);
        let quantiser = |_| Arc::new(levels.clone()) as Arc<dyn Quantiser>;
        build(config, form, Codes { grid, quantiser, commitment: 0.0, has_top: false })
    },
    check,
    ..VQ_VAE
};
