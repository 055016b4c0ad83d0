//! Semi-supervised learning: M2 and M1+M2 against the classifier alone.

use super::super::{Check, Planned, Row};

macro_rules! of {
    ($model:literal, $labels:literal, $epochs:literal, $more:literal) => {
        concat!(
            "--data {data}/mnist --preset classic --binarise dynamic --batch 200 --hidden 400 --model ",
            $model,
            " --labels ",
            $labels,
            " --epochs ",
            $epochs,
            " ",
            $more
        )
    };
}

macro_rules! accuracy {
    ($id:literal, $what:literal, $paper:literal, $accepted:literal, $least:literal) => {
        Check {
            what: concat!("right on the test rows, ", $what, ", %"),
            paper: $paper,
            accepted: $accepted,
            value: |found| 100.0 * found.accuracy($id),
            holds: |v| v >= $least,
        }
    };
}

pub static ROW: Row = Row {
    name: "m2",
    what: "MNIST with 100 and 1000 labels: the classifier alone, and M2",
    source: "Kingma et al. 2014, table 1",
    differs: "40 and 80 epochs in place of thousands; 784-400-50, ReLU; alpha 10; the KL, that of labels with it, weighted by 3, without \
              which accuracy stays below 80 % for as long",
    takes: "20 min",
    runs: &[
        Planned { id: "alone-100", options: of!("classifier", "100", "5", ""), seeds: &[0], samples: 0 },
        Planned { id: "alone-1000", options: of!("classifier", "1000", "5", ""), seeds: &[0], samples: 0 },
        Planned {
            id: "m2-100",
            options: of!("m2", "100", "40", "--latent 50 --alpha 10 --beta 3"),
            seeds: &[0],
            samples: 0,
        },
        Planned {
            id: "m2-1000",
            options: of!("m2", "1000", "80", "--latent 50 --alpha 10 --beta 3"),
            seeds: &[0],
            samples: 0,
        },
    ],
    uses: &[],
    checks: &[
        accuracy!("alone-100", "the classifier with 100 labels", "74.2", "any number", 0.0),
        accuracy!("m2-100", "M2 with 100 labels", "88.0", "at least 88", 88.0),
        accuracy!("alone-1000", "the classifier with 1000 labels", "89.3", "any number", 0.0),
        accuracy!("m2-1000", "M2 with 1000 labels", "96.4", "at least 96", 96.0),
    ],
};

pub static STACKED: Row = Row {
    name: "m1+m2",
    what: "MNIST with 100 labels: M2 over the codes of a VAE",
    source: "Kingma et al. 2014, table 1",
    differs: "8 epochs of M1, 784-400-30, and 90 of M2, 30-500-30, in place of thousands; ReLU; alpha 10",
    takes: "10 min",
    runs: &[
        Planned {
            id: "m1",
            options: "--data {data}/mnist --preset classic --binarise dynamic --batch 200 --hidden 400 --latent 30 --epochs 8",
            seeds: &[0],
            samples: 0,
        },
        Planned {
            id: "m2-100",
            options: "--second-stage {run:m1} --preset classic --model m2 --labels 100 --likelihood gaussian-learned --batch 200 \
                      --hidden 500 --latent 30 --alpha 10 --learning-rate 2e-3 --schedule cosine --epochs 90",
            seeds: &[0],
            samples: 0,
        },
    ],
    uses: &[],
    checks: &[accuracy!("m2-100", "M1+M2 with 100 labels", "96.7", "at least 95", 95.0)],
};
