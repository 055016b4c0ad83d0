//! Autoencoders with a critic beside the VAE: what they draw, at equal work.

use super::super::{Check, Planned, Row};
use super::JUDGE_OF_MNIST;

macro_rules! of {
    ($model:literal) => {
        concat!("--data {data}/mnist --validation 10000 --epochs 12 --model ", $model)
    };
}

macro_rules! distance {
    ($id:literal, $what:literal) => {
        Check {
            what: concat!("squared Frechet distance of drawn rows, ", $what),
            paper: "",
            accepted: "any number",
            value: |found| found.judged($id, |j| j.frechet),
            holds: f64::is_finite,
        }
    };
}

macro_rules! gain {
    ($id:literal, $what:literal) => {
        Check {
            what: concat!("the VAE's over that, ", $what),
            paper: "",
            accepted: "above 1",
            value: |found| found.judged("vae", |j| j.frechet) / found.judged($id, |j| j.frechet),
            holds: |v| v > 1.0,
        }
    };
}

pub static ROW: Row = Row {
    name: "adversarial",
    what: "an adversarial autoencoder, a VAE-GAN and a VAE of MNIST: the distance of what they draw from test rows",
    source: "Makhzani et al. 2016; Larsen et al. 2016, table 1 (other data and measures)",
    differs: "multilayer perceptrons, 12 epochs; the features are 64 units of a classifier, 784-256-64-10",
    takes: "10 min",
    runs: &[
        JUDGE_OF_MNIST,
        Planned { id: "vae", options: of!("vae"), seeds: &[1], samples: 0 },
        Planned { id: "aae", options: of!("aae"), seeds: &[1], samples: 0 },
        Planned { id: "vae-gan", options: of!("vae-gan"), seeds: &[1], samples: 0 },
    ],
    uses: &[],
    checks: &[
        distance!("vae", "VAE"),
        distance!("aae", "adversarial autoencoder"),
        distance!("vae-gan", "VAE-GAN"),
        gain!("aae", "adversarial autoencoder"),
        gain!("vae-gan", "VAE-GAN"),
    ],
};
