//! What does not go together, or makes no sense, and what is said of it.

use elbo::config::Config;

#[track_caller]
fn refused(posterior: &str, prior: &str, change: impl FnOnce(&mut Config), expected: &str) {
    let mut config = Config::default();
    (config.model.posterior, config.model.prior) = (posterior.parse().unwrap(), prior.parse().unwrap());
    change(&mut config);
    let said = config.validate().unwrap_err().to_string();
    assert!(said.contains(expected), "{said}\n  expected: {expected}");
}

fn nothing(_: &mut Config) {}

#[test]
fn settings_out_of_bounds() {
    let normal = "standard-normal";
    for flow in ["planar", "radial", "householder", "sylvester", "iaf"] {
        refused(&format!("{flow}:length=0"), normal, nothing, "`length` of the posterior");
        refused(&format!("{flow}:length=1.5"), normal, nothing, "give a whole number from 1");
    }
    refused("iaf:hidden=0", normal, nothing, "`hidden` of the posterior `iaf` is 0");
    refused("student-t:nu=2", normal, nothing, "`nu` of the posterior `student-t` is 2: give a number from 2.1");
    refused("gumbel-softmax:end=0", "uniform-categorical", nothing, "`end` of the posterior `gumbel-softmax` is 0");
    refused("gumbel-softmax:start=-1", "uniform-categorical", nothing, "give a positive number");
    refused("gumbel-softmax:categories=1", "uniform-categorical", nothing, "give a whole number from 2");
    let gaussian = "diagonal-gaussian";
    for prior in
        ["mixture:components=0", "vampprior:components=0", "realnvp:length=0", "maf:length=0", "diffusion:steps=0"]
    {
        refused(gaussian, prior, nothing, "give a whole number from 1");
    }
    refused(gaussian, "diffusion:ddim=-1", nothing, "give a whole number from 0");
    refused(gaussian, "mixture:parts=3", nothing, "has no setting `parts`: it takes components");
}

#[test]
fn codes_that_differ() {
    refused(
        "gumbel-softmax",
        "standard-normal",
        |c| c.model.latent = 20,
        "is over variables of 10 categories, and the prior `standard-normal` over real numbers: use the prior \
         `uniform-categorical:categories=10`",
    );
    refused(
        "diagonal-gaussian",
        "uniform-categorical:categories=4",
        nothing,
        "use the posterior `gumbel-softmax:categories=4`",
    );
    refused(
        "gumbel-softmax:categories=4",
        "uniform-categorical:categories=5",
        |c| c.model.latent = 20,
        "use the prior `uniform-categorical:categories=4`",
    );
}

#[test]
fn dimensions_that_do_not_fit() {
    refused("gumbel-softmax", "uniform-categorical", |c| c.model.latent = 12, "give a `latent` that 10 divides");
    refused("diagonal-gaussian", "maf", |c| c.model.latent = 65, "takes 65 passes in a row");
    refused("full-covariance", "standard-normal", |c| c.model.latent = 513, "give a `latent` of 512 or fewer");
    refused("sylvester", "standard-normal", |c| c.model.latent = 257, "give a `latent` of 256 or fewer");
}

#[test]
fn what_a_prior_or_an_objective_needs() {
    refused("iaf", "vampprior", nothing, "needs the posterior's density at the codes of other examples");
    refused("planar", "standard-normal", |c| c.model.objective = "free-bits".into(), "needs the KL of each dimension");
    refused("laplace", "mixture", |c| c.model.objective = "free-bits".into(), "and the prior `mixture`");
    for objective in ["beta-tcvae", "dip-vae-i", "dreg"] {
        let change = |c: &mut Config| c.model.objective = objective.into();
        refused("full-covariance", "standard-normal", change, "needs a posterior that is a product over dimensions");
    }
    let mut fine = Config::default();
    (fine.model.posterior, fine.model.prior) = ("student-t".into(), "vampprior".into());
    fine.model.objective = "dreg".into();
    fine.validate().unwrap();
    (fine.model.posterior, fine.model.prior) = ("householder".into(), "standard-normal".into());
    fine.model.objective = "free-bits".into();
    fine.validate().unwrap();
}
