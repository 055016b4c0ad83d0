//! What is computed from codes after a run: how well they separate the factors that made the data, and how close they
//! lie to the prior.
//!
//! Nothing here knows of models, graphs or devices: codes are rows of numbers on the host. Two tables hold everything,
//! and a new member of either is one file and one line.
//!
//! | table | compares | members |
//! |---|---|---|
//! | [`METRICS`] | codes with known factors ([`Coded`]) | MIG, SAP, DCI, modularity, FactorVAE score, β-VAE score |
//! | [`DISTANCES`] | two samples ([`Points`]), above all codes with draws from the prior | MMD, KL, sliced Wasserstein |
//!
//! [`frechet_distance`] compares two samples of features by their means and covariances.
//!
//! No metric stands alone: [`Metric::measure`] gives beside each score what the same code reaches with its rows shuffled,
//! when nothing is left to find, and what the factors themselves reach as a code. [`Distance::from_prior`] gives beside
//! each distance that of a second draw from the prior.
//!
//! ```
//! use elbo::data::Factors;
//! use elbo::engine::evaluation::{Coded, METRICS};
//!
//! // 400 rows of two factors, 4 and 5 values; the code tells the first, and nothing of the second.
//! let values: Vec<u32> = (0..400u32).flat_map(|row| [row % 4, row / 4 % 5]).collect();
//! let codes: Vec<f32> = values.chunks(2).flat_map(|row| [row[0] as f32, 0.0]).collect();
//! let factors = Factors { names: vec!["shape".into(), "scale".into()], sizes: vec![4, 5], values };
//! let coded = Coded::new(&codes, 2, &factors)?;
//!
//! let mig = METRICS.iter().find(|metric| metric.id == "mig").unwrap();
//! let found = &mig.measure(&coded, 0)?[0];
//! assert!((found.value.mean - 0.5).abs() < 1e-6); // the mean of 1 for shape and 0 for scale
//! assert_eq!(found.value.parts[0].0, "shape");
//! # Ok::<(), elbo::Error>(())
//! ```

mod coded;
pub mod distances;
mod forest;
mod gaps;
mod groups;
pub mod information;
mod logistic;
mod mean;
pub mod metrics;
mod pca;
mod ranking;

pub use coded::{Coded, Factor};
pub use distances::{
    Compared, DISTANCES, Distance, Estimate, Points, frechet_distance, gaussian_kl, mmd, sliced_wasserstein,
};
pub use gaps::{fill_gaps, observed_means};
pub use logistic::Logistic;
pub use mean::mean_interval;
pub use metrics::{METRICS, Measured, Metric, Score, Value};
pub use pca::{Projection, principal_axes};
pub use ranking::{Interval, NormalScores, auroc, average_precision, rank_correlation};

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

/// The generator of one use of a seed; `purpose` keeps the draws of different uses apart.
fn generator(seed: u64, purpose: [u8; 8]) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed ^ u64::from_be_bytes(purpose))
}
