//! The pieces a model is made of: that each exists, and that they go together.

use super::{ModelConfig, Parts, StochasticLayers};
use crate::catalogue::{Kind, Spec, build, find, rename};
use crate::data::Schema;
use crate::distributions::{
    CodeSpace, Heads, INDEX_PRIORS, LIKELIHOODS, MISSING_MECHANISMS, MissingModel, POSTERIORS, PRIORS,
    WEIGHT_DISTRIBUTIONS,
};
use crate::error::Result;
use crate::graph::{Graph, Tensor};
use crate::nn::NETWORKS;
use crate::objectives::{Need, OBJECTIVES};
use crate::problems::Problems;

impl ModelConfig {
    /// What a VAE of these settings is made of.
    ///
    /// # Errors
    /// If a piece does not exist, or is given what it does not take.
    pub fn parts(&self) -> Result<Parts> {
        Ok(Parts {
            likelihood: build(LIKELIHOODS, &self.likelihood)?,
            posterior: build(POSTERIORS, &self.posterior)?,
            prior: build(PRIORS, &self.prior)?,
            objective: build(OBJECTIVES, &self.objective)?,
        })
    }

    /// What a VAE of these settings is made of, for rows of these fields, of which some may be missing.
    ///
    /// # Errors
    /// As for [`ModelConfig::parts`].
    pub fn parts_for(&self, schema: &Schema) -> Result<Parts> {
        let parts = self.parts()?;
        let (likelihood, mechanism) =
            (Heads::of(schema, &parts.likelihood), build(MISSING_MECHANISMS, &self.missing_mechanism)?);
        Ok(Parts { likelihood: MissingModel::of(schema, likelihood, mechanism), ..parts })
    }

    /// Calls every piece by its own name where it is known by another, so that equal settings are equal.
    pub(crate) fn name_pieces(&mut self) {
        rename(NETWORKS, &mut self.encoder);
        if let Some(decoder) = &mut self.decoder {
            rename(NETWORKS, decoder);
        }
        rename(LIKELIHOODS, &mut self.likelihood);
        rename(POSTERIORS, &mut self.posterior);
        rename(PRIORS, &mut self.prior);
        rename(MISSING_MECHANISMS, &mut self.missing_mechanism);
        rename(INDEX_PRIORS, &mut self.prior);
        rename(WEIGHT_DISTRIBUTIONS, &mut self.network_weights);
        rename(OBJECTIVES, &mut self.objective);
    }
}

impl ModelConfig {
    /// Whether why values are missing is to be learnt.
    pub(crate) fn explains_gaps(&self) -> bool {
        self.missing_mechanism.id != MISSING_MECHANISMS[0].about.id
    }

    /// Notes what is wrong with these settings; `batch` is the rows of a step.
    pub(crate) fn check(&self, batch: usize, problems: &mut Problems) {
        problems.all(self.out_of_bounds());
        check_upper(self, problems);
        check_names(self, problems);
        check_coupled(self, batch, problems);
        check_mechanism(self, problems);
        (self.kind.check)(self, batch, problems);
    }
}

/// Notes pieces that do not exist.
pub(super) fn check_names(config: &ModelConfig, problems: &mut Problems) {
    problems.result(find(NETWORKS, &config.encoder));
    if let Some(decoder) = &config.decoder {
        problems.result(find(NETWORKS, decoder));
    }
    problems.result(find(LIKELIHOODS, &config.likelihood));
    problems.result(find(POSTERIORS, &config.posterior));
    check_prior_name(config, problems);
    problems.result(find(MISSING_MECHANISMS, &config.missing_mechanism));
    problems.result(find(WEIGHT_DISTRIBUTIONS, &config.network_weights));
    problems.result(find(OBJECTIVES, &config.objective));
}

/// Whether a prior is one over indices of quantised codes.
pub(super) fn is_over_indices(prior: &Spec) -> bool {
    find(INDEX_PRIORS, &Spec::new(&prior.id)).is_ok()
}

/// Notes a prior that does not exist, or is over indices where codes are none.
fn check_prior_name(config: &ModelConfig, problems: &mut Problems) {
    if !is_over_indices(&config.prior) {
        problems.result(find(PRIORS, &config.prior));
        return;
    }
    problems.result(find(INDEX_PRIORS, &config.prior));
    problems.note(
        !config.kind.quantises,
        format!(
            "the prior `{}` is over indices of quantised codes, and a model of `kind` {} has none: use another prior, or `kind` vq-vae \
             or fsq",
            config.prior.id, config.kind
        ),
    );
}

/// The network that sees the rows of a batch together, if one does.
fn coupling(config: &ModelConfig) -> Option<&Spec> {
    let mut networks = [Some(&config.encoder), config.decoder.as_ref()].into_iter().flatten();
    networks.find(|spec| build(NETWORKS, spec).is_ok_and(|network| network.couples_rows()))
}

