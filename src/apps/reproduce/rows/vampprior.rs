//! Tomczak & Welling 2018: a prior of learnt pseudo-inputs makes a better model than the standard normal.

use super::super::{Check, Planned, Row};

const CHECKS: &[Check] = &[
    Check {
        what: "-ln p(x), standard normal prior, nats",
        paper: "88.56",
        accepted: "any number",
        value: |found| found.nll("standard"),
        holds: f64::is_finite,
    },
    Check {
        what: "-ln p(x), VampPrior, nats",
        paper: "85.57",
        accepted: "any number",
        value: |found| found.nll("vamp"),
        holds: f64::is_finite,
    },
    Check {
        what: "standard normal prior less VampPrior, nats",
        paper: "2.99",
        accepted: "at least 2",
        value: |found| found.nll("standard") - found.nll("vamp"),
        holds: |v| v >= 2.0,
    },
];

macro_rules! options {
    ($learning:literal, $prior:literal) => {
        concat!(
            "--data {data}/mnist --preset classic --binarise dynamic --hidden 300,300 --latent 40 --activation gated ",
            "--batch 100 ",
            $learning,
            " --prior ",
            $prior
        )
    };
}

macro_rules! short {
    ($prior:literal) => {
        options!("--learning-rate 1e-3 --schedule cosine --kl-warmup-epochs 10 --epochs 40", $prior)
    };
}

macro_rules! full {
    ($prior:literal) => {
        options!("--learning-rate 5e-4 --kl-warmup-epochs 100 --epochs 1000", $prior)
    };
}

pub static SHORT: Row = Row {
    name: "vampprior",
    what: "the VampPrior of 500 pseudo-inputs beside the standard normal prior, dynamically binarised MNIST, 784-300-300-40, gated",
    source: "Tomczak & Welling 2018, table 1, static MNIST, VAE with one stochastic layer",
    differs: "dynamic binarisation in place of static; 40 epochs on a cosine from 0.001, in place of as many as help at 0.0005, KL \
              warm-up over 10 in place of 100; initialisation as in PyTorch; K = 200 in place of 5000",
    takes: "20 min",
    runs: &[
        Planned { id: "standard", options: short!("standard-normal"), seeds: &[1], samples: 200 },
        Planned { id: "vamp", options: short!("vampprior:components=500"), seeds: &[1], samples: 200 },
    ],
    uses: &[],
    checks: CHECKS,
};

pub static FULL: Row = Row {
    name: "vampprior-full",
    what: "the same at the paper's length",
    source: "Tomczak & Welling 2018, table 1, static MNIST, VAE with one stochastic layer",
    differs: "dynamic binarisation in place of static; 1000 epochs in place of stopping early; initialisation as in PyTorch",
    takes: "a day",
    runs: &[
        Planned { id: "standard", options: full!("standard-normal"), seeds: &[1, 2, 3], samples: 5000 },
        Planned { id: "vamp", options: full!("vampprior:components=500"), seeds: &[1, 2, 3], samples: 5000 },
    ],
    uses: &[],
    checks: CHECKS,
};
