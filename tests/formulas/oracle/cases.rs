//! The runs that are compared, and that in each of them everything it has matters.

use super::densities::Density;
use super::faults::Fault;
use super::figures::{CODES, Figures};
use super::pictures::Changes;
use super::rows::Rows;
use super::run::{Hand, variance};
use super::settings::{Bend, Decay, Settings};

/// A run, and what could go wrong in it.
pub struct Case {
    /// What it is like.
    pub settings: Settings,
    /// What is learnt from.
    pub train: Rows,
    /// What is evaluated in the end.
    pub held_out: Rows,
    /// What must be seen.
    pub faults: Vec<Fault>,
}

impl Case {
    /// The run by hand.
    pub fn by_hand(&self, fault: Option<Fault>) -> Figures {
        Hand::new(&self.settings, fault).run(&self.train, &self.held_out)
    }

    /// The gradient norms of all steps.
    fn norms(&self) -> Vec<f64> {
        let (figures, steps) = (self.by_hand(None), self.settings.epochs * self.train.batches(self.settings.batch));
        (0..steps).map(|step| figures.get(&format!("gradient norm of step {step}"))[0]).collect()
    }
}

/// Greys that are binarised anew in each of 24 steps, the last of every four short; warm-ups of both kinds that end within
/// the run, a cosine, and a norm that some gradients exceed. Both words of the seed count.
pub fn greys() -> Case {
    let settings = Settings {
        variational: true,
        features: 11,
        hidden: vec![7, 5],
        latent: 3,
        bend: Bend::Tanh,
        density: Density::Bernoulli,
        binarise: true,
        changes: None,
        beta: 0.7,
        kl_warmup: 2,
        kl_cycle: 0,
        epochs: 6,
        batch: 8,
        learning_rate: 0.03,
        warmup: 5,
        decay: Decay::Cosine,
        clip: Some(1.6),
        decays: [0.9, 0.999],
        epsilon: 1e-4,
        seed: 0x0123_4567_89ab_cdef,
    };
    let faults = vec![
        Fault::StartsFromOneStream,
        Fault::BiasesStartAtZero,
        Fault::KlWarmUpOff,
        Fault::BetaOff,
        Fault::WarmUpOff,
        Fault::DecayOff,
        Fault::ClippingOff,
        Fault::ClippedByTensor,
        Fault::CorrectionOff,
        Fault::EpsilonBeforeCorrection,
        Fault::NoiseOfAnotherStep,
        Fault::NoiseOfAnotherStream,
        Fault::NoiseSwapped,
        Fault::PaddingCounts,
        Fault::ShortBatchAsWhole,
        Fault::OrderOfAnotherEpoch,
        Fault::OrderOfTheFile,
        Fault::GreysKept,
        Fault::BinarisedOnce,
        Fault::KlForgetsVariance,
        Fault::HeldOutGrey,
        Fault::HeldOutDrawnByTheSeed,
        Fault::EvaluatedWithTrainingNoise,
        Fault::MeanOfMeans,
    ];
    Case { settings, train: Rows::greys(11, 27, 1), held_out: Rows::greys(11, 13, 2), faults }
}

/// Floats under a Gaussian of σ = 0.7, with ReLUs, cycles of the KL divergence, a learning rate in steps, and no clipping.
pub fn floats() -> Case {
    let settings = Settings {
        features: 6,
        hidden: vec![8],
        latent: 2,
        bend: Bend::Relu,
        density: Density::Gaussian(0.7),
        binarise: false,
        beta: 0.8,
        kl_warmup: 1,
        kl_cycle: 2,
        batch: 10,
        learning_rate: 0.01,
        warmup: 0,
        decay: Decay::Steps(2, 0.3),
        clip: None,
        decays: [0.8, 0.99],
        epsilon: 1e-8,
        seed: 5,
        ..greys().settings
    };
    let faults = vec![
        Fault::KlWarmUpOff,
        Fault::KlCyclesOff,
        Fault::BetaOff,
        Fault::DecayOff,
        Fault::NoiseOfAnotherStep,
        Fault::NoiseSwapped,
        Fault::PaddingCounts,
        Fault::SigmaOff,
        Fault::KlForgetsVariance,
        Fault::EvaluatedWithTrainingNoise,
    ];
    Case { settings, train: Rows::floats(6, 33, 3), held_out: Rows::floats(6, 17, 4), faults }
}

/// A plain autoencoder that minimises the squared error, its greys kept. β₂ is one that f32 is far from, seen from 1.
pub fn points() -> Case {
    let settings = Settings {
        variational: false,
        features: 9,
        hidden: vec![6],
        latent: 2,
        bend: Bend::Tanh,
        density: Density::SquaredError,
        binarise: false,
        beta: 1.0,
        kl_warmup: 0,
        kl_cycle: 0,
        batch: 7,
        warmup: 3,
        decay: Decay::Never,
        clip: None,
        decays: [0.9, 0.9999],
        seed: 11,
        ..greys().settings
    };
    let faults = vec![
        Fault::StartsFromOneStream,
        Fault::WarmUpOff,
        Fault::CorrectionOff,
        Fault::CorrectionUnrounded,
        Fault::PaddingCounts,
        Fault::ShortBatchAsWhole,
        Fault::OrderOfAnotherEpoch,
        Fault::ErrorHalved,
        Fault::MeanOfMeans,
    ];
    Case { settings, train: Rows::greys(9, 24, 5), held_out: Rows::greys(9, 10, 6), faults }
}

/// Pictures of 2×3 in two channels, which are flipped, shifted and cut, and then binarised; held out, they are as they are.
pub fn pictures() -> Case {
    let changes = Changes { height: 2, width: 3, channels: 2, flips: true, shift: 1, crop: 1 };
    let settings =
        Settings { features: 12, changes: Some(changes), learning_rate: 0.01, epochs: 4, seed: 21, ..greys().settings };
    let faults = vec![
        Fault::PicturesKept,
        Fault::PicturesChangedOnce,
        Fault::ShiftForgotten,
        Fault::NoiseOfAnotherStream,
        Fault::BinarisedOnce,
        Fault::PaddingCounts,
    ];
    Case { settings, train: Rows::greys(12, 27, 7), held_out: Rows::greys(12, 13, 8), faults }
}

#[test]
fn some_steps_are_clipped_and_others_are_not() {
    let case = greys();
    let (clip, norms) = (case.settings.clip.expect("a limit"), case.norms());
    let clipped = norms.iter().filter(|&&norm| norm > clip).count();
    assert!((3..=norms.len() - 3).contains(&clipped), "{clipped} of {} exceed {clip}: {norms:?}", norms.len());
}

#[test]
fn batches_are_short_and_warm_ups_end() {
    for case in [greys(), floats(), points()] {
        let Settings { batch, warmup, kl_warmup, epochs, .. } = case.settings;
        assert!(case.train.count() % batch > 0 && case.held_out.count() % batch > 0);
        assert!(warmup < epochs * case.train.batches(batch) && kl_warmup < epochs);
    }
}

#[test]
fn some_units_are_clearly_active_and_others_clearly_not() {
    let (case, figures) = (greys(), greys().by_hand(None));
    let (latent, codes) = (case.settings.latent, figures.get(CODES));
    let variances: Vec<f64> = (0..latent).map(|d| variance(codes.iter().skip(d).step_by(latent))).collect();
    assert!(variances.iter().any(|&v| v > 0.05) && variances.iter().any(|&v| v < 0.002), "{variances:?}");
    assert!(variances.iter().all(|v| !(0.002..0.05).contains(v)), "{variances:?}");
}
