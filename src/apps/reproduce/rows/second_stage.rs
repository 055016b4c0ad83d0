//! The second stage of Dai and Wipf: a model of the codes in place of the prior.

use super::super::{Check, Planned, Row};
use super::JUDGE_OF_MNIST;

macro_rules! first {
    () => {
        "--data {data}/mnist --preset classic --likelihood gaussian-shared --hidden 400 --latent 64 --epochs 20 --schedule cosine"
    };
}

pub static ROW: Row = Row {
    name: "second-stage",
    what: "Fréchet distance between drawn rows and test rows, in the last hidden layer of an MNIST classifier",
    source: "Dai & Wipf 2019, table 1",
    differs: "multilayer perceptrons on MNIST; the features are 64 units of a classifier, 784-256-64-10, not Inception's",
    takes: "8 min",
    runs: &[
        JUDGE_OF_MNIST,
        Planned { id: "vae", options: first!(), seeds: &[1], samples: 0 },
        Planned {
            id: "second",
            options: "--second-stage {run:vae} --hidden 512,512 --epochs 30 --schedule cosine",
            seeds: &[1],
            samples: 0,
        },
    ],
    uses: &[],
    checks: &[
        Check {
            what: "training rows",
            paper: "",
            accepted: "any number",
            value: |found| found.judged("vae", |j| j.frechet_of_data),
            holds: f64::is_finite,
        },
        Check {
            what: "drawn with the standard normal prior",
            paper: "",
            accepted: "any number",
            value: |found| found.judged("vae", |j| j.frechet),
            holds: f64::is_finite,
        },
        Check {
            what: "drawn with the second stage",
            paper: "",
            accepted: "any number",
            value: |found| found.judged("second", |j| j.frechet),
            holds: f64::is_finite,
        },
        Check {
            what: "the former by the latter",
            paper: "",
            accepted: "at least 2",
            value: |found| found.judged("vae", |j| j.frechet) / found.judged("second", |j| j.frechet),
            holds: |v| v >= 2.0,
        },
    ],
};
