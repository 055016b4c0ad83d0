//! The VAE of most tutorials.

use super::super::{Check, Planned, Row};

pub static ROW: Row = Row {
    name: "classic",
    what: "the VAE of most tutorials on MNIST: test loss and KL after ten epochs",
    source: "the VAE among PyTorch's examples, after Kingma & Welling 2014; figures of its log and of three seeds",
    differs: "nothing",
    takes: "30 s",
    runs: &[Planned { id: "vae", options: "--data {data}/mnist --preset classic", seeds: &[1, 2, 3], samples: 0 }],
    uses: &[],
    checks: &[
        Check {
            what: "test loss, nats per example, mean over seeds",
            paper: "105.5 to 105.7",
            accepted: "105.3 to 105.8",
            value: |found| found.mean("vae", |e| e.record.loss),
            holds: |v| (105.3..=105.8).contains(&v),
        },
        Check {
            what: "test KL, nats per example, mean over seeds",
            paper: "25.0 to 25.2",
            accepted: "24.7 to 25.4",
            value: |found| found.mean("vae", |e| e.record.kl),
            holds: |v| (24.7..=25.4).contains(&v),
        },
    ],
};
