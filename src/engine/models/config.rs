//! What learns: the table `[model]`.

#[cfg(feature = "cli")]
use std::str::FromStr;

use super::Architecture;
use crate::catalogue::{Bounds, Spec};
use crate::error::Result;
use crate::nn::{ACTIVATION, Activation, MAX_UNITS, UNITS};
#[cfg(feature = "cli")]
use crate::settings::whole;
use crate::settings::{refuse_both, set_short, settings};

/// The most layers of a stack: `latent` and `upper`.
pub const MAX_LAYERS: usize = 8;

settings! {
    /// What learns: an encoder, a latent space and a decoder.
    ModelConfig, options ModelOptions, heading "Model", short by fold;

    own {
        /// Which kind of model; `elbo models` lists them
        #[arg(long = "model", value_name = "NAME[:SETTING=X,...]", value_parser = Architecture::from_str)]
        kind: Architecture = Architecture::default();
        /// The hidden layers of the encoder; `elbo models` lists the networks
        ///
        /// mlp:400,200 is a multilayer perceptron of 400 and 200 units, residual:256,blocks=4 has four residual blocks.
        #[arg(value_name = "NAME[:SETTING=X,...]", value_parser = Spec::from_str)]
        encoder: Spec = perceptron(&[512, 256], Activation::Silu);
        /// The hidden layers of the decoder [default: those of the encoder the other way round]
        #[arg(value_name = "NAME[:SETTING=X,...]", value_parser = Spec::from_str)]
        decoder: Spec;
    }
    short {
        /// Units of each hidden layer of the encoder, from the data inwards: short for --encoder mlp:N,N...
        #[arg(value_name = "N,N...", value_delimiter = ',', value_parser = whole)]
        hidden: Vec<usize>;
        /// Units of each hidden layer of the decoder, from the code outwards: short for --decoder mlp:N,N...
        #[arg(value_name = "N,N...", value_delimiter = ',', value_parser = whole)]
        decoder_hidden: Vec<usize>;
        /// The nonlinearity of every hidden layer: short for the setting activation of encoder and decoder
        #[arg(value_name = "NAME")]
        activation: Activation;
    }
    own {
        /// Dimensions of the latent space: how many numbers a code has
        #[arg(value_name = "N", value_parser = whole, aliases = ["latent-dim", "z-dim"])]
        latent: usize = 8 => (Bounds::Whole(1, MAX_UNITS));
        /// How the distance of a row from its reconstruction is measured
        ///
        /// The density p(x|z) whose negative logarithm is the reconstruction term of the loss: bernoulli for values from 0 to 1,
        /// gaussian:sigma=0.1 for any, and more that `elbo models` lists. For a plain autoencoder (--model ae), bernoulli is
        /// binary cross-entropy, and gaussian is squared error; bce and mse are understood as well.
        #[arg(value_name = "NAME[:SETTING=X,...]", value_parser = Spec::from_str, alias = "reconstruction")]
        likelihood: Spec = Spec::new("bernoulli");
    }
    short {
        /// Short for --likelihood gaussian:sigma=X, its standard deviation in the units of the data
        ///
        /// Smaller values make reconstructions sharper and codes say more.
        #[arg(value_name = "X")]
        sigma: f64;
    }
    own {
        /// The family of densities q(z|x) that codes are drawn from; `elbo models` lists them
        #[arg(value_name = "NAME[:SETTING=X,...]", value_parser = Spec::from_str)]
        posterior: Spec = Spec::new("diagonal-gaussian");
        /// The density p(z) of codes before anything is seen; `elbo models` lists them
        #[arg(value_name = "NAME[:SETTING=X,...]", value_parser = Spec::from_str)]
        prior: Spec = Spec::new("standard-normal");
        /// Why values are missing, where rows have gaps; `elbo models` lists the mechanisms
        ///
        /// at-random leaves it out, which is right where what is missing has no say in that. Where it has, as where large values are kept
        /// secret, self-masking or linear is learnt beside the values (not-MIWAE), with the objective iwae:samples=20 or the like; values
        /// that are filled in then say what was missing, and not what was told.
        #[arg(value_name = "NAME[:SETTING=X,...]", value_parser = Spec::from_str)]
        missing_mechanism: Spec = Spec::new("at-random");
        /// What is known of the weights of networks: a number each, or a density q(w); `elbo models` lists them
        ///
        /// bayes-by-backprop draws every weight from a Gaussian of its own, once a step, and all else works by their means; with
        /// scope=decoder or scope=encoder those of one side alone.
        #[arg(value_name = "NAME[:SETTING=X,...]", value_parser = Spec::from_str)]
        network_weights: Spec = Spec::new("point");
        /// What is minimised; `elbo models` lists them
        ///
        /// elbo is the negative ELBO with the KL term weighted by --beta. Others weigh parts of it, as beta-tcvae:beta=6, hold
        /// it, as free-bits:lambda=0.5, or use a tighter bound, as iwae:samples=5.
        #[arg(value_name = "NAME[:SETTING=X,...]", value_parser = Spec::from_str, alias = "loss")]
        objective: Spec = Spec::new("elbo");
        /// Weight of the KL term in the loss
        ///
        /// The loss is reconstruction + beta x KL. At 1 it is the negative ELBO. Above 1, codes say less, reconstructions are
        /// coarser, and single dimensions of the code tend to stand for single properties (beta-VAE, Higgins et al. 2017).
        /// Below 1, reconstructions are sharper, and rows drawn from the model worse.
        #[arg(value_name = "X", alias = "kl-weight")]
        beta: f64 = 1.0 => (Bounds::NotNegative, "1");
        /// Weight of the classification of labelled rows in the loss (--model m2)
        ///
        /// The loss per example is the bound on what is known of it, and alpha times the mean of -ln q(y|x) over labelled rows.
        #[arg(value_name = "X")]
        alpha: f64 = 1.0 => (Bounds::NotNegative, "1");
        /// Dimensions of the stochastic layers above the first, from the lower to the upper [default: half of --latent]
        ///
        /// Of models that have some (--model hierarchical, ladder), where --latent is the layer nearest to the data. Two hidden layers
        /// stand below each, half as wide as those below them: with --hidden 400 --upper 32,16, of 200 and of 100 units.
        #[arg(value_name = "N,N...", value_delimiter = ',', value_parser = whole)]
        upper: Vec<usize> => (Bounds::UpTo(MAX_LAYERS - 1, &UNITS), "16");
    }
}

