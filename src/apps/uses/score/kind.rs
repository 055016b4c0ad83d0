//! What strangeness can be measured by.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// A score; the higher it is, the stranger is a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScoreKind {
    /// −ELBO, a mean over codes drawn from the posterior; of a model without likelihood its loss.
    Elbo,
    /// −ln p(x) by importance sampling.
    Likelihood,
    /// −ln p(x) + ln p₀(x), p₀ being a background model (Ren et al. 2019, equation 4), of −ELBO where [`ScoreKind::Likelihood`] is not among
    /// the scores.
    LikelihoodRatio,
    /// −E_q\[ln p(x | z)\], a mean over codes drawn from the posterior.
    Reconstruction,
    /// ‖x − E\[x | z\]‖² at the posterior mean, over what is known of the row, in the units that rows have (Sakurada & Yairi 2014).
    SquaredError,
    /// 1 − SSIM of a picture and E\[x | z\] at the posterior mean (Wang et al. 2004; as a score of pictures Bergmann et al. 2019).
    Ssim,
    /// The Mahalanobis distance of a row's code under the aggregate posterior.
    Latent,
    /// −ELBO in bits less the bits that general compressors make of the picture (Serrà et al. 2020).
    Complexity,
    /// The variance of −ELBO over draws of the weights, codes being drawn by the same numbers each time.
    Disagreement,
    /// E\[−ELBO\] + Var\[−ELBO\] over draws of the weights: the widely applicable information criterion of one row, with the bound in place of
    /// ln p(x) (Watanabe 2010; as a score of rows Choi, Jang & Alemi 2018, equation 1).
    Waic,
    /// −2 Σ ln p_i of the p-values of the other scores that are asked for (Fisher 1932).
    Combined,
}

impl ScoreKind {
    /// All of them.
    pub const ALL: [ScoreKind; 11] = [
        ScoreKind::Elbo,
        ScoreKind::Likelihood,
        ScoreKind::LikelihoodRatio,
        ScoreKind::Reconstruction,
        ScoreKind::SquaredError,
        ScoreKind::Ssim,
        ScoreKind::Latent,
        ScoreKind::Complexity,
        ScoreKind::Disagreement,
        ScoreKind::Waic,
        ScoreKind::Combined,
    ];

    /// As it is asked for, and as its column is called.
    pub fn name(self) -> &'static str {
        match self {
            ScoreKind::Elbo => "elbo",
            ScoreKind::Likelihood => "likelihood",
            ScoreKind::LikelihoodRatio => "likelihood_ratio",
            ScoreKind::Reconstruction => "reconstruction",
            ScoreKind::SquaredError => "squared_error",
            ScoreKind::Ssim => "ssim",
            ScoreKind::Latent => "latent",
            ScoreKind::Complexity => "complexity",
            ScoreKind::Disagreement => "disagreement",
            ScoreKind::Waic => "waic",
            ScoreKind::Combined => "combined",
        }
    }

    /// What it is, with its unit.
    pub fn meaning(self) -> &'static str {
        match self {
            ScoreKind::Elbo => "-ELBO, nats",
            ScoreKind::Likelihood => "-ln p(x) by importance sampling, nats",
            ScoreKind::LikelihoodRatio => "what the row costs beyond what the background model pays for it, nats",
            ScoreKind::Reconstruction => "-ln p(x|z) at codes of the posterior, nats",
            ScoreKind::SquaredError => "squared distance of the row from what the model makes of it",
            ScoreKind::Ssim => "1 - SSIM of the picture and what the model makes of it",
            ScoreKind::Latent => "Mahalanobis distance of the code, deviations",
            ScoreKind::Complexity => "-ELBO less the size of the picture without loss, bits",
            ScoreKind::Disagreement => "variance of -ELBO over draws of the weights, or over members, nats²",
            ScoreKind::Waic => "mean and variance, added up, of -ELBO over draws of the weights, or over members",
            ScoreKind::Combined => "-2 ln of the product of the p-values of the other scores",
        }
    }
}

impl fmt::Display for ScoreKind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ScoreKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<ScoreKind> {
        ScoreKind::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| {
            let known = ScoreKind::ALL.map(ScoreKind::name).join(", ");
            Error::invalid(format!("there is no score `{text}`: there are {known}"))
        })
    }
}
