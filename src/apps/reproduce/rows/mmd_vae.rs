//! Zhao, Song & Ermon 2019: with the MMD beside little of the KL term, codes of all data together are spread as the prior is.

use super::super::{Check, Found, Planned, Row};

macro_rules! options {
    ($objective:literal) => {
        concat!(
            "--data {data}/mnist --preset classic --binarise dynamic --latent 10 --batch 500 --epochs 15 --objective ",
            $objective
        )
    };
}

/// How many times as far from the prior the VAE's codes lie as those of another run.
fn times(found: &Found, id: &str, distance: &str) -> f64 {
    found.distance("vae", distance) / found.distance(id, distance)
}

pub static ROW: Row = Row {
    name: "mmd-vae",
    what: "the aggregate posteriors of the InfoVAE and of the WAE beside the VAE's, dynamically binarised MNIST",
    source: "Zhao, Song & Ermon 2019, section 5.1; Tolstikhin et al. 2018",
    differs: "MLP 784-400-10 in place of convolutions, 15 epochs; α = 0.9, as at 1 (the MMD-VAE) single codes drift far out, \
              where the RBF kernel no longer sees them: MMD² 0.0050, KL of the fitted Gaussian 14 nats",
    takes: "3 min",
    runs: &[
        Planned { id: "vae", options: options!("elbo"), seeds: &[1], samples: 0 },
        Planned { id: "info", options: options!("info-vae:alpha=0.9,lambda=1000"), seeds: &[1], samples: 0 },
        Planned { id: "wae", options: options!("wae:lambda=1000"), seeds: &[1], samples: 0 },
    ],
    uses: &[],
    checks: &[
        Check {
            what: "MMD², Gaussian kernel: the VAE's over the InfoVAE's",
            paper: "above 1 (figure 4)",
            accepted: "more than 1",
            value: |found| times(found, "info", "mmd_gaussian"),
            holds: |v| v > 1.0,
        },
        Check {
            what: "KL of the fitted Gaussian: the VAE's over the InfoVAE's",
            paper: "above 1 (figure 4)",
            accepted: "more than 1",
            value: |found| times(found, "info", "gaussian_kl"),
            holds: |v| v > 1.0,
        },
        Check {
            what: "MMD², inverse multiquadratic kernel: the VAE's over the WAE's",
            paper: "",
            accepted: "more than 1",
            value: |found| times(found, "wae", "mmd_imq"),
            holds: |v| v > 1.0,
        },
        Check {
            what: "KL of the fitted Gaussian: the VAE's over the WAE's",
            paper: "",
            accepted: "more than 1",
            value: |found| times(found, "wae", "gaussian_kl"),
            holds: |v| v > 1.0,
        },
    ],
};
