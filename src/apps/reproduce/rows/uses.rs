//! What trained models are used for: rows in fewer bits, and rows without their noise.

use std::io;

use super::super::super::saved::Saved;
use super::super::{Check, Planned, Row, Use};
use crate::error::Result;

/// What the bits of a pixel are called.
const BITS: &str = "bits of a pixel";
/// What the squared error of rebuilt rows is called.
const REBUILT: &str = "squared error of rebuilt rows";

pub static COMPRESS: Row = Row {
    name: "compress",
    what: "MNIST's test set without loss, 256 greys, bits of a pixel",
    source: "Townsend, Bird & Barber 2019, table 2 (1.41); Kingma, Abbeel & Ho 2019 (Bit-Swap, 1.29), as quoted",
    differs: "two layers of 600 and 50 dimensions, a mixture of three rounded logistics, 25 epochs; one group of codes, as in the first paper",
    takes: "15 min",
    runs: &[Planned {
        id: "vae",
        options: "--data {data}/mnist --validation 5000 --latent 50 --hidden 600,600 --likelihood discretized-logistic-mixture:components=3 --epochs 25",
        seeds: &[0],
        samples: 0,
    }],
    uses: &[Use { run: "vae", what: BITS, measure: bits }],
    checks: &[
        Check {
            what: "bits of a pixel, all counted but the model",
            paper: "1.41; Bit-Swap 1.29",
            accepted: "at most 1.392, which xz needs for all rows together",
            value: |found| found.used("vae", BITS),
            holds: |v| v <= 1.392,
        },
        Check {
            what: "the same over -ELBO of those rows",
            paper: "1.01 at most",
            accepted: "from 0.995 to 1.01",
            value: |found| {
                found.used("vae", BITS) / found.mean("vae", |e| e.record.bits_per_dimension.unwrap_or(f64::NAN))
            },
            holds: |v| (0.995..=1.01).contains(&v),
        },
    ],
};

pub static DENOISE: Row = Row {
    name: "denoise",
    what: "autoencoders that saw noise and that did not, on MNIST's test set with noise of deviation 0.5",
    source: "Vincent et al. 2008 (what a code learns of corrupted rows); no figure of this kind",
    differs: "the paper corrupts by masking and judges features; here the squared error of rebuilt pixels against those without noise",
    takes: "4 min",
    runs: &[
        Planned { id: "clean", options: NOISY, seeds: &[1], samples: 0 },
        Planned { id: "plain", options: PLAIN, seeds: &[1], samples: 0 },
    ],
    uses: &[
        Use { run: "clean", what: REBUILT, measure: rebuilt },
        Use { run: "plain", what: REBUILT, measure: rebuilt },
    ],
    checks: &[
        Check {
            what: "squared error of a pixel, rebuilt by the one that saw noise",
            paper: "",
            accepted: "at most 0.015",
            value: |found| found.used("clean", REBUILT),
            holds: |v| v <= 0.015,
        },
        Check {
            what: "that of the other over it",
            paper: "",
            accepted: "at least 2",
            value: |found| found.used("plain", REBUILT) / found.used("clean", REBUILT),
            holds: |v| v >= 2.0,
        },
    ],
};

const PLAIN: &str = "--model ae --data {data}/mnist --hidden 512,256 --latent 32 --epochs 10";
const NOISY: &str =
    "--model ae --data {data}/mnist --hidden 512,256 --latent 32 --epochs 10 --corrupt gaussian:sigma=0.5";

/// Bits of a value of held-out rows, compressed.
fn bits(saved: &mut Saved) -> Result<f64> {
    let splits = saved.data()?;
    let (_, rows) = splits.evaluation_split();
    Ok(saved.compress(rows, false, &mut io::sink())?.bits_per_dimension)
}

/// The mean squared error of what is made of held-out rows with noise, against these without.
fn rebuilt(saved: &mut Saved) -> Result<f64> {
    Ok(saved.cleaned(&"gaussian:sigma=0.5".parse()?, 1)?.rebuilt)
}
