//! The model `vq-vae`: its entry in the list, and its settings.

use strum::VariantNames;

use super::codebook::{Codebook, Learns, Start};
use super::grid::Grid;
use super::vq_vae::VqVae;
use crate::catalogue::{self, About, Bounds, Kind, Setting, Usual};
use crate::distributions::{Heads, LIKELIHOODS};
use crate::error::{Error, Result};
use crate::models::checks::check_unused;
use crate::models::networks::Networks;
use crate::models::{LabelUse, Model, ModelConfig, ModelEntry, RowForm};
use crate::problems::Problems;

/// The most vectors of a codebook.
const MAX_CODES: u64 = 1 << 16;

/// The model `vq-vae`.
pub(in crate::engine::models) static ENTRY: ModelEntry = ModelEntry {
    about: About {
        kind: Kind::Model,
        id: "vq-vae",
        aliases: &["vqvae"],
        name: "quantised codes: each vector that the encoder gives becomes the nearest one of a codebook",
        formula: "−ln p(x|e_k) + β ‖z − sg e_k‖² (+ ‖sg z − e_k‖²), k = argmin_j ‖z − e_j‖²",
        source: "van den Oord, Vinyals & Kavukcuoglu 2017, equation 3 and appendix A.1",
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
    training: None,
    build,
    check,
};

fn build(config: &ModelConfig, form: RowForm) -> Result<Box<dyn Model>> {
    let (settings, latent) = (config.kind.settings(), config.latent);
    let likelihood = Heads::of(form.schema, &catalogue::build(LIKELIHOODS, &config.likelihood)?);
    let sizes = RowForm { condition: 0, ..form }.sizes();
    let outputs = likelihood.outputs(sizes.features());
    let networks = Networks::new(sizes, latent, config.networks(sizes)?, latent, outputs);
    let grid = Grid::new(latent, networks.places(), settings.whole("vectors")).map_err(Error::invalid)?;
    let codebook = Codebook {
        codes: settings.whole("codes"),
        dimensions: grid.dimensions,
        learns: settings.word("codebook"),
        decay: settings.get("decay") as f32,
        epsilon: settings.get("epsilon") as f32,
        start: settings.word("start"),
        revive: settings.whole("revive"),
    };
    Ok(Box::new(VqVae { networks, likelihood, grid, codebook, commitment: settings.get("commitment") as f32 }))
}

/// A model without a prior has no KL to weigh, and no factors of it to choose.
fn check(config: &ModelConfig, _: usize, problems: &mut Problems) {
    problems.note(
        config.beta.is_finite() && config.beta != 1.0,
        "`beta` weighs the KL term, and a vq-vae has none: leave it out; what draws encodings to the codebook is `commitment`",
    );
    check_unused(config, problems);
}
