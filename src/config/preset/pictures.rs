//! Presets of convolutional networks.

use super::Preset;
use crate::catalogue::Spec;
use crate::config::{Config, DataConfig, ModelConfig, Schedule, TrainingConfig};
use crate::nn::{ACTIVATION, Activation};

/// The network of pictures that are large enough for convolutions, where nobody names one: narrow, so that a processor learns from
/// some thousand pictures a second.
pub(in crate::config) fn convolutions() -> Spec {
    let channels: &[usize] = &[16, 32, 64];
    Spec::new("conv").with("channels", channels).with("hidden", 256.0).with(ACTIVATION.name, Activation::LeakyRelu)
}

/// A network, how many latent dimensions, Adam at a constant rate, and built-in sprites of the size that the network is for.
fn of(preset: Preset, (encoder, latent): (Spec, usize), resolution: usize, training: TrainingConfig) -> Config {
    let usual = Config::default();
    Config {
        preset,
        data: DataConfig { resolution, ..usual.data },
        model: ModelConfig { encoder, latent, ..usual.model },
        training: TrainingConfig {
            optimiser: Spec::new("adam"),
            schedule: Schedule::Constant,
            kl_warmup_epochs: 0,
            ..training
        },
        ..usual
    }
}

/// The VAE of Keras' examples (<https://keras.io/examples/generative/vae/>): two latent dimensions, batches of 128, Adam at 0.001 with
/// Keras' ε of 1e-7, 30 epochs. There it learns all 70,000 digits.
pub(super) fn keras() -> Config {
    let training = TrainingConfig { epochs: 30, batch: 128, learning_rate: 1e-3, ..Config::default().training };
    let config = of(Preset::KerasConv, (Spec::new("keras-conv"), 2), 28, training);
    let optimiser = Spec::new("adam").with("epsilon", 1e-7);
    Config { training: TrainingConfig { optimiser, ..config.training }, ..config }
}

/// The VAE of the disentanglement papers on 64×64 (Burgess et al. 2018, <https://arxiv.org/abs/1804.03599>): ten latent dimensions,
/// batches of 64, Adam at 0.0005.
pub(super) fn burgess() -> Config {
    let training = TrainingConfig { epochs: 30, batch: 64, learning_rate: 5e-4, ..Config::default().training };
    of(Preset::Burgess, (Spec::new("burgess"), 10), 64, training)
}

/// Convolutions alone on small colour pictures, 128 latent dimensions, the probability of each of 256 levels.
pub(super) fn dcgan() -> Config {
    let training = TrainingConfig { epochs: 30, batch: 128, learning_rate: 1e-3, ..Config::default().training };
    let config = of(Preset::Dcgan, (Spec::new("dcgan"), 128), 32, training);
    Config { model: ModelConfig { likelihood: Spec::new("discretized-logistic"), ..config.model }, ..config }
}

/// Residual blocks on small colour pictures, 128 latent dimensions, the probability of each of 256 levels.
pub(super) fn resnet() -> Config {
    let training = TrainingConfig { epochs: 30, batch: 64, learning_rate: 5e-4, ..Config::default().training };
    let config = of(Preset::Resnet, (Spec::new("resnet").with("norm", "group"), 128), 32, training);
    Config { model: ModelConfig { likelihood: Spec::new("discretized-logistic"), ..config.model }, ..config }
}

/// Quantised codes with the sizes and weights of Sonnet's example (<https://github.com/google-deepmind/sonnet>, `vqvae_example.ipynb`):
/// 8×8 vectors of 64 numbers, a codebook of 512, batches of 32, Adam at 0.0003. Sonnet weighs means, MSE/v + ¼ mean (z − e)² with v the
/// variance of the pixels, about 0.25²; for sums over 3072 pixels and 4096 numbers of a code, ¼ becomes ¼ · 3072/(2 · 4096) = 0.09375.
pub(super) fn vq_vae() -> Config {
    let training = TrainingConfig { epochs: 20, batch: 32, learning_rate: 3e-4, ..Config::default().training };
    let config = of(Preset::VqVae, (Spec::new("resnet").with("code", "spatial"), 8 * 8 * 64), 32, training);
    let kind = "vq-vae:commitment=0.09375".parse().expect("a model of the list, within its bounds");
    let likelihood = Spec::new("gaussian").with("sigma", 0.25);
    Config { model: ModelConfig { kind, likelihood, ..config.model }, ..config }
}

/// The very deep VAE of Child 2021 in small: ten stochastic layers of 64 channels where the paper has 45 of 384, on CIFAR-10. As there, a
/// mixture of logistics whose colours hang on each other, a learning rate that is warmed up, a running mean of the weights that is measured
/// and drawn with, and steps that are skipped where the gradient is too long: above the paper's 400, which is about the loss of one of 3,072
/// values.
pub(super) fn very_deep() -> Config {
    let training = TrainingConfig {
        epochs: 30,
        batch: 32,
        learning_rate: 1e-3,
        warmup_steps: 100,
        average: 0.999,
        skip_norm: 400.0 * 3072.0,
        ..Config::default().training
    };
    let usual = Config::default().model;
    let config = of(Preset::VeryDeep, (usual.encoder, usual.latent), 32, training);
    let kind = "very-deep".parse().expect("a model of the list");
    let likelihood = Spec::new("discretized-logistic-mixture").with("components", 5.0).with("channels", 3.0);
    let training = TrainingConfig { schedule: Schedule::Cosine, ..config.training };
    Config { model: ModelConfig { kind, likelihood, ..config.model }, training, ..config }
}
