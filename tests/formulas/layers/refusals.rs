//! What layers do not go with, and what is said of it.

use elbo::config::Config;
use elbo::engine::models::Layer;

fn config(kind: &str) -> Config {
    let mut config = Config::default();
    config.model.kind = kind.parse().unwrap();
    config
}

#[track_caller]
fn refused(kind: &str, change: impl FnOnce(&mut Config), expected: &str) {
    let mut config = config(kind);
    config.validate().unwrap();
    change(&mut config);
    let said = config.validate().unwrap_err().to_string();
    assert!(said.contains(expected), "{said}\n  expected: {expected}");
}

fn both() -> [&'static str; 2] {
    ["hierarchical", "ladder"]
}

#[test]
fn layers_out_of_range() {
    for kind in both() {
        let bounds = "give 1 to 7 numbers, each a whole number from 1 to 65536, such as 16";
        for (upper, said) in
            [(vec![], "empty"), (vec![4, 0], "4,0"), (vec![65_537], "65537"), (vec![2; 8], "2,2,2,2,2,2,2,2")]
        {
            refused(kind, |c| c.model.upper = Some(upper.clone()), &format!("`upper` is {said}: {bounds}"));
        }
        refused(kind, |c| c.model.latent = 0, "`latent` is 0");
        let mut fine = config(kind);
        fine.model.upper = Some(vec![2; 7]);
        fine.validate().unwrap();
    }
    for kind in ["vae", "ae", "cvae"] {
        let expected = format!("a model of `kind` {kind} has one: leave it out, or train a hierarchical");
        refused(kind, |c| c.model.upper = Some(vec![4]), &expected);
    }
}

#[test]
fn pieces_of_another_kind() {
    for kind in both() {
        let posterior = |c: &mut Config| c.model.posterior = "iaf".into();
        refused(kind, posterior, "the posterior `iaf` is given: leave it out, or train a vae");
        let prior = |c: &mut Config| c.model.prior = "uniform-categorical".into();
        refused(kind, prior, "the prior `uniform-categorical` is over variables of 10 categories: use another prior");
        let large = |c: &mut Config| (c.model.prior, c.model.upper) = ("maf".into(), Some(vec![65]));
        refused(kind, large, "the uppermost layer has 65 dimensions, which the prior `maf` cannot have");
        for objective in ["beta-tcvae", "dip-vae-i", "dip-vae-ii", "info-vae", "wae", "dreg"] {
            let change = |c: &mut Config| c.model.objective = objective.into();
            refused(kind, change, "has several layers of them: use the objective `elbo` or `iwae`, or train a vae");
        }
    }
    let vampprior = |c: &mut Config| c.model.prior = "vampprior".into();
    refused("hierarchical", vampprior, "as it draws the layers between: train a ladder, or use another prior");
    let free_bits = |c: &mut Config| c.model.objective = "free-bits".into();
    refused("hierarchical", free_bits, "needs the KL of each dimension");
}

#[test]
fn layers_that_are_not_given() {
    for kind in both() {
        let mut config = config(kind);
        for (latent, expected) in [(8, 4), (5, 2), (1, 1)] {
            config.model.latent = latent;
            assert_eq!(config.model.upper_widths(), [expected]);
            config.validate().unwrap();
        }
        config.model.upper = Some(vec![16, 300, 2]);
        let widths: Vec<_> =
            Layer::halving(&config.model.upper_widths(), 256).into_iter().map(|l| (l.latent, l.hidden)).collect();
        // Half of the encoder's last 256 units, but no narrower than the layer; then half of that.
        assert_eq!(widths, [(16, vec![128; 2]), (300, vec![300; 2]), (2, vec![150; 2])]);
    }
    assert!(config("vae").model.upper_widths().is_empty());
}
