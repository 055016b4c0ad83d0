//! What varies with the step: the learning rate and the weight of the KL divergence. Steps count from 0.

use super::faults::Fault;
use super::settings::{Decay, Settings};

/// Adam's α: a linear warm-up over the first steps, times what is left of it by then.
pub fn learning_rate(settings: &Settings, step: usize, per_epoch: usize, fault: Option<Fault>) -> f64 {
    let warm = match settings.warmup {
        warmup if step < warmup && fault != Some(Fault::WarmUpOff) => (step + 1) as f64 / warmup as f64,
        _ => 1.0,
    };
    let left = match settings.decay {
        _ if fault == Some(Fault::DecayOff) => 1.0,
        Decay::Never => 1.0,
        Decay::Cosine if step < settings.warmup => 1.0,
        Decay::Cosine => {
            let steps = settings.epochs * per_epoch - settings.warmup;
            let along = (step - settings.warmup) as f64 / steps as f64;
            (1.0 + (std::f64::consts::PI * along).cos()) / 2.0
        }
        Decay::Steps(every, factor) => (0..step / per_epoch / every).map(|_| factor).product(),
    };
    settings.learning_rate * warm * left
}

/// The weight of the KL divergence: β, reached linearly (Bowman et al. 2016, section 3.1), over and over where there are
/// cycles (Fu et al. 2019, equation 6).
pub fn kl_weight(settings: &Settings, step: usize, per_epoch: usize, fault: Option<Fault>) -> f64 {
    let cycle = if fault == Some(Fault::KlCyclesOff) { 0 } else { settings.kl_cycle * per_epoch };
    let step = if cycle > 0 { step % cycle } else { step };
    let beta = full_beta(settings, fault);
    match settings.kl_warmup * per_epoch {
        warmup if step < warmup && fault != Some(Fault::KlWarmUpOff) => beta * (step + 1) as f64 / warmup as f64,
        _ => beta,
    }
}

/// β at its full weight.
pub fn full_beta(settings: &Settings, fault: Option<Fault>) -> f64 {
    if fault == Some(Fault::BetaOff) { 1.0 } else { settings.beta }
}
