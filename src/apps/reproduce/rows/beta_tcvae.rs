//! Chen et al. 2018: weighing the total correlation alone separates factors better than the VAE does.

use super::super::{Check, Found, Planned, Row};

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The sample standard deviation.
fn spread(values: &[f64]) -> f64 {
    let m = mean(values);
    (values.iter().map(|v| (v - m).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)).sqrt()
}

/// The difference of the means over the larger of the two spreads.
fn margin(found: &Found) -> f64 {
    let (tc, vae) = (found.scores("tc", "mig"), found.scores("vae", "mig"));
    (mean(&tc) - mean(&vae)) / spread(&tc).max(spread(&vae))
}

const CHECKS: &[Check] = &[
    Check {
        what: "MIG of the beta-TCVAE, mean over seeds",
        paper: "about 0.5",
        accepted: "at least 0.3",
        value: |found| mean(&found.scores("tc", "mig")),
        holds: |v| v >= 0.3,
    },
    Check {
        what: "MIG of the VAE, mean over seeds",
        paper: "about 0.1",
        accepted: "any number",
        value: |found| mean(&found.scores("vae", "mig")),
        holds: f64::is_finite,
    },
    Check {
        what: "difference of the two over the larger spread",
        paper: "well apart (figure 5)",
        accepted: "more than 1",
        value: margin,
        holds: |v| v > 1.0,
    },
];

macro_rules! short {
    ($objective:literal) => {
        concat!(
            "--count 50000 --hidden 256,256 --latent 10 --activation relu --batch 256 --epochs 30 --schedule constant ",
            "--learning-rate 1e-3 --beta2 0.999 --kl-warmup-epochs 0 --objective ",
            $objective
        )
    };
}

macro_rules! full {
    ($objective:literal) => {
        concat!(
            "--full --resolution 64 --hidden 1200,1200 --latent 10 --activation relu --batch 1000 --epochs 50 ",
            "--schedule constant --learning-rate 1e-3 --beta2 0.999 --kl-warmup-epochs 0 --objective ",
            $objective
        )
    };
}

pub static SHORT: Row = Row {
    name: "beta-tcvae",
    what: "disentanglement of the built-in sprites by the beta-TCVAE beside the VAE, five seeds",
    source: "Chen et al. 2018, figures 3 and 5",
    differs: "50,000 sprites of 32×32 in place of dSprites' 737,280 of 64×64, layers of 256, 5,900 steps of 256 rows",
    takes: "20 min",
    runs: &[
        Planned { id: "vae", options: short!("elbo"), seeds: &[1, 2, 3, 4, 5], samples: 0 },
        Planned { id: "tc", options: short!("beta-tcvae:beta=6"), seeds: &[1, 2, 3, 4, 5], samples: 0 },
    ],
    uses: &[],
    checks: CHECKS,
};

pub static FULL: Row = Row {
    name: "beta-tcvae-full",
    what: "the same on the whole grid of 737,280 sprites of 64×64",
    source: "Chen et al. 2018, figures 3 and 5: an MLP of 1200 units, batches of 1000, 50 epochs",
    differs: "the outlines of the sprites are this project's own",
    takes: "days",
    runs: &[
        Planned { id: "vae", options: full!("elbo"), seeds: &[1, 2, 3, 4, 5], samples: 0 },
        Planned { id: "tc", options: full!("beta-tcvae:beta=6"), seeds: &[1, 2, 3, 4, 5], samples: 0 },
    ],
    uses: &[],
    checks: CHECKS,
};
