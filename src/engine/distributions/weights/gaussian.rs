//! Weights that are independent Gaussians, drawn once a step: Bayes by Backprop.

use std::sync::Arc;

use strum::{EnumString, VariantNames};

use super::{WeightDistribution, WeightDraw, WeightPrior};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::graph::{Around, AroundNoise, Init, Tensor};

/// w = μ + σ ε with σ = ln(1 + eᵖ) and ε ~ N(0, I): the parameter holds μ, and one more, named as it is with [`SPREAD`] behind, ρ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GaussianWeights {
    /// Which networks have such weights.
    pub scope: Scope,
    /// p(w).
    pub prior: WeightPrior,
    /// σ before the first step.
    pub start: f32,
    /// What rows have in common.
    pub noise: Noise,
}

/// What the name of ρ ends with.
pub const SPREAD: &str = ".rho";

/// Networks of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Scope {
    /// All of them.
    All,
    /// Those that lead from codes to rows, or to codes nearer to the data.
    Decoder,
    /// All others: those that lead from rows to codes, and those that tell labels.
    Encoder,
}

/// How the noise ε of a step is dealt to the rows of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Noise {
    /// All rows have the same.
    Shared,
    /// Dense layers turn its signs, for every row in its own way (flipout: Wen et al. 2018): gradients of a batch vary less.
    Flipout,
    /// Dense layers draw what they give in place of weights, for every row anew: y ~ N(x Mᵀ + μ_b, x² (σ²)ᵀ + σ_b²) (local reparameterisation:
    /// Kingma, Salimans & Welling 2015, equation 6).
    Local,
}

#[derive(Clone, Copy, EnumString, VariantNames)]
#[strum(serialize_all = "kebab-case")]
enum PriorName {
    Gaussian,
    ScaleMixture,
}

pub(super) static PIECE: Piece<dyn WeightDistribution> = Piece {
    about: About {
        kind: Kind::WeightDistribution,
        id: "bayes-by-backprop",
        aliases: &[],
        name: "every weight and bias is a Gaussian of its own, drawn once a step; its KL is counted once an epoch",
        formula: "w = μ + ln(1 + eᵖ) ε, ε ~ N(0, 1); loss + KL(q(w) ‖ p(w))/N for N training rows",
        source: "Blundell et al. 2015, equations 2, 7 and 8; flipout: Wen et al. 2018, equation 4; local: Kingma, Salimans & Welling 2015, equation 6",
        settings: &[
            Setting {
                name: "scope",
                default: Usual::Word("all"),
                bounds: Bounds::OneOf(Scope::VARIANTS),
                meaning: "the networks whose weights are drawn; encoder is all that is no decoder",
            },
            Setting {
                name: "prior",
                default: Usual::Word("gaussian"),
                bounds: Bounds::OneOf(PriorName::VARIANTS),
                meaning: "p(w): N(0, σ₁²), or the mixture π N(0, σ₁²) + (1 − π) N(0, σ₂²)",
            },
            Setting {
                name: "sigma",
                default: Usual::Number(0.1),
                bounds: Bounds::Positive,
                meaning: "σ₁, the standard deviation of the prior",
            },
            Setting {
                name: "narrow",
                default: Usual::Number(0.0025),
                bounds: Bounds::Positive,
                meaning: "σ₂, that of the mixture's other part",
            },
            Setting {
                name: "share",
                default: Usual::Number(0.5),
                bounds: Bounds::PositiveBelow(1.0),
                meaning: "π, the share of the first part in the mixture",
            },
            Setting {
                name: "start",
                default: Usual::Number(0.01),
                bounds: Bounds::Positive,
                meaning: "the standard deviation of every weight before the first step",
            },
            Setting {
                name: "noise",
                default: Usual::Word("shared"),
                bounds: Bounds::OneOf(Noise::VARIANTS),
                meaning: "whether all rows of a batch have one draw, or dense layers turn its signs for each row (flipout), or draw their outputs for each row (local); \
                          the latter two take two products",
            },
        ],
        example: "elbo train --network-weights bayes-by-backprop:scope=decoder,sigma=0.2",
    },
    build: |settings| {
        let [sigma, narrow, share, start] = ["sigma", "narrow", "share", "start"].map(|name| settings.get(name) as f32);
        let prior = match settings.word("prior") {
            PriorName::Gaussian => WeightPrior::Gaussian { sigma },
            PriorName::ScaleMixture => WeightPrior::ScaleMixture { share, sigma, narrow },
        };
        Arc::new(GaussianWeights { scope: settings.word("scope"), prior, start, noise: settings.word("noise") })
    },
};

