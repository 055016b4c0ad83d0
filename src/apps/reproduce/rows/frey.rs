//! Frey Face in bits per dimension.

use super::super::{Check, Planned, Row};

const CHECKS: &[Check] = &[
    Check {
        what: "-ln p(x) on held-out frames, bits per dimension",
        paper: "4.53 to 4.63 (VAE), 4.31 to 4.47 (with flows)",
        accepted: "at most 4.8",
        value: |found| found.mean("vae", |e| e.nll_bits_per_dimension.unwrap_or(f64::NAN)),
        holds: |v| v <= 4.8,
    },
    Check {
        what: "-ELBO on held-out frames, bits per dimension",
        paper: "",
        accepted: "any number",
        value: |found| found.mean("vae", |e| e.record.bits_per_dimension.unwrap_or(f64::NAN)),
        holds: f64::is_finite,
    },
];

macro_rules! options {
    ($epochs:literal) => {
        concat!(
            "--data {data}/frey/frey_faces.npy --preset classic --hidden 300,300 --latent 40 --activation silu --batch 100 ",
            "--learning-rate 1e-3 --schedule cosine --kl-warmup-epochs 20 --likelihood discretized-logistic --epochs ",
            $epochs
        )
    };
}

pub static SHORT: Row = Row {
    name: "frey",
    what: "Frey Face with the discretised logistic likelihood, bits per dimension",
    source: "figures quoted for VAEs and for VAEs with flows (Tomczak & Welling 2016 among them), not checked at their source",
    differs: "two layers of 300 with SiLU; a tenth of the frames held out by the seed; 1000 epochs",
    takes: "3 min",
    runs: &[Planned { id: "vae", options: options!("1000"), seeds: &[1], samples: 1000 }],
    uses: &[],
    checks: CHECKS,
};

pub static FULL: Row = Row {
    name: "frey-full",
    what: "the same for 2000 epochs",
    source: "figures quoted for VAEs and for VAEs with flows (Tomczak & Welling 2016 among them), not checked at their source",
    differs: "two layers of 300 with SiLU; a tenth of the frames held out by the seed",
    takes: "20 min",
    runs: &[Planned { id: "vae", options: options!("2000"), seeds: &[1, 2, 3], samples: 5000 }],
    uses: &[],
    checks: CHECKS,
};
