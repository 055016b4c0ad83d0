//! A generative adversarial network: are the digits that it draws digits, and are they all there?

use super::super::{Check, Planned, Row};
use super::JUDGE_OF_MNIST;

pub static ROW: Row = Row {
    name: "gan",
    what: "a GAN of MNIST: a classifier is sure of what it draws, and finds all digits",
    source: "Goodfellow et al. 2014 (pictures); spectral normalisation: Miyato et al. 2018",
    differs: "the papers count nothing of this kind for MNIST; the classifier is a multilayer perceptron, 784-256-64-10",
    takes: "4 min",
    runs: &[
        JUDGE_OF_MNIST,
        Planned {
            id: "gan",
            options: "--data {data}/mnist --model gan:spectral=yes --encoder mlp:512,256,activation=leaky-relu \
                      --decoder mlp:256,512,activation=relu --latent 64 --epochs 40",
            seeds: &[1],
            samples: 0,
        },
    ],
    uses: &[],
    checks: &[
        Check {
            what: "drawn rows of which the classifier is nine tenths sure, %",
            paper: "",
            accepted: "at least 85",
            value: |found| 100.0 * found.judged("gan", |j| j.sure),
            holds: |v| v >= 85.0,
        },
        Check {
            what: "digits that are drawn, each a tenth as often as if all were alike, %",
            paper: "",
            accepted: "100",
            value: |found| 100.0 * found.judged("gan", |j| j.covered),
            holds: |v| v >= 100.0,
        },
        Check {
            what: "squared Frechet distance to test rows, in the classifier's last hidden layer",
            paper: "",
            accepted: "any number",
            value: |found| found.judged("gan", |j| j.frechet),
            holds: f64::is_finite,
        },
    ],
};
