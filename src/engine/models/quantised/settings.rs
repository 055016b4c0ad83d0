//! The model `vq-vae`: its entry in the list, and its settings.

use std::sync::Arc;

use strum::VariantNames;

use super::build::{Codes, build, check_levels};
use super::codebook::{Codebook, Learns, Start};
use super::grid::Grid;
use super::quantiser::Quantiser;
use super::residual::Residual;
use crate::catalogue::{About, Bounds, Kind, Setting, Usual};
use crate::models::{LabelUse, ModelEntry};

/// The most vectors of a codebook.
pub(super) const MAX_CODES: u64 = 1 << 16;

/// The model `vq-vae`.
pub(in crate::engine::models) static VQ_VAE: ModelEntry = ModelEntry {
    about: About {
        kind: Kind::Model,
        id: "vq-vae",
        aliases: &["vqvae"],
        name: "quantised codes: each vector that the encoder gives becomes the nearest one of a codebook",
        formula: "−ln p(x|e_k) + β ‖z − sg e_k‖² (+ ‖sg z − e_k‖²), k = argmin_j ‖z − e_j‖²",
        source: "van den Oord, Vinyals & Kavukcuoglu 2017, equation 3 and appendix A.1; residual: Lee et al. 2022, section 3.1; levels: \
                 Razavi, van den Oord & Vinyals 2019, algorithm 1",
        settings: &[
            Setting {
                name: "codes",
                default: Usual::Number(512.0),
                bounds: Bounds::Whole(1, MAX_CODES),
                meaning: "K, vectors of the codebook",
            },
            Setting {
                name: "vectors",
                default: Usual::Number(1.0),
                bounds: Bounds::Whole(1, MAX_CODES),
                meaning: "vectors of a row, or of each place of a code that is a picture: each has latent / (places · groups) numbers",
            },
            Setting {
                name: "residual",
                default: Usual::Number(1.0),
                bounds: Bounds::Whole(1, 64),
                meaning: "codebooks in a row, each of what those before it left over; a vector is the sum of what they choose",
            },
            Setting {
                name: "levels",
                default: Usual::Number(1.0),
                bounds: Bounds::Whole(1, 2),
                meaning: "levels of codes; with 2, a second network halves the encoder's last picture once more, and its codes are given to the lower \
                          level and to the decoder",
            },
            Setting {
                name: "commitment",
                default: Usual::Number(0.25),
                bounds: Bounds::NotNegative,
                meaning: "β, what draws the encoder to the vectors that it chose",
            },
            Setting {
                name: "codebook",
                default: Usual::Word("averages"),
                bounds: Bounds::OneOf(Learns::VARIANTS),
                meaning: "how vectors are learnt: as moving averages of what chose them, or by gradient",
            },
            Setting {
                name: "decay",
                default: Usual::Number(0.99),
                bounds: Bounds::Below(1.0),
                meaning: "γ, what moving averages keep from step to step",
            },
            Setting {
                name: "epsilon",
                default: Usual::Number(1e-5),
                bounds: Bounds::NotNegative,
                meaning: "ε, added to counts where sums are divided by them",
            },
            Setting {
                name: "start",
                default: Usual::Word("data"),
                bounds: Bounds::OneOf(Start::VARIANTS),
                meaning: "whether vectors start at encodings of the first batch, or uniform in ±√(3/D)",
            },
            Setting {
                name: "revive",
                default: Usual::Number(100.0),
                bounds: Bounds::Whole(0, 1 << 20),
                meaning: "steps after which a vector that nothing chose starts again at an encoding of the batch; 0 for never",
            },
        ],
        example: "elbo train --preset vq-vae --data cifar",
    },
    labels: LabelUse::Ignored,
    is_variational: false,
    layers: None,
    stands_on_vae: false,
    explains_gaps: false,
    quantises: true,
    training: None,
    build: |config, form| {
        let settings = config.kind.settings();
        let codebook = |grid: Grid| Codebook {
            codes: settings.whole("codes"),
            dimensions: grid.dimensions,
            learns: settings.word("codebook"),
            decay: settings.get("decay") as f32,
            epsilon: settings.get("epsilon") as f32,
            start: settings.word("start"),
            revive: settings.whole("revive"),
        };
        let stages = settings.whole("residual");
        let quantiser = |grid| Arc::new(Residual { codebook: codebook(grid), stages }) as Arc<dyn Quantiser>;
        let grid = |latent, image| Grid::new(latent, image, settings.whole("vectors"));
        let (commitment, has_top) = (settings.get("commitment"), settings.whole("levels") > 1);
        build(config, form, Codes { grid, quantiser, commitment, has_top })
    },
    check: check_levels,
};