/// A multilayer perceptron with these units in its layers.
pub(crate) fn perceptron(widths: &[usize], activation: Activation) -> Spec {
    Spec::new("mlp").with("hidden", widths).with(ACTIVATION.name, activation)
}

/// A multilayer perceptron with these units in its layers, and the activation of another network, where that has chosen one.
fn perceptron_like(network: &Spec, widths: &[usize]) -> Spec {
    let spec = Spec::new("mlp").with("hidden", widths);
    network.settings.get(ACTIVATION.name).map_or(spec.clone(), |activation| spec.with(ACTIVATION.name, activation))
}

impl ModelOptions {
    /// Writes what is short for others where it belongs.
    fn fold(&self, config: &mut ModelConfig) -> Result<()> {
        refuse_both("hidden", self.hidden.is_some(), "encoder", self.encoder.is_some())?;
        refuse_both("decoder-hidden", self.decoder_hidden.is_some(), "decoder", self.decoder.is_some())?;
        if let Some(widths) = &self.hidden {
            config.encoder = perceptron_like(&config.encoder, widths);
        }
        if let Some(widths) = &self.decoder_hidden {
            config.decoder = Some(perceptron_like(&config.encoder, widths));
        }
        set_short(ACTIVATION.name, self.activation, ("encoder", &self.encoder), &mut config.encoder)?;
        if let Some(decoder) = &mut config.decoder {
            set_short(ACTIVATION.name, self.activation, ("decoder", &self.decoder), decoder)?;
        }
        set_short("sigma", self.sigma, ("likelihood", &self.likelihood), &mut config.likelihood)
    }
}
