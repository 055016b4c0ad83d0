//! Posteriors, priors and networks as tests want them: small, and put together with what they go with.
#![allow(dead_code, reason = "each test program uses its own part of this")]

use elbo::catalogue::{About, Setting, Spec, Usual, build};
use elbo::engine::distributions::{CodeSpace, POSTERIORS, PRIORS};
use elbo::engine::models::{Architecture, ModelEntry, Parts};

/// A piece with few parameters.
pub fn small(about: &About) -> Spec {
    let sizes = [
        ("hidden", 5.0),
        ("width", 5.0),
        ("blocks", 2.0),
        ("layers", 1.0),
        ("channels", 4.0),
        ("inner", 2.0),
        ("shrink", 1.0),
        ("groups", 2.0),
        ("components", 3.0),
        ("samples", 3.0),
        ("steps", 1.0),
        ("largest", 0.2),
        ("context", 3.0),
        ("length", 2.0),
        ("categories", 3.0),
    ];
    let own = sizes.into_iter().filter(|(name, _)| about.settings.iter().any(|s| s.name == *name));
    let spec = own.fold(Spec::new(about.id), |spec, (name, value)| spec.with(name, value));
    // Without kinks, so that differences tell the slope.
    let bends = about.settings.iter().any(|s| s.name == "activation");
    if bends { spec.with("activation", "silu") } else { spec }
}

/// Every posterior and every prior, each with the plainest of the other kind that it goes with.
pub fn pairs() -> Vec<(Spec, Spec)> {
    let posteriors: Vec<Spec> = POSTERIORS.iter().map(|piece| small(&piece.about)).collect();
    let priors: Vec<Spec> = PRIORS.iter().map(|piece| small(&piece.about)).collect();
    let codes_of = |spec: &Spec| build(POSTERIORS, spec).expect("it is in the list").codes();
    let prior_of =
        |codes: CodeSpace| priors.iter().find(|p| build(PRIORS, p).expect("it is in the list").codes() == codes);
    let posterior_of = |codes: CodeSpace| posteriors.iter().find(|p| codes_of(p) == codes);
    let mut all: Vec<(Spec, Spec)> = Vec::new();
    for posterior in &posteriors {
        all.push((posterior.clone(), prior_of(codes_of(posterior)).expect("a prior for it").clone()));
    }
    for prior in &priors {
        let codes = build(PRIORS, prior).expect("it is in the list").codes();
        let pair = (posterior_of(codes).expect("a posterior for it").clone(), prior.clone());
        if !all.contains(&pair) {
            all.push(pair);
        }
    }
    all
}

/// A pair, in a model that is plain besides.
pub fn with(parts: Parts, (posterior, prior): &(Spec, Spec)) -> Parts {
    Parts {
        posterior: build(POSTERIORS, posterior).expect("it is in the list"),
        prior: build(PRIORS, prior).expect("it is in the list"),
        ..parts
    }
}

/// A kind of model with few parameters.
pub fn small_model(kind: &'static ModelEntry) -> Architecture {
    let small = small(&kind.about);
    // Vectors of one number, as many as a code has; so fine that codes of a model that has learnt nothing differ.
    let has_levels = |setting: &&Setting| setting.name == "levels" && matches!(setting.default, Usual::Numbers(_));
    let is_of_levels = kind.about.settings.iter().any(|setting| has_levels(&setting));
    Architecture::new(kind, &if is_of_levels { small.with("levels", 32.0) } else { small }).unwrap()
}

/// Two levels of quantised codes and the network that they need, whose codes are a picture.
pub fn two_levels() -> (Architecture, Spec) {
    let encoder = "resnet:width=5,inner=2,blocks=1,shrink=1,code=spatial,activation=silu";
    ("vq-vae:codes=32,levels=2".parse().unwrap(), encoder.parse().unwrap())
}
