//! Conditional VAE: rows of a label are recognised as such by a classifier that knows nothing of it.

use super::super::{Check, Planned, Row};
use super::JUDGE_OF_MNIST;

pub static ROW: Row = Row {
    name: "cvae",
    what: "a conditional VAE on MNIST draws 1000 rows of each label, and a classifier says which they are",
    source: "Kingma et al. 2014, figure 1 (pictures); Sohn, Lee & Yan 2015",
    differs: "the papers show pictures and count nothing (the first of two latent dimensions, as here); the classifier is a \
              multilayer perceptron, 784-256-64-10. With more dimensions codes tell the label as well, and rows of codes from \
              the prior follow them: of 20 dimensions, three in four are recognised",
    takes: "3 min",
    runs: &[
        JUDGE_OF_MNIST,
        Planned {
            id: "cvae",
            options: "--data {data}/mnist --preset classic --model cvae --binarise dynamic --hidden 400 --latent 2 --epochs 15 --schedule cosine",
            seeds: &[1],
            samples: 100,
        },
    ],
    uses: &[],
    checks: &[
        Check {
            what: "test labels that the classifier tells right, %",
            paper: "",
            accepted: "at least 97",
            value: |found| 100.0 * found.accuracy("judge"),
            holds: |v| v >= 97.0,
        },
        Check {
            what: "drawn rows recognised as their label, %",
            paper: "",
            accepted: "at least 95",
            value: |found| 100.0 * found.judged("cvae", |j| j.recognised.unwrap_or(f64::NAN)),
            holds: |v| v >= 95.0,
        },
    ],
};