impl GaussianWeights {
    /// Whether the parameter of a full name is one of these weights: a weight or a bias of a layer within the scope. What a prior, a
    /// likelihood or a normalisation learns is a point.
    pub fn are_of(&self, name: &str) -> bool {
        let mut parts = name.split('.').rev();
        let is_of_layer = matches!(parts.next(), Some("weight" | "bias"));
        let mut outside = name.split('.').filter(|part| matches!(*part, "prior" | "likelihood"));
        // The layer behind the decoder of a stochastic layer is named `output`.
        let decodes = name.split('.').any(|part| matches!(part, "decoder" | "output"));
        let is_within = match self.scope {
            Scope::All => true,
            Scope::Decoder => decodes,
            Scope::Encoder => !decodes,
        };
        is_of_layer && outside.next().is_none() && is_within
    }
}

impl WeightDistribution for GaussianWeights {
    fn draw<'g>(&self, name: &str, mean: Tensor<'g>) -> Option<WeightDraw<'g>> {
        if !self.are_of(name) {
            return None;
        }
        let (graph, shape) = (mean.graph(), mean.shape());
        let start = Init::Constant(libm::logf(libm::expm1f(self.start)));
        let deviation = graph.param(&format!("{name}{SPREAD}"), shape, start).softplus();
        let off = deviation * graph.normal(graph.stream(), shape);
        let weights = mean + off;
        // Over rows first, which is work for many threads.
        let outer: Vec<usize> = (0..shape.len() - 1).collect();
        let kl = self.prior.kl(mean, deviation, weights).sum(&outer).sum_rows();
        let around = match self.noise {
            Noise::Shared => None,
            Noise::Flipout => Some(Around { mean, by: off, noise: AroundNoise::Signs }),
            Noise::Local => Some(Around { mean, by: deviation, noise: AroundNoise::Gaussian }),
        };
        Some(WeightDraw { weights, kl: kl.reshape(&[1, 1]), around })
    }

    fn is_of_rows_alone(&self) -> bool {
        self.noise == Noise::Local
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::graph::eval::{Values, evaluate};

    const MEAN: [f64; 6] = [0.3, -0.2, 0.05, 0.7, -0.4, 0.0];
    const RHO: [f64; 6] = [-1.0, 0.5, -2.0, -0.3, 0.1, -1.5];

    fn softplus(x: f64) -> f64 {
        x.exp().ln_1p()
    }

    fn values() -> Values {
        let mut values = Values::default();
        values.tensors.insert("decoder.0.weight".into(), MEAN.to_vec());
        values.tensors.insert("decoder.0.weight.rho".into(), RHO.to_vec());
        values.step.seed = [7, 1];
        values
    }

    /// A draw of six weights; the numbers that it is made with, its KL, and the gradients of loss and KL by μ and ρ.
    fn drawn(prior: WeightPrior) -> [Vec<f64>; 5] {
        let graph = Graph::of_training();
        let mean = graph.param("decoder.0.weight", &[2, 3], Init::Constant(0.0));
        let weights = GaussianWeights { scope: Scope::All, prior, start: 0.05, noise: Noise::Shared };
        let draw = weights.draw("decoder.0.weight", mean).expect("it is a weight");
        let noise = graph.normal(1, &[2, 3]);
        let rho = graph.parameter("decoder.0.weight.rho");
        let [by_mean, by_rho] = <[_; 2]>::try_from(loss(&draw).gradients(&[mean, rho])).unwrap();
        let found = evaluate(&values(), &[noise, draw.weights, draw.kl, by_mean, by_rho]);
        <[_; 5]>::try_from(found).unwrap()
    }

    /// Something of the weights, and 1.5 times their KL.
    fn loss<'g>(draw: &WeightDraw<'g>) -> Tensor<'g> {
        let kl = draw.kl * 1.5;
        kl + (draw.weights.square() * 0.7 + draw.weights).sum(&[0, 1])
    }

    const MIXTURE: WeightPrior = WeightPrior::ScaleMixture { share: 0.3, sigma: 0.8, narrow: 0.05 };

    fn log_normal(x: f64, sigma: f64) -> f64 {
        -0.5 * (2.0 * std::f64::consts::PI * sigma * sigma).ln() - 0.5 * (x / sigma).powi(2)
    }

    /// −½ ln 2πe σ² − ln p(w), weight by weight.
    fn mixture_by_hand(w: &[f64], narrow: f64) -> f64 {
        let one = |(w, rho): (&f64, &f64)| {
            let entropy = softplus(*rho).ln() + 0.5 * (2.0 * std::f64::consts::PI * std::f64::consts::E).ln();
            -entropy - (0.3 * log_normal(*w, 0.8).exp() + 0.7 * log_normal(*w, narrow).exp()).ln()
        };
        w.iter().zip(&RHO).map(one).sum()
    }

    /// ln(σ_p/σ) + (σ² + μ²)/(2σ_p²) − ½, weight by weight.
    fn gaussian_by_hand(sigma: f64, spread: impl Fn(f64) -> f64) -> f64 {
        let one = |(mean, rho): (&f64, &f64)| {
            let q = spread(*rho);
            (sigma / q).ln() + (q * q + mean * mean) / (2.0 * sigma * sigma) - 0.5
        };
        MEAN.iter().zip(&RHO).map(one).sum()
    }

    #[test]
    fn a_draw_is_mean_and_noise_as_wide_as_the_spread() {
        let [noise, w, ..] = drawn(WeightPrior::Gaussian { sigma: 0.6 });
        let by_hand: Vec<f64> = (0..6).map(|i| MEAN[i] + softplus(RHO[i]) * noise[i]).collect();
        assert!(w.iter().zip(&by_hand).all(|(a, b)| (a - b).abs() < 1e-12), "{w:?}, {by_hand:?}");
        assert!(noise.iter().any(|e| e.abs() > 0.3));
    }

    #[test]
    fn the_kl_is_that_of_all_weights_by_hand() {
        let [.., kl, _, _] = drawn(WeightPrior::Gaussian { sigma: 0.6 });
        assert!((kl[0] - gaussian_by_hand(0.6, softplus)).abs() < 1e-6, "{kl:?}");
        // Another prior, and spreads that are ρ's exponential, are other numbers.
        assert!((kl[0] - gaussian_by_hand(0.5, softplus)).abs() > 0.1);
        assert!((kl[0] - gaussian_by_hand(0.6, f64::exp)).abs() > 0.1);
        let [_, w, kl, ..] = drawn(MIXTURE);
        assert!((kl[0] - mixture_by_hand(&w, 0.05)).abs() < 1e-5, "{kl:?}, {}", mixture_by_hand(&w, 0.05));
        assert!((kl[0] - mixture_by_hand(&w, 0.06)).abs() > 0.1);
        assert!((kl[0] - mixture_by_hand(&MEAN, 0.05)).abs() > 0.1, "at the draw, not at the mean");
    }

    #[test]
    fn mean_and_spread_have_the_gradients_of_the_loss() {
        for prior in [WeightPrior::Gaussian { sigma: 0.6 }, MIXTURE] {
            let [.., by_mean, by_rho] = drawn(prior);
            let at = |name: &str, i: usize, h: f64| {
                let graph = Graph::of_training();
                let mean = graph.param("decoder.0.weight", &[2, 3], Init::Constant(0.0));
                let draw = GaussianWeights { scope: Scope::All, prior, start: 0.05, noise: Noise::Shared }
                    .draw("decoder.0.weight", mean);
                let mut values = values();
                values.tensors.get_mut(name).unwrap()[i] += h;
                evaluate(&values, &[loss(&draw.unwrap())])[0][0]
            };
            for (name, gradient) in [("decoder.0.weight", &by_mean), ("decoder.0.weight.rho", &by_rho)] {
                for (i, found) in gradient.iter().enumerate() {
                    let slope = (at(name, i, 1e-5) - at(name, i, -1e-5)) / 2e-5;
                    assert!(
                        (found - slope).abs() < 1e-6 * (1.0 + slope.abs()),
                        "{prior:?}, {name} {i}: {found}, {slope}"
                    );
                    assert!(slope.abs() > 1e-3, "{name} {i} does something");
                }
            }
        }
    }

    #[test]
    fn the_first_spread_is_the_one_that_is_asked_for() {
        let graph = Graph::of_training();
        let weights = GaussianWeights { scope: Scope::All, prior: MIXTURE, start: 0.05, noise: Noise::Shared };
        weights.draw("a.bias", graph.param("a.bias", &[4], Init::Constant(0.0)));
        let spec = graph.parameters().pop().unwrap();
        assert_eq!((spec.name.as_str(), &spec.shape[..]), ("a.bias.rho", &[4][..]));
        assert!(spec.start(1, 0).iter().all(|rho| (softplus(f64::from(*rho)) - 0.05).abs() < 1e-7));
    }

    #[test]
    fn weights_are_those_of_layers_within_the_scope() {
        let of = |scope: Scope, name: &str| {
            GaussianWeights { scope, prior: MIXTURE, start: 0.1, noise: Noise::Shared }.are_of(name)
        };
        for (name, expected) in [
            ("encoder.0.weight", [true, false, true]),
            ("head.bias", [true, false, true]),
            ("classifier.1.weight", [true, false, true]),
            ("decoder.2.bias", [true, true, false]),
            ("layer2.decoder.0.weight", [true, true, false]),
            ("layer2.output.weight", [true, true, false]),
            ("layer2.encoder.0.weight", [true, false, true]),
            ("decoder.0.norm.scale", [false; 3]),
            ("prior.maf.0.hidden.weight", [false; 3]),
            ("likelihood.log_var", [false; 3]),
        ] {
            assert_eq!([Scope::All, Scope::Decoder, Scope::Encoder].map(|scope| of(scope, name)), expected, "{name}");
        }
    }
}
