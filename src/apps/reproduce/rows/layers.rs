//! Burda, Grosse & Salakhutdinov 2016 and Sønderby et al. 2016: a second stochastic layer is worth more than a nat.

use super::super::{Check, Found, Planned, Row};

fn upper_kl(found: &Found, id: &str) -> f64 {
    found.mean(id, |e| e.record.parts.get("kl_layer_2").copied().unwrap_or(f64::NAN))
}

const CHECKS: &[Check] = &[
    Check {
        what: "-ln p(x), one layer, nats",
        paper: "86.76",
        accepted: "any number",
        value: |found| found.nll("one"),
        holds: f64::is_finite,
    },
    Check {
        what: "-ln p(x), two layers, nats",
        paper: "85.33",
        accepted: "any number",
        value: |found| found.nll("two"),
        holds: f64::is_finite,
    },
    Check {
        what: "-ln p(x), ladder of two, nats",
        paper: "81.74 (of five layers, at best)",
        accepted: "any number",
        value: |found| found.nll("ladder"),
        holds: f64::is_finite,
    },
    Check {
        what: "one layer less two, nats",
        paper: "1.43",
        accepted: "at least 1",
        value: |found| found.nll("one") - found.nll("two"),
        holds: |v| v >= 1.0,
    },
    Check {
        what: "one layer less the ladder, nats",
        paper: "more than the former",
        accepted: "at least 1",
        value: |found| found.nll("one") - found.nll("ladder"),
        holds: |v| v >= 1.0,
    },
    Check {
        what: "KL of the upper layer of two, nats",
        paper: "used, with warm-up (Sønderby et al. 2016)",
        accepted: "above 1",
        value: |found| upper_kl(found, "two"),
        holds: |v| v > 1.0,
    },
    Check {
        what: "the same of the ladder, nats",
        paper: "used",
        accepted: "above 1",
        value: |found| upper_kl(found, "ladder"),
        holds: |v| v > 1.0,
    },
];

macro_rules! options {
    ($epochs:literal, $warm_up:literal, $model:literal) => {
        concat!(
            "--data {data}/mnist --preset classic --binarise dynamic --encoder mlp:200,200,activation=leaky-relu,norm=batch ",
            "--batch 100 --learning-rate 1e-3 --schedule cosine --epochs ",
            $epochs,
            " --kl-warmup-epochs ",
            $warm_up,
            " --model ",
            $model
        )
    };
}

pub static SHORT: Row = Row {
    name: "layers",
    what: "one and two stochastic layers on dynamically binarised MNIST: 784-200-200-50, and 784-200-200-100-100-100-50",
    source: "Burda, Grosse & Salakhutdinov 2016, table 1, k = 1; Sønderby et al. 2016, section 3",
    differs: "20 epochs on a cosine in place of 3280; batch normalisation, leaky ReLU and KL warm-up over 5 epochs, as Sønderby's, in \
              place of none and tanh; K = 1000 in place of 5000",
    takes: "20 min",
    runs: &[
        Planned { id: "one", options: options!("20", "5", "vae --latent 50"), seeds: &[1], samples: 1000 },
        Planned {
            id: "two",
            options: options!("20", "5", "hierarchical --latent 100 --upper 50"),
            seeds: &[1],
            samples: 1000,
        },
        Planned {
            id: "ladder",
            options: options!("20", "5", "ladder --latent 100 --upper 50"),
            seeds: &[1],
            samples: 1000,
        },
    ],
    uses: &[],
    checks: CHECKS,
};

pub static FULL: Row = Row {
    name: "layers-full",
    what: "the same at Sønderby's length",
    source: "Burda, Grosse & Salakhutdinov 2016, table 1, k = 1; Sønderby et al. 2016, section 3",
    differs: "2000 epochs on a cosine, of which 200 are warm-up",
    takes: "a day",
    runs: &[
        Planned { id: "one", options: options!("2000", "200", "vae --latent 50"), seeds: &[1], samples: 5000 },
        Planned {
            id: "two",
            options: options!("2000", "200", "hierarchical --latent 100 --upper 50"),
            seeds: &[1],
            samples: 5000,
        },
        Planned {
            id: "ladder",
            options: options!("2000", "200", "ladder --latent 100 --upper 50"),
            seeds: &[1],
            samples: 5000,
        },
    ],
    uses: &[],
    checks: CHECKS,
};
