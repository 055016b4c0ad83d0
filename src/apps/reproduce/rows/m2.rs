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
    what: "MNIST with 100 and 1000 labels: the classifier alone, M2, and M1+M2",
    source: "Kingma et al. 2014, table 1",
    differs: "tens of epochs in place of thousands; alpha 10",
    takes: "40 min",
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
            options: of!("m2", "1000", "40", "--latent 50 --alpha 10 --beta 3"),
            seeds: &[0],
            samples: 0,
        },
    ],
    checks: &[
        accuracy!("alone-100", "the classifier with 100 labels", "74.2", "any number", 0.0),
        accuracy!("m2-100", "M2 with 100 labels", "88.0", "at least 88", 88.0),
        accuracy!("alone-1000", "the classifier with 1000 labels", "89.3", "any number", 0.0),
        accuracy!("m2-1000", "M2 with 1000 labels", "96.4", "at least 96", 96.0),
    ],
};