/// Notes a network that sees the rows of a batch together, where a model `does` something with each code by itself.
pub(super) fn check_each_by_itself(config: &ModelConfig, does: &str, problems: &mut Problems) {
    problems.note(
        coupling(config).is_some(),
        format!(
            "a model of `kind` {} {does} by itself, and the network sees the rows of a batch together: give norm=layer",
            config.kind
        ),
    );
}

/// Notes what does not go with networks that see the rows of a batch together.
fn check_coupled(config: &ModelConfig, batch: usize, problems: &mut Problems) {
    let Some(network) = coupling(config) else { return };
    problems.note(
        batch < 2,
        format!(
            "the network `{network}` normalises over the rows of a batch, and `batch` is {batch}: give 2 or more, or norm=layer"
        ),
    );
    problems.note(
        build(PRIORS, &config.prior).is_ok_and(|prior| prior.needs_density()),
        format!(
            "the prior `{}` sends inputs of its own through the encoder, which are none of the batch that the network `{network}` \
             normalises over: give norm=layer, or another prior",
            config.prior.id
        ),
    );
}

/// Notes a mechanism of missing values of a model that does not learn one.
fn check_mechanism(config: &ModelConfig, problems: &mut Problems) {
    if !config.explains_gaps() || find(MISSING_MECHANISMS, &config.missing_mechanism).is_err() {
        return;
    }
    let (kind, mechanism) = (&config.kind, &config.missing_mechanism);
    problems.note(
        !kind.explains_gaps,
        format!(
            "`missing-mechanism` is {mechanism}, and a model of `kind` {kind} does not learn why values are missing: leave it out, or train a \
             vae"
        ),
    );
}

/// Notes upper layers that are given to a model of one layer.
fn check_upper(config: &ModelConfig, problems: &mut Problems) {
    let kind = &config.kind;
    problems.note(
        config.upper.is_some() && !matches!(kind.layers, Some(StochasticLayers::Stack(_))),
        format!(
            "`upper` is about stochastic layers above the first, and a model of `kind` {kind} has {}: leave it out, or train a \
             hierarchical or a ladder",
            if kind.layers.is_some() { "those that its setting blocks says" } else { "one" }
        ),
    );
}

/// Notes pieces of a model with one posterior and one prior that do not go together; `batch` is the rows of a step.
pub(super) fn check_one_layer(config: &ModelConfig, batch: usize, problems: &mut Problems) {
    let Ok(parts) = config.parts() else { return };
    if config.latent > 0 && codes_fit(config, &parts, problems) {
        check_objective(config, &parts, batch, problems);
    }
}

/// Notes what an objective asks of the rest of the model and does not get.
pub(super) fn check_objective(config: &ModelConfig, parts: &Parts, batch: usize, problems: &mut Problems) {
    let layers = config.kind.layers;
    let objective = &config.objective.id;
    let latent = config.latent;
    for need in parts.objective.needs() {
        let (posterior, prior) = (&config.posterior.id, &config.prior.id);
        match need {
            Need::Pairs => problems.note(
                batch < 2,
                format!("the objective `{objective}` compares the rows of a batch, and `batch` is {batch}: give 2 or more"),
            ),
            Need::FactorisedPosterior => problems.note(
                !is_factorised(parts, latent),
                format!(
                    "the objective `{objective}` needs a posterior that is a product over dimensions, and `{posterior}` is \
                     none: use the posterior `diagonal-gaussian`, or another objective"
                ),
            ),
            Need::OneLayer => problems.note(
                layers.is_some(),
                format!(
                    "the objective `{objective}` is about a code with one posterior and one prior, and a model of `kind` {} has \
                     several layers of them: use the objective `elbo` or `iwae`, or train a vae",
                    config.kind
                ),
            ),
            Need::ClosedFormKl => problems.note(
                !parts.kl_is_closed_form(latent) || layers.is_some_and(|layers| !layers.tells_kl()),
                format!(
                    "the objective `{objective}` needs the KL of each dimension, and there is no closed form of it for the \
                     posterior `{posterior}` and the prior `{prior}`: use another objective"
                ),
            ),
        }
    }
    problems.note(
        !parts.objective.uses_beta() && config.beta.is_finite() && config.beta != 1.0,
        format!("`beta` has no part in the objective `{objective}`: leave it out, and see `elbo models {objective}`"),
    );
    problems.note(
        objective == "beta-vae" && config.beta.is_finite() && config.beta != 1.0,
        "`beta` is given twice: leave it out and give the `objective` beta-vae:beta=X, or leave the objective out",
    );
}

/// A model without a prior has no factors to choose.
pub(super) fn check_unused(config: &ModelConfig, problems: &mut Problems) {
    check_not_chosen(config, &[Kind::Posterior, Kind::Prior, Kind::Objective], problems);
}

