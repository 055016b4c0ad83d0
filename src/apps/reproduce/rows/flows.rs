//! Rezende & Mohamed 2015, Kingma et al. 2016: posteriors of free shapes make better models than Gaussians.

use super::super::{Check, Found, Planned, Row};

/// By how much a run's −ln p(x) lies below the Gaussian's, in nats.
fn gain(found: &Found, id: &str) -> f64 {
    found.nll("gaussian") - found.nll(id)
}

/// By how much its −ELBO does.
fn tighter(found: &Found, id: &str) -> f64 {
    found.mean("gaussian", |e| e.record.loss) - found.mean(id, |e| e.record.loss)
}

const CHECKS: &[Check] = &[
    Check {
        what: "-ln p(x), diagonal Gaussian, nats",
        paper: "at most 89.9",
        accepted: "any number",
        value: |found| found.nll("gaussian"),
        holds: f64::is_finite,
    },
    Check {
        what: "Gaussian less planar, K = 20, -ln p(x), nats",
        paper: "3.4 (89.9 and 86.5, bounds)",
        accepted: "at least 1",
        value: |found| gain(found, "planar"),
        holds: |v| v >= 1.0,
    },
    Check {
        what: "the same of -ELBO, nats",
        paper: "3.4",
        accepted: "at least 1",
        value: |found| tighter(found, "planar"),
        holds: |v| v >= 1.0,
    },
    Check {
        what: "Gaussian less IAF, -ln p(x), nats",
        paper: "above 0 (Kingma et al., table 1)",
        accepted: "more than 0",
        value: |found| gain(found, "iaf"),
        holds: |v| v > 0.0,
    },
    Check {
        what: "planar less IAF, -ln p(x), nats",
        paper: "above 0, of larger codes",
        accepted: "any number",
        value: |found| gain(found, "iaf") - gain(found, "planar"),
        holds: f64::is_finite,
    },
];

macro_rules! options {
    ($size:literal, $posterior:literal) => {
        concat!(
            "--data {data}/mnist --preset classic --binarise dynamic --activation gated --learning-rate 1e-3 --schedule cosine ",
            $size,
            " --posterior ",
            $posterior
        )
    };
}

macro_rules! short {
    ($posterior:literal) => {
        options!("--hidden 200,200 --latent 2 --batch 200 --kl-warmup-epochs 2 --epochs 10", $posterior)
    };
}

macro_rules! full {
    ($posterior:literal) => {
        options!("--hidden 300,300 --latent 40 --batch 100 --kl-warmup-epochs 100 --epochs 1000", $posterior)
    };
}

pub static SHORT: Row = Row {
    name: "flows",
    what: "planar flows and the IAF beside the Gaussian posterior, dynamically binarised MNIST, two latent dimensions",
    source: "Rezende & Mohamed 2015, table 2; Kingma et al. 2016, table 1",
    differs: "2 latent dimensions in place of 40, as there the posterior counts within minutes; 784-200-200, gated, in place of \
              maxout and of convolutions; 10 epochs; importance-sampled with K = 200 where the first paper has bounds. In so \
              small a code planar flows gain more than the IAF, whose maps have two dimensions to work with",
    takes: "3 min",
    runs: &[
        Planned { id: "gaussian", options: short!("diagonal-gaussian"), seeds: &[1], samples: 200 },
        Planned { id: "planar", options: short!("planar:length=20"), seeds: &[1], samples: 200 },
        Planned { id: "iaf", options: short!("iaf:length=2,hidden=128"), seeds: &[1], samples: 200 },
    ],
    uses: &[],
    checks: CHECKS,
};

pub static FULL: Row = Row {
    name: "flows-full",
    what: "the same with 40 latent dimensions at the papers' length",
    source: "Rezende & Mohamed 2015, table 2; Kingma et al. 2016, table 1",
    differs: "784-300-300, gated, in place of maxout and of convolutions",
    takes: "days",
    runs: &[
        Planned { id: "gaussian", options: full!("diagonal-gaussian"), seeds: &[1, 2, 3], samples: 5000 },
        Planned { id: "planar", options: full!("planar:length=20"), seeds: &[1, 2, 3], samples: 5000 },
        Planned { id: "iaf", options: full!("iaf:length=8,hidden=320"), seeds: &[1, 2, 3], samples: 5000 },
    ],
    uses: &[],
    checks: CHECKS,
};
