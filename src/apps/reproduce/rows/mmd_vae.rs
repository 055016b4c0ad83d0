//! Zhao, Song & Ermon 2019: with the MMD in place of the KL term, codes of all data together are spread as the prior is.

use super::super::{Check, Planned, Row};

macro_rules! options {
    ($objective:literal) => {
        concat!(
            "--data {data}/mnist --preset classic --binarise dynamic --latent 10 --epochs 10 --objective ",
            $objective
        )
    };
}

pub static ROW: Row = Row {
    name: "mmd-vae",
    what: "the aggregate posterior of the MMD-VAE beside the VAE's, on dynamically binarised MNIST",
    source: "Zhao, Song & Ermon 2019, section 5.1",
    differs: "MLP 784-400-10 in place of convolutions, ten epochs",
    takes: "2 min",
    runs: &[
        Planned { id: "vae", options: options!("elbo"), seeds: &[1], samples: 0 },
        Planned { id: "mmd", options: options!("info-vae:alpha=1,lambda=1000"), seeds: &[1], samples: 0 },
    ],
    checks: &[
        Check {
            what: "MMD² (Gaussian kernel) of the VAE's codes over that of the MMD-VAE's",
            paper: "larger (figure 4)",
            accepted: "more than 1",
            value: |found| found.distance("vae", "mmd_gaussian") / found.distance("mmd", "mmd_gaussian").max(1e-12),
            holds: |v| v > 1.0,
        },
        Check {
            what: "KL of the fitted Gaussian, the VAE's over the MMD-VAE's",
            paper: "larger covariance errors (figure 4)",
            accepted: "more than 1",
            value: |found| found.distance("vae", "gaussian_kl") / found.distance("mmd", "gaussian_kl").max(1e-12),
            holds: |v| v > 1.0,
        },
    ],
};