/// Notes a weight of the KL of a model that has none, and what is to be done about it besides.
pub(super) fn check_beta(config: &ModelConfig, instead: &str, problems: &mut Problems) {
    problems.note(
        config.beta.is_finite() && config.beta != 1.0,
        format!("`beta` weighs the KL term, and a model of `kind` {} has none: leave it out{instead}", config.kind),
    );
}

/// Notes factors that are chosen and that a model does not have.
pub(super) fn check_not_chosen(config: &ModelConfig, factors: &[Kind], problems: &mut Problems) {
    let kind = &config.kind;
    let plain = [
        (Kind::Posterior, &config.posterior, "diagonal-gaussian"),
        (Kind::Prior, &config.prior, "standard-normal"),
        (Kind::Objective, &config.objective, "elbo"),
    ];
    for (factor, spec, usual) in plain.into_iter().filter(|(factor, ..)| factors.contains(factor)) {
        problems.note(
            spec.id != usual,
            format!(
                "a model of `kind` {kind} has no {} to choose, and `{spec}` is given: leave it out, or train a vae",
                factor.key()
            ),
        );
    }
}

/// Notes a prior that does not go with codes that are points.
pub(super) fn check_prior_of_points(config: &ModelConfig, problems: &mut Problems) {
    let (Ok(prior), id, kind, latent) = (build(PRIORS, &config.prior), &config.prior.id, &config.kind, config.latent)
    else {
        return;
    };
    problems.note(
        prior.codes() != CodeSpace::Real || prior.needs_density(),
        format!(
            "codes of a model of `kind` {kind} are points of real numbers, which the prior `{id}` is not about: use another prior, such as \
             mixture"
        ),
    );
    if let Some(why) = prior.refusal(latent) {
        problems.note(true, format!("`latent` is {latent}, which the prior `{id}` cannot have: {why}"));
    }
}

/// Notes where posterior and prior are not about the same codes, or not about as many; gives whether they are.
fn codes_fit(config: &ModelConfig, parts: &Parts, problems: &mut Problems) -> bool {
    let (latent, posterior, prior) = (config.latent, &config.posterior.id, &config.prior.id);
    let [of_posterior, of_prior] = [parts.posterior.codes(), parts.prior.codes()];
    let fitting = match (of_posterior, of_prior) {
        (CodeSpace::Simplex(n), _) => format!("use the prior `uniform-categorical:categories={n}`"),
        (CodeSpace::Real, CodeSpace::Simplex(n)) => {
            format!("use the posterior `gumbel-softmax:categories={n}`, or another prior")
        }
        (CodeSpace::Sphere, _) => "use the prior `uniform-sphere`".to_string(),
        (CodeSpace::Real, CodeSpace::Sphere) => "use the posterior `power-spherical`, or another prior".to_string(),
        (CodeSpace::Real, CodeSpace::Real) => String::new(),
    };
    problems.note(
        of_posterior != of_prior,
        format!(
            "the posterior `{posterior}` is over {of_posterior}, and the prior `{prior}` over {of_prior}: {fitting}"
        ),
    );
    let refusals = [
        (Kind::Posterior, posterior, parts.posterior.refusal(latent)),
        (Kind::Prior, prior, parts.prior.refusal(latent)),
    ];
    let mut fit = of_posterior == of_prior;
    for (kind, id, refusal) in refusals {
        fit &= refusal.is_none();
        if let Some(why) = refusal {
            problems.note(true, format!("`latent` is {latent}, which the {} `{id}` cannot have: {why}", kind.key()));
        }
    }
    if fit && parts.prior.needs_density() {
        fit = tells_density(parts, latent);
        problems.note(
            !fit,
            format!(
                "the prior `{prior}` needs the posterior's density at the codes of other examples, which `{posterior}` does \
                 not tell: use a posterior that is a product over dimensions, such as `diagonal-gaussian`, or another prior"
            ),
        );
    }
    fit
}

/// An encoder's outputs for one row, and a code.
fn probe<'g>(graph: &'g Graph, parts: &Parts, latent: usize) -> [Tensor<'g>; 2] {
    [graph.input("outputs", &[1, parts.posterior.outputs(latent)]), graph.input("z", &[1, latent])]
}

fn tells_density(parts: &Parts, latent: usize) -> bool {
    let graph = Graph::new();
    let [outputs, z] = probe(&graph, parts, latent);
    parts.posterior.log_prob_per_dimension(outputs, z).is_some()
}

fn is_factorised(parts: &Parts, latent: usize) -> bool {
    let graph = Graph::new();
    let [outputs, _] = probe(&graph, parts, latent);
    tells_density(parts, latent) && parts.posterior.variance(outputs).is_some()
}
