//! Burda, Grosse & Salakhutdinov 2016: more samples per example make a tighter bound and use more of the code.

use super::super::{Check, Found, Planned, Row};

fn active(found: &Found, id: &str) -> f64 {
    found.mean(id, |e| e.record.active_units.map_or(f64::NAN, |units| units as f64))
}

const CHECKS: &[Check] = &[
    Check {
        what: "-ln p(x), k = 1, nats",
        paper: "86.76",
        accepted: "any number",
        value: |found| found.nll("k1"),
        holds: f64::is_finite,
    },
    Check {
        what: "-ln p(x), k = 5, nats",
        paper: "85.54",
        accepted: "any number",
        value: |found| found.nll("k5"),
        holds: f64::is_finite,
    },
    Check {
        what: "-ln p(x), k = 50, nats",
        paper: "84.78",
        accepted: "any number",
        value: |found| found.nll("k50"),
        holds: f64::is_finite,
    },
    Check {
        what: "k = 1 less k = 5, nats",
        paper: "1.22",
        accepted: "at least 1",
        value: |found| found.nll("k1") - found.nll("k5"),
        holds: |v| v >= 1.0,
    },
    Check {
        what: "k = 5 less k = 50, nats",
        paper: "0.76",
        accepted: "at least 0.5",
        value: |found| found.nll("k5") - found.nll("k50"),
        holds: |v| v >= 0.5,
    },
    Check {
        what: "active units, k = 5 less k = 1",
        paper: "3 (22 and 19)",
        accepted: "more than 0",
        value: |found| active(found, "k5") - active(found, "k1"),
        holds: |v| v > 0.0,
    },
    Check {
        what: "active units, k = 50 less k = 5",
        paper: "3 (25 and 22)",
        accepted: "more than 0",
        value: |found| active(found, "k50") - active(found, "k5"),
        holds: |v| v > 0.0,
    },
];

macro_rules! options {
    ($epochs:literal, $objective:literal) => {
        concat!(
            "--data {data}/mnist --preset classic --binarise dynamic --hidden 200,200 --latent 50 --activation tanh ",
            "--batch 100 --learning-rate 1e-3 --schedule cosine --epochs ",
            $epochs,
            " --objective ",
            $objective
        )
    };
}

pub static SHORT: Row = Row {
    name: "iwae",
    what: "importance-weighted bounds on dynamically binarised MNIST, 784-200-200-50, k = 1, 5 and 50",
    source: "Burda, Grosse & Salakhutdinov 2016, table 1, one stochastic layer",
    differs: "16 epochs on a cosine in place of 3280; initialisation of the layers as in PyTorch; K = 1000 in place of 5000",
    takes: "25 min",
    runs: &[
        Planned { id: "k1", options: options!("16", "elbo"), seeds: &[1], samples: 1000 },
        Planned { id: "k5", options: options!("16", "iwae:samples=5"), seeds: &[1], samples: 1000 },
        Planned { id: "k50", options: options!("16", "iwae:samples=50"), seeds: &[1], samples: 1000 },
    ],
    uses: &[],
    checks: CHECKS,
};

pub static FULL: Row = Row {
    name: "iwae-full",
    what: "the same at the paper's length",
    source: "Burda, Grosse & Salakhutdinov 2016, table 1, one stochastic layer",
    differs: "the learning rate falls along a cosine in place of 3^i epochs at 10^(-i/7); initialisation as in PyTorch",
    takes: "days",
    runs: &[
        Planned { id: "k1", options: options!("3280", "elbo"), seeds: &[1], samples: 5000 },
        Planned { id: "k5", options: options!("3280", "iwae:samples=5"), seeds: &[1], samples: 5000 },
        Planned { id: "k50", options: options!("3280", "iwae:samples=50"), seeds: &[1], samples: 5000 },
    ],
    uses: &[],
    checks: CHECKS,
};
